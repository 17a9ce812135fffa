"""What users hand in as audio: paths, clips or waveforms."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import soxr
import torch
from numpy.typing import NDArray
from torch import Tensor

from byola_hear.audio.folders import OnMissing
from byola_hear.audio.waveforms import check_orientation
from byola_hear.extraction.clips import Clip, find_clips
from byola_hear.utils.files import PathLike, check_no_content

Waveform = NDArray[np.floating[Any]] | Tensor
#: What they may be, in messages.
_EXPECTED = "paths, clips or waveforms"
Inputs = PathLike | Iterable[PathLike | Waveform | Clip] | Waveform


def not_audio(given: object) -> str:
    """The message for an input that is neither a path, nor a clip, nor a waveform.

    Example:
        >>> print(not_audio([0.5, 0.25]))
        expected paths, clips or waveforms, got a list of numbers; a waveform is a NumPy array or torch tensor (n_samples,) of floating point, such as numpy.array(numbers)
    """  # noqa: E501
    name = type(given).__name__
    what = "a waveform is a NumPy array or torch tensor (n_samples,) of floating point"
    if isinstance(given, Mapping):
        hint = (
            ", such as d['array'] with sample_rate=d['sampling_rate']"
            if {"array", "sampling_rate"} <= set(given)
            else ""
        )
        received, advice = f"a {name} with the keys {', '.join(map(str, given))}"[:200], f"; {what}{hint}"
    elif isinstance(given, Sequence) and given and all(isinstance(value, Real) for value in given):
        received, advice = f"a {name} of numbers", f"; {what}, such as numpy.array(numbers)"
    elif isinstance(given, Real):
        received, advice = f"{name} {given}", f"; {what}"
    elif getattr(given, "ndim", 0) == 2:
        received, advice = name, "; give one of its columns"
    else:
        received, advice = name, ""
    return f"expected {_EXPECTED}, got {received}{advice}"


def listed(inputs: object) -> list[Any]:
    """List inputs: only paths and clips, or only waveforms.

    Args:
        inputs: one path, clip or waveform; several in any iterable; or waveforms ``(n_clips, n_samples)``.

    Returns:
        At least one path or clip, or at least one waveform.

    Raises:
        TypeError: if one is something else.
        ValueError: if there are none, or both.
    """
    check_no_content(inputs, _EXPECTED)
    if _is_path(inputs):
        return [inputs]
    if isinstance(inputs, (np.ndarray, Tensor)) and not _is_text(inputs):
        if inputs.ndim not in (1, 2):
            raise ValueError(f"expected waveforms (n_samples,) or (n_clips, n_samples), got {tuple(inputs.shape)}")
        check_orientation(tuple(inputs.shape))
        items = [inputs] if inputs.ndim == 1 else list(inputs)
    elif isinstance(inputs, Mapping) or not isinstance(inputs, Iterable) or getattr(inputs, "ndim", 1) != 1:
        raise TypeError(not_audio(inputs))
    else:
        items = list(inputs)
    if not items:
        raise ValueError("expected at least one path, clip or waveform, got none")
    numbers = [isinstance(item, Real) for item in items]
    for item in items:
        check_no_content(item, _EXPECTED)
        if not _is_path(item) and not is_waveform(item):
            raise TypeError(not_audio(items if all(numbers) else item))
    waveforms = [is_waveform(item) for item in items]
    if any(waveforms) and not all(waveforms):
        other = items[waveforms.index(False)]
        raise ValueError(f"expected either paths or waveforms, got both, a {type(other).__name__} among waveforms")
    return items


def _is_path(item: object) -> bool:
    return isinstance(item, (str, bytes, os.PathLike, Clip))


def is_waveform(item: object) -> bool:
    """Whether an input is an array or a tensor of numbers, not of file names."""
    return isinstance(item, (np.ndarray, Tensor)) and not _is_text(item)


def _is_text(array: np.ndarray | Tensor) -> bool:
    """Whether an array holds file names."""
    return isinstance(array, np.ndarray) and array.dtype.kind in "OSTU"


def clips_of(items: list[PathLike | Clip], on_missing: OnMissing | None) -> list[Clip]:
    """Find the clips that paths name.

    Args:
        items: paths and clips.
        on_missing: what to do about a path that does not exist, see :func:`~byola_hear.extraction.clips.find_clips`.

    Returns:
        The clips in this order, as often as they were asked for.
    """
    clips: list[Clip] = []
    for item in items:
        clips += [item] if isinstance(item, Clip) else find_clips([item], on_missing=on_missing)
    return clips


def at_rate(waveforms: Sequence[Waveform], sample_rate: int | None, rate: int) -> Iterator[tuple[Clip, Tensor]]:
    """Convert waveforms one by one.

    Args:
        waveforms: each ``(n_samples,)`` of floating point.
        sample_rate: their sampling rate, Hz.
        rate: the model's, Hz.

    Yields:
        A clip named by the waveform's position, and ``(n_samples,)`` float32 at the model's rate.

    Raises:
        ValueError: if the rate is missing or no rate, or a waveform is something else.
    """
    if sample_rate is None:
        raise ValueError(f"waveforms need their sample_rate in Hz (the model's is {rate}), got none")
    if isinstance(sample_rate, bool) or not isinstance(sample_rate, (int, np.integer)) or sample_rate < 1:
        raise ValueError(f"sample_rate must be a positive integer, got {sample_rate!r}")
    for index, waveform in enumerate(waveforms):
        samples = _as_float32(waveform, index)
        if sample_rate != rate and len(samples):
            resampled = soxr.resample(samples.numpy(), sample_rate, rate, quality="HQ")
            # A sound shorter than one sample at the new rate is represented by its mean.
            samples = torch.from_numpy(resampled if len(resampled) else samples.numpy().mean(keepdims=True))
        yield Clip(str(index)), samples


def _as_float32(waveform: Waveform, index: int) -> Tensor:
    """A waveform of any precision, byte order, memory order and device as a float32 tensor on the CPU."""
    floating = waveform.dtype.is_floating_point if isinstance(waveform, Tensor) else waveform.dtype.kind == "f"
    if not floating:
        raise ValueError(
            f"expected waveform {index} as floating point in [-1, 1], got {waveform.dtype}; "
            "divide integers by their range first"
        )
    if waveform.ndim != 1:
        raise ValueError(f"expected waveform {index} of shape (n_samples,), got {tuple(waveform.shape)}")
    if isinstance(waveform, Tensor):
        return waveform.detach().cpu().float()
    if np.ma.is_masked(waveform):
        raise ValueError(f"expected waveform {index} without masked samples; fill or remove them first")
    with np.errstate(over="ignore"):  # infinite samples are refused later
        return torch.from_numpy(np.array(waveform, np.float32, order="C"))
