"""Teachers: any model with HEAR's functions (https://hearbenchmark.com/hear-api.html)."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from byola_hear.models.model import ByolaModel
from byola_hear.pretraining.data.clip_log_mel import read_clip
from byola_hear.pretraining.data.manifest import ManifestClip
from byola_hear.utils.text import one_line

#: Segments that a teacher gets at a time.
TOGETHER = 256


@dataclass(frozen=True, eq=False)
class Teacher:
    """A model with HEAR's functions, and the sounds that it teaches.

    Attributes:
        name: its name in a recipe, such as ``yamnet`` or ``whisper_tiny@speech``.
        module: the module with HEAR's functions.
        model: what its ``load_model`` returned.
        identity: see :func:`fingerprint`.
        kinds: kinds of sounds that it teaches; empty for all.
    """

    name: str
    module: ModuleType
    model: Any
    identity: str
    kinds: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Dimensions of its scene embeddings."""
        return int(self.model.scene_embedding_size)

    def facts(self) -> dict[str, Any]:
        """What a recipe says about it, as JSON values."""
        return {"size": self.size, "fingerprint": self.identity, "note": str(getattr(self.model, "note", ""))}

    def teaches(self, kind: str) -> bool:
        """Whether it teaches a kind of sound."""
        return not self.kinds or kind in self.kinds


def load_teacher(text: str) -> Teacher:
    """Load a teacher.

    Args:
        text: ``MODULE``, ``MODULE=WEIGHTS`` or either followed by ``@KIND+KIND``. The module is one that can be
            imported, and has HEAR's functions. ``WEIGHTS`` goes to its ``load_model``. Only sounds of the kinds are
            taught; without kinds, all are.

    Returns:
        The teacher, which computes on the CPU; the package's own networks in the precision ``auto``. It is named after
        its weights, without the folder and the ending of a file, or after the last part of its module.

    Raises:
        ValueError: if there is no such module, it lacks HEAR's functions or the attributes of HEAR's models, or its
            weights are not available.
        FileNotFoundError: if there is no such file.

    Example:
        >>> load_teacher("byola_hear=both@music+notes").name
        'both@music+notes'
    """
    rest, _, kinds = text.partition("@")
    path, _, weights = rest.partition("=")
    try:
        module = importlib.import_module(path)
    except (ImportError, ValueError) as error:
        raise ValueError(
            f"expected a module with HEAR's functions as teacher, could not import {path!r}: {error}"
        ) from None
    lacking = [name for name in ("load_model", "get_scene_embeddings") if not callable(getattr(module, name, None))]
    if lacking:
        raise ValueError(f"expected a module with HEAR's functions as teacher, {path} lacks {', '.join(lacking)}")
    model = _loaded(module, path, weights)
    for name in ("sample_rate", "scene_embedding_size"):
        if not isinstance(getattr(model, name, None), int):
            raise ValueError(f"expected a teacher whose model has an integer {name}, that of {path} has none")
    plain = Path(weights).stem or path.rpartition(".")[2]
    name, taught = f"{plain}@{kinds}" if kinds else plain, tuple(filter(None, kinds.split("+")))
    identity = fingerprint(model)
    # A student's error is far larger than what this moves.
    model = model.in_precision("auto") if isinstance(model, ByolaModel) else model
    return Teacher(name, module, model, identity, taught)


def _loaded(module: ModuleType, path: str, weights: str) -> Any:
    try:
        return module.load_model(weights) if weights else module.load_model()
    except (ValueError, OSError):
        raise
    except Exception as error:  # each module has errors of its own, for instance for a package that is missing
        raise ValueError(f"the teacher {path} could not be loaded: {error}") from error


def fingerprint(model: Any) -> str:
    """A hash of what a model computes: its own ``fingerprint()`` if it has one, else that of its weights.

    Args:
        model: what a module's ``load_model`` returned.

    Returns:
        SHA-256, hexadecimal; of the model's class alone if it has no weights that torch knows.
    """
    if callable(getattr(model, "fingerprint", None)):
        return str(model.fingerprint())
    digest = hashlib.sha256(f"{type(model).__module__}.{type(model).__qualname__}".encode())
    weights = model.state_dict() if isinstance(model, nn.Module) else {}
    for name, values in sorted(weights.items()):
        digest.update(name.encode())
        digest.update(values.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def teach(
    teacher: Teacher, clips: Sequence[ManifestClip], folder: Path, counts: Sequence[int], seconds: float
) -> list[Tensor | str]:
    """Decode clips of a manifest, and compute a teacher's scene embeddings of their segments.

    Args:
        teacher: the teacher. It gets segments of several clips at a time.
        clips: the clips.
        folder: folder of the manifest.
        counts: number of segments of each clip, from its beginning; at least 1.
        seconds: length of a segment, in seconds.

    Returns:
        For each clip ``(n_segments, teacher.size)`` float32, or why it failed; ``(0, teacher.size)`` for a kind of
        sound that is not taught.
    """
    results: list[Tensor | str] = [""] * len(clips)
    segments: dict[int, list[Tensor]] = {}
    for place, (clip, count) in enumerate(zip(clips, counts, strict=True)):
        try:
            segments[place] = _segments(teacher, clip, folder, count, seconds) if teacher.teaches(clip.kind) else []
        except ValueError as error:
            results[place] = str(error)
    for place, vectors in zip(segments, _embedded_clips(teacher, list(segments.values()))):
        if isinstance(vectors, str):
            results[place] = f"{clips[place].path}: the teacher {teacher.name} failed: {vectors}"
        elif not vectors.isfinite().all():
            results[place] = f"{clips[place].path}: the vectors of the teacher {teacher.name} are not finite"
        else:
            results[place] = vectors
    return results


def _embedded_clips(teacher: Teacher, clips: list[list[Tensor]]) -> list[Tensor | str]:
    """Compute a teacher's scene embeddings of the segments of each clip, or say why it failed there."""
    together = [segment for clip in clips for segment in clip]
    try:
        return list(embedded(teacher, together).split([len(clip) for clip in clips]))
    except Exception as error:  # each module has errors of its own, for instance for audio that is too short
        if len(clips) == 1:
            return [one_line(error)]
    # One clip may be what it can't take; the others are embedded without it.
    return [vectors for clip in clips for vectors in _embedded_clips(teacher, [clip])]


def _segments(teacher: Teacher, clip: ManifestClip, folder: Path, count: int, seconds: float) -> list[Tensor]:
    """Cut a clip into its segments, at the teacher's sample rate. A clip may end within its only segment."""
    rate = teacher.model.sample_rate
    audio = torch.from_numpy(read_clip(clip, folder, rate))
    length = round(seconds * rate)
    cut = [audio[first : first + length] for first in (round(index * seconds * rate) for index in range(count))]
    if count > 1:  # resampling may leave the last segment short of a few samples
        cut[-1] = nn.functional.pad(cut[-1], (0, length - len(cut[-1])))
    return cut


@torch.no_grad()
def embedded(teacher: Teacher, segments: Sequence[Tensor]) -> Tensor:
    """Compute a teacher's scene embeddings, of segments of one length together.

    Args:
        teacher: the teacher.
        segments: ``(n_samples_i,)`` float32 each, at the teacher's sample rate.

    Returns:
        ``(n_segments, teacher.size)`` float32, on the CPU.
    """
    vectors = torch.zeros(len(segments), teacher.size)
    places: dict[int, list[int]] = {}
    for place, segment in enumerate(segments):
        places.setdefault(len(segment), []).append(place)
    for found in places.values():
        for some in (found[first : first + TOGETHER] for first in range(0, len(found), TOGETHER)):
            batch = torch.stack([segments[place] for place in some])
            vectors[some] = teacher.module.get_scene_embeddings(batch, teacher.model).detach().float().cpu()
    return vectors
