"""What all baselines share: HEAR's three functions over a model that embeds one clip at a time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import overload

import torch
from torch import Tensor, nn

from byola_hear.audio.waveforms import check_clips

#: Environment variable that names the folder where weights are looked for.
MODELS_VARIABLE = "BYOLA_BENCHMARK_MODELS"


class Unavailable(RuntimeError):
    """A baseline that can't be had here; the message says what is missing and how to get it."""


class Baseline(nn.Module):
    """A model that embeds one clip at a time. A subclass has :meth:`frames`, and :meth:`scene` where that is not the
    mean over the frames.

    Args:
        identity: text that, beside the weights, decides the embeddings: versions, files' hashes, options.
        note: what a reader of a table must know about it.

    Attributes:
        embedding_version: of the embeddings that given weights and settings lead to, int; raised with a change of code
            that moves them.
        sample_rate: Hz, int.
        scene_embedding_size: numbers in a clip embedding, int.
        timestamp_embedding_size: numbers in a timestamp embedding, int.
        hop: samples from one frame to the next.
        centre: samples from a clip's start to the centre of the first frame.
    """

    embedding_version: int
    sample_rate: int = 16000
    scene_embedding_size: int
    timestamp_embedding_size: int
    hop: int
    centre: float

    def __init__(self, identity: str = "", note: str = "") -> None:
        super().__init__()
        self.identity = identity
        self.note = note

    def frames(self, clip: Tensor) -> Tensor:
        """Embeddings along time, ``hop`` samples from one to the next.

        Args:
            clip: ``(n_samples,)`` float32, one sample or more, where the weights are.

        Returns:
            ``(n_frames, timestamp_embedding_size)``, at least one frame.
        """
        raise NotImplementedError

    def scene(self, clip: Tensor) -> Tensor:
        """A clip's embedding: ``(n_samples,)`` to ``(scene_embedding_size,)``."""
        return self.frames(clip).mean(0)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next((each.device for each in (*self.parameters(), *self.buffers())), torch.device("cpu"))

    def fingerprint(self) -> str:
        """SHA-256 of what decides an embedding beside the code: weights, packages' versions, options; hexadecimal."""
        digest = hashlib.sha256(self.identity.encode())
        for name, values in sorted(self.state_dict().items()):
            digest.update(f"{name}{tuple(values.shape)}{values.dtype}".encode())
            digest.update(values.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()


@torch.no_grad()
def get_scene_embeddings(audio: Tensor | Sequence[Tensor], model: Baseline) -> Tensor:
    """One embedding a clip.

    Args:
        audio: ``(n_sounds, n_samples)`` float32 in [-1, 1] at ``model.sample_rate``, or a list of clips
            ``(n_samples_i,)``; any length from one sample on.
        model: from the module's ``load_model``.

    Returns:
        ``(n_sounds, model.scene_embedding_size)`` float32, where the audio is.

    Raises:
        TypeError: if the audio is no tensors or the model none of a baseline.
        ValueError: if there is no clip, or one has the wrong dtype, shape or values.
    """
    clips = check_clips(audio)
    model = _checked(model)
    embeddings = [model.scene(clip.to(model.device)) for clip in clips]
    return torch.stack(embeddings).float().to(clips[0].device)


@overload
def get_timestamp_embeddings(audio: Tensor, model: Baseline) -> tuple[Tensor, Tensor]: ...


@overload
def get_timestamp_embeddings(audio: Sequence[Tensor], model: Baseline) -> tuple[list[Tensor], list[Tensor]]: ...


@torch.no_grad()
def get_timestamp_embeddings(
    audio: Tensor | Sequence[Tensor], model: Baseline
) -> tuple[Tensor, Tensor] | tuple[list[Tensor], list[Tensor]]:
    """Embeddings along time.

    A timestamp is the centre of what its embedding was computed from: ``(model.centre + k * model.hop)`` samples.
    None lies beyond the clip's end; a clip that ends before the centre of the first has that one, at its middle.

    Args:
        audio: as in :func:`get_scene_embeddings`.
        model: from the module's ``load_model``.

    Returns:
        embeddings ``(n_sounds, n_timestamps, model.timestamp_embedding_size)`` float32 and timestamps
        ``(n_sounds, n_timestamps)`` float32, milliseconds. Of a list of clips, two lists:
        ``(n_timestamps_i, model.timestamp_embedding_size)`` each and ``(n_timestamps_i,)`` each.

    Raises:
        TypeError: if the audio is no tensors or the model none of a baseline.
        ValueError: if there is no clip, or one has the wrong dtype, shape or values.
    """
    clips = check_clips(audio)
    model = _checked(model)
    embeddings, times = [], []
    for clip in clips:
        frames = model.frames(clip.to(model.device))
        centres = model.centre + model.hop * torch.arange(len(frames), dtype=torch.float64)
        n_kept = int((centres <= len(clip)).sum())
        if n_kept == 0:
            n_kept, centres = 1, torch.tensor([len(clip) / 2], dtype=torch.float64)
        embeddings.append(frames[:n_kept].float().to(clip.device))
        times.append((centres[:n_kept] * (1000 / model.sample_rate)).float().to(clip.device))
    return (torch.stack(embeddings), torch.stack(times)) if isinstance(audio, Tensor) else (embeddings, times)


def _checked(model: object) -> Baseline:
    if not isinstance(model, Baseline):
        raise TypeError(f"expected the model that load_model returned, got {type(model).__name__}")
    return model


def padded(clip: Tensor, n_samples: int) -> Tensor:
    """A clip with zeros behind it up to ``n_samples``; one that is longer stays as it is.

    Example:
        >>> padded(torch.ones(2), 3)
        tensor([1., 1., 0.])
    """
    return nn.functional.pad(clip, (0, max(n_samples - len(clip), 0)))


def weights_in_folder(name: str) -> Path | None:
    """A file or folder of weights in the folder that ``BYOLA_BENCHMARK_MODELS`` names.

    Args:
        name: of the file or folder.

    Returns:
        Its path; None if it is not there or the variable is not set.
    """
    folder = os.environ.get(MODELS_VARIABLE)
    path = Path(folder) / name if folder else None
    return path if path is not None and path.exists() else None


def need_package(name: str, how: str) -> str:
    """Make sure that a package is installed, without importing it.

    Args:
        name: of the package as it is imported.
        how: to install it.

    Returns:
        The package's version, or ``"unknown"``.

    Raises:
        Unavailable: if it is not installed.
    """
    if find_spec(name) is None:
        raise Unavailable(f"needs the package {name.replace('_', '-')}: {how}")
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "unknown"


def package_file(name: str, *inside: str, how: str) -> Path:
    """A file that an installed package carries, found without importing the package.

    Args:
        name: of the package as it is imported.
        *inside: path of the file within it.
        how: to install it.

    Returns:
        The file.

    Raises:
        Unavailable: if the package is not installed, or does not hold the file.
    """
    need_package(name, how)
    spec = find_spec(name)  # which does not import it
    for folder in (spec.submodule_search_locations if spec else None) or []:
        path = Path(folder).joinpath(*inside)
        if path.is_file():
            return path
    raise Unavailable(f"needs {'/'.join(inside)} of the package {name}, which is installed without it: {how}")


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """A PyTorch file of weights, read without unpickling anything else.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is anything else.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"expected weights at {path}, found no such file")
    try:
        read = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damage surfaces as whatever pickle, zip or torch makes of it
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{path}: expected a PyTorch file of weights, could not read it: {reason[:200]}") from error
    if not isinstance(read, dict):
        raise ValueError(f"{path}: expected a dictionary of weights, found {type(read).__name__}")
    return read


def fill(module: nn.Module, weights: dict[str, Tensor], where: str | Path) -> None:
    """Put weights into a module: all of them and no others.

    Raises:
        ValueError: if names or shapes differ from the module's.
    """
    try:
        module.load_state_dict(weights)
    except (RuntimeError, TypeError, AttributeError) as error:
        listed = " ".join(str(error).split())
        raise ValueError(f"{where}: expected the weights of {type(module).__name__}: {listed[:300]}") from error
