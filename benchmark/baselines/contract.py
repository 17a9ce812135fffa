"""The base class of the baselines, and HEAR's functions for it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import overload

import torch
from torch import Tensor, nn

from byola_hear.audio.waveforms import check_clips


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
