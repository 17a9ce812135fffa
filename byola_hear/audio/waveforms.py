"""Checks that every waveform passes before it is embedded."""

from __future__ import annotations

import math

import torch
from torch import Tensor

#: Largest sample of audio that is scaled to [-1, 1]. Resampling, lossy codecs and mixing overshoot by some decibels, so
#: 20 dB are accepted. Larger samples were never scaled (16-bit integers as floats).
MAX_SAMPLE = 10.0
#: A batch of at least this many clips with at most this many samples each is one sound of several channels.
_MANY_CLIPS, _FEW_SAMPLES = 100, 32


def check_orientation(shape: tuple[int, ...]) -> None:
    """Refuse a batch that is one sound of shape ``(n_samples, n_channels)``, as ``soundfile.read`` returns it.

    Args:
        shape: the shape of the batch, ``(n_clips, n_samples)``.

    Raises:
        ValueError: if there are many clips of a few samples each.

    Example:
        >>> check_orientation((16000, 2))
        Traceback (most recent call last):
        ...
        ValueError: expected audio of shape (n_clips, n_samples), got (16000, 2), which looks like (n_samples, n_channels); average the channels first: audio.mean(1)
    """  # noqa: E501
    if len(shape) == 2 and shape[0] >= _MANY_CLIPS and 1 <= shape[1] <= _FEW_SAMPLES:
        raise ValueError(
            f"expected audio of shape (n_clips, n_samples), got {tuple(shape)}, which looks like (n_samples, "
            "n_channels); average the channels first: audio.mean(1)"
        )


def check_waveform(waveform: object, what: str = "a clip") -> Tensor:
    """Check a clip.

    Args:
        waveform: a 1-D float32 tensor of at least one sample, finite and scaled to [-1, 1]. Larger values are accepted
            up to ``MAX_SAMPLE``.
        what: the name used in messages.

    Returns:
        The same tensor.

    Raises:
        TypeError: if it is not a tensor.
        ValueError: if its dtype, shape or values are not as described.

    Example:
        >>> check_waveform(torch.zeros(8, dtype=torch.float64))
        Traceback (most recent call last):
        ...
        ValueError: expected a clip as float32 in [-1, 1], got torch.float64
    """
    if not isinstance(waveform, Tensor):
        raise TypeError(f"expected {what} as a torch tensor, got {type(waveform).__name__}")
    if waveform.dtype != torch.float32:
        fractional = waveform.dtype.is_floating_point or waveform.dtype.is_complex
        hint = "" if fractional else "; divide integers by their range first"
        raise ValueError(f"expected {what} as float32 in [-1, 1], got {waveform.dtype}{hint}")
    if waveform.ndim != 1:
        raise ValueError(f"expected {what} of shape (n_samples,), got {tuple(waveform.shape)}")
    if len(waveform) == 0:
        raise ValueError(f"expected {what} of at least one sample, got none")
    # Both extremes in one pass and without a copy; NaN is passed on.
    low, high = (value.item() for value in torch.aminmax(waveform.detach()))
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"expected {what} of finite samples, got NaN or infinity")
    if max(-low, high) > MAX_SAMPLE:
        raise ValueError(f"expected {what} scaled to [-1, 1], got values from {low:g} to {high:g}")
    return waveform


def check_clips(clips: object) -> list[Tensor]:
    """Check the clips of a batch or a list.

    Args:
        clips: ``(n_sounds, n_samples)``, or a list or tuple of ``(n_samples_i,)``.

    Returns:
        Views of the clips, ``(n_samples_i,)`` each.

    Raises:
        TypeError: if it is neither, or a clip is not a tensor.
        ValueError: if there is no clip, or the dtype, shape or values of a clip are not as described.

    Example:
        >>> [len(clip) for clip in check_clips([torch.zeros(3), torch.zeros(5)])]
        [3, 5]
    """
    if isinstance(clips, Tensor):
        if clips.ndim != 2:
            shape = "expected audio of shape (n_sounds, n_samples) or a list of clips"
            hint = "; give one clip as audio[None]" if clips.ndim == 1 else ""
            raise ValueError(f"{shape}, got {tuple(clips.shape)}{hint}")
        if len(clips) == 0:
            raise ValueError(f"expected at least one clip, got audio of shape {tuple(clips.shape)}")
        check_orientation(tuple(clips.shape))
    elif not isinstance(clips, (list, tuple)):
        shape = "expected audio as a float32 tensor (n_sounds, n_samples) or a list of clips"
        raise TypeError(f"{shape}, got {type(clips).__name__}")
    elif not clips:
        raise ValueError("expected at least one clip, got none")
    return [check_waveform(clip, f"clip {index}") for index, clip in enumerate(clips)]
