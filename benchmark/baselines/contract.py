"""The base class of the baselines, HEAR's functions for it, and help with packages and weights."""

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

#: Environment variable that names a folder of weights.
MODELS_VARIABLE = "BYOLA_BENCHMARK_MODELS"


class Unavailable(RuntimeError):
    """A baseline is not available here; the message says what is missing and how to get it."""


class Baseline(nn.Module):
    """A model that embeds one clip at a time. A subclass implements :meth:`frames`. It also implements :meth:`scene` if
    a clip embedding is not the mean of the frames, and :meth:`scenes` if several clips at a time are faster.

    Args:
        identity: everything that decides the embeddings in addition to the weights, as text: versions, hashes of
            files, options.
        note: what a reader of a table must know about it.

    Attributes:
        embedding_version: version of the embeddings, int; raised when a change of the code changes them.
        sample_rate: Hz, int.
        scene_embedding_size: dimensions of a clip embedding, int.
        timestamp_embedding_size: dimensions of a timestamp embedding, int.
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
        """Embeddings along time, one every ``hop`` samples.

        Args:
            clip: ``(n_samples,)`` float32, at least one sample, on the device of the weights.

        Returns:
            ``(n_frames, timestamp_embedding_size)``, at least one frame.
        """
        raise NotImplementedError

    def scene(self, clip: Tensor) -> Tensor:
        """The embedding of a clip, ``(n_samples,)`` to ``(scene_embedding_size,)``."""
        return self.frames(clip).mean(0)

    def scenes(self, clips: Tensor) -> Tensor:
        """The embeddings of clips of one length, ``(n_clips, n_samples)`` to ``(n_clips, scene_embedding_size)``.

        They differ from those of single clips by rounding at most.
        """
        return torch.stack([self.scene(clip) for clip in clips])

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return next((each.device for each in (*self.parameters(), *self.buffers())), torch.device("cpu"))

    def fingerprint(self) -> str:
        """SHA-256 of everything that decides an embedding except the code: weights, versions and options.
        Hexadecimal.
        """
        digest = hashlib.sha256(self.identity.encode())
        for name, values in sorted(self.state_dict().items()):
            digest.update(f"{name}{tuple(values.shape)}{values.dtype}".encode())
            digest.update(values.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()


@torch.no_grad()
def get_scene_embeddings(audio: Tensor | Sequence[Tensor], model: Baseline) -> Tensor:
    """One embedding for each clip.

    Args:
        audio: ``(n_sounds, n_samples)`` float32 in [-1, 1] at ``model.sample_rate``, or a list of clips
            ``(n_samples_i,)``; clips have at least one sample.
        model: a model from the module's ``load_model``.

    Returns:
        ``(n_sounds, model.scene_embedding_size)`` float32, on the device of the audio.

    Raises:
        TypeError: if ``audio`` is not a tensor or list of tensors, or ``model`` did not come from ``load_model``.
        ValueError: if there are no clips, or one has the wrong dtype, shape or values.
    """
    clips = check_clips(audio)
    model = _checked(model)
    if len({len(clip) for clip in clips}) == 1:
        embeddings = model.scenes(torch.stack([clip.to(model.device) for clip in clips]))
    else:
        embeddings = torch.stack([model.scene(clip.to(model.device)) for clip in clips])
    return embeddings.float().to(clips[0].device)


@overload
def get_timestamp_embeddings(audio: Tensor, model: Baseline) -> tuple[Tensor, Tensor]: ...


@overload
def get_timestamp_embeddings(audio: Sequence[Tensor], model: Baseline) -> tuple[list[Tensor], list[Tensor]]: ...


@torch.no_grad()
def get_timestamp_embeddings(
    audio: Tensor | Sequence[Tensor], model: Baseline
) -> tuple[Tensor, Tensor] | tuple[list[Tensor], list[Tensor]]:
    """Embeddings along time.

    A timestamp is the centre of the samples that its embedding is computed from, ``model.centre + k * model.hop``. No
    timestamp is beyond the clip's end. A clip that ends before the first centre has one timestamp, at its middle.

    Args:
        audio: as in :func:`get_scene_embeddings`.
        model: a model from the module's ``load_model``.

    Returns:
        Embeddings ``(n_sounds, n_timestamps, model.timestamp_embedding_size)`` float32 and timestamps
        ``(n_sounds, n_timestamps)`` float32, milliseconds. For a list of clips, two lists with elements
        ``(n_timestamps_i, model.timestamp_embedding_size)`` and ``(n_timestamps_i,)``.

    Raises:
        TypeError: if ``audio`` is not a tensor or list of tensors, or ``model`` did not come from ``load_model``.
        ValueError: if there are no clips, or one has the wrong dtype, shape or values.
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
    """Pad a clip with zeros at its end to at least ``n_samples``.

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
    """Check that a package is installed, without importing it.

    Args:
        name: import name of the package.
        how: how to install it.

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
    """Find a file of an installed package without importing the package.

    Args:
        name: import name of the package.
        *inside: path of the file in the package.
        how: how to install it.

    Returns:
        Path of the file.

    Raises:
        Unavailable: if the package is not installed, or does not contain the file.
    """
    need_package(name, how)
    spec = find_spec(name)  # does not import the package
    for folder in (spec.submodule_search_locations if spec else None) or []:
        path = Path(folder).joinpath(*inside)
        if path.is_file():
            return path
    raise Unavailable(f"needs {'/'.join(inside)} of the package {name}, which is installed without it: {how}")


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Read a PyTorch file of weights; nothing else is unpickled.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is another kind of file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"expected weights at {path}, found no file")
    try:
        read = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle, zip and torch raise many kinds of errors for damaged files
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{path}: expected a PyTorch file of weights, could not read it: {reason[:200]}") from error
    if not isinstance(read, dict):
        raise ValueError(f"{path}: expected a dictionary of weights, found {type(read).__name__}")
    return read


def fill(module: nn.Module, weights: dict[str, Tensor], where: str | Path) -> None:
    """Load weights into a module.

    Args:
        module: the module.
        weights: all of its weights and no others.
        where: where they come from, for errors.

    Raises:
        ValueError: if their names or shapes differ from the module's.
    """
    try:
        module.load_state_dict(weights)
    except (RuntimeError, TypeError, AttributeError) as error:
        listed = " ".join(str(error).split())
        raise ValueError(f"{where}: expected the weights of {type(module).__name__}: {listed[:300]}") from error
