"""Random crops of a log-mel cache. One gather draws a whole batch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from byola_hear.models.frontend import LOG_OFFSET
from byola_hear.pretraining.data.cache import LogMelCache


def row_weights(lengths: Tensor, crop_frames: int, factors: Tensor | None = None) -> Tensor:
    """Compute how often each row is drawn: in proportion to its length, but at least to that of a crop.

    Args:
        lengths: ``(n_rows,)`` length of each row, in frames.
        crop_frames: length of a crop, in frames.
        factors: ``(n_rows,)`` factors from :func:`kind_factors`. None draws all kinds alike.

    Returns:
        ``(n_rows,)`` float64 cumulative weights, ending at 1.
    """
    weights = lengths.clamp(min=crop_frames).double()
    weights = (weights if factors is None else weights * factors).cumsum(0)
    return weights / weights[-1]


def kind_factors(kinds: Sequence[str], lengths: Tensor, weights: Mapping[str, float]) -> Tensor:
    """Compute factors that make some kinds of sound more frequent among the crops, and others less.

    Speech keeps its share of all crops. The other kinds are drawn in proportion to their hours times their weight, so
    one rule holds for a set of non-speech and for a set of both.

    Args:
        kinds: kind of each row.
        lengths: ``(n_rows,)`` length of each row, in frames.
        weights: weight of each kind; 1 for a kind that is not named.

    Returns:
        ``(n_rows,)`` float64 factors.

    Raises:
        ValueError: if a named kind is not in the set, or nothing but speech and kinds of weight 0 is.

    Example:
        >>> kind_factors(["speech", "effects", "music"], torch.tensor([200, 100, 100]), {"effects": 3.0})
        tensor([1.0000, 1.5000, 0.5000], dtype=torch.float64)
    """
    if unknown := sorted(set(weights) - set(kinds) | {"speech"} & set(weights)):
        known = ", ".join(sorted(set(kinds) - {"", "speech"}))
        raise ValueError(f"expected weights of kinds of the set other than speech ({known}), got {', '.join(unknown)}")
    factors = torch.tensor([weights.get(kind, 1.0) for kind in kinds], dtype=torch.float64, device=lengths.device)
    other = torch.tensor([kind != "speech" for kind in kinds], device=lengths.device)
    before, after = lengths[other].double().sum(), (lengths * factors)[other].sum()
    if not after > 0:
        raise ValueError("expected a kind other than speech with a weight above 0, got none")
    return torch.where(other, factors * before / after, factors)


def draw_rows(weights: Tensor, n_rows: int, generator: torch.Generator) -> Tensor:
    """Draw rows at random, with replacement.

    Args:
        weights: cumulative weights from :func:`row_weights`.
        n_rows: number of rows.
        generator: source of randomness, on the CPU.

    Returns:
        ``(n_rows,)`` int64, on the device of the weights.
    """
    position = torch.rand(n_rows, generator=generator, dtype=torch.float64).to(weights.device)
    return torch.searchsorted(weights, position).clamp(max=len(weights) - 1)


def crops_of_rows(
    cache: LogMelCache, row: Tensor, crop_frames: int, generator: torch.Generator, candidates: int = 1
) -> Tensor:
    """Cut a crop out of each row, at a random place.

    Args:
        cache: cache to draw from.
        row: ``(n_crops,)`` rows, on the cache's device.
        crop_frames: length of a crop, in frames.
        generator: source of randomness, on the CPU.
        candidates: number of places that are drawn for each crop. The one with the largest mean level is taken.

    Returns:
        ``(n_crops, 1, n_mels, crop_frames)`` float32 log-mel on the cache's device. A row shorter than a crop is placed
        at random in silence.
    """
    first = _first_frames(cache, row, crop_frames, generator)
    if candidates > 1:
        places = torch.stack(
            [first] + [_first_frames(cache, row, crop_frames, generator) for _ in range(candidates - 1)]
        )
        first = places.gather(0, _levels(cache, row, places, crop_frames).argmax(dim=0, keepdim=True))[0]
    return crops_at(cache, row, first, crop_frames)


def crops_at(cache: LogMelCache, row: Tensor, first: Tensor, crop_frames: int) -> Tensor:
    """Cut a crop out of each row, at a given place.

    Args:
        cache: cache to take them from.
        row: ``(n_crops,)`` rows, on the cache's device.
        first: ``(n_crops,)`` first frame of each crop, counted from the row's beginning; may be negative.
        crop_frames: length of a crop, in frames.

    Returns:
        ``(n_crops, 1, n_mels, crop_frames)`` float32 log-mel on the cache's device, with silence outside of the rows.
    """
    return _gathered(cache, row, first, torch.arange(crop_frames, device=row.device)).transpose(1, 2)[:, None]


def _first_frames(cache: LogMelCache, row: Tensor, crop_frames: int, generator: torch.Generator) -> Tensor:
    """Draw the first frame of a crop of each row, counted from the row's beginning."""
    offset = torch.rand(len(row), generator=generator, dtype=torch.float64).to(row.device)
    slack = cache.lengths[row] - crop_frames
    # Negative for a row that is shorter than the crop, and so begins inside it.
    return torch.where(slack >= 0, (offset * (slack + 1)).floor(), -(offset * (1 - slack)).floor()).long()


def _levels(cache: LogMelCache, row: Tensor, places: Tensor, crop_frames: int) -> Tensor:
    """The mean log-mel of crops, from every eighth frame: ``(n_places, n_crops)``."""
    frames = torch.arange(4, max(crop_frames, 5), 8, device=row.device)
    n_places, n_crops = places.shape
    values = _gathered(cache, row.repeat(n_places), places.flatten(), frames)
    return values.mean(dim=(1, 2)).view(n_places, n_crops)


def _gathered(cache: LogMelCache, row: Tensor, first: Tensor, frames: Tensor) -> Tensor:
    """Frames of rows, counted from ``first``, with silence outside of the rows: ``(n_rows, n_frames, n_mels)``."""
    frame = first[:, None] + frames
    inside = (frame >= 0) & (frame < cache.lengths[row][:, None])
    index = (cache.starts[row][:, None] + frame).clamp(0, len(cache.frames) - 1)
    values = cache.frames[index.flatten()].float().reshape(len(row), len(frames), -1)
    return torch.where(inside[:, :, None], values, math.log(LOG_OFFSET))


def draw_crops(
    cache: LogMelCache, weights: Tensor, n_crops: int, crop_frames: int, generator: torch.Generator
) -> Tensor:
    """Draw random crops of random rows.

    Args:
        cache: cache to draw from.
        weights: weights from :func:`row_weights`.
        n_crops: number of crops.
        crop_frames: length of a crop, in frames.
        generator: source of randomness, on the CPU.

    Returns:
        ``(n_crops, 1, n_mels, crop_frames)`` float32 log-mel on the cache's device. A row shorter than a crop is placed
        at random in silence.
    """
    return crops_of_rows(cache, draw_rows(weights, n_crops, generator), crop_frames, generator)


def crop_statistics(cache: LogMelCache, n_crops: int, crop_frames: int, seed: int) -> tuple[float, float]:
    """Compute the mean and standard deviation of the log-mel values of random crops.

    Args:
        cache: cache to draw from.
        n_crops: number of crops.
        crop_frames: length of a crop, in frames.
        seed: seed of the draw.

    Returns:
        Mean and standard deviation over all bands together, as in BYOL-A.
    """
    generator = torch.Generator().manual_seed(seed)
    weights = row_weights(cache.lengths, crop_frames)
    total = squares = torch.zeros((), dtype=torch.float64)
    count = 0
    for done in range(0, n_crops, 500):
        crops = draw_crops(cache, weights, min(500, n_crops - done), crop_frames, generator).double()
        total, squares, count = total + crops.sum(), squares + crops.square().sum(), count + crops.numel()
    mean = total / count
    return float(mean), float((squares / count - mean.square()).clamp(min=1e-12).sqrt())
