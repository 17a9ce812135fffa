"""Positions of segments in a file, and draws of clips. All randomness comes from the generator in the arguments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def spread(
    lengths: Sequence[int], n_samples: int, least_gap: int, random: np.random.Generator, edge: int = 0
) -> list[int]:
    """Place segments one after the other, in the order given, at random distances.

    Args:
        lengths: number of samples of each segment.
        n_samples: length of the file, samples.
        least_gap: least distance of two segments, samples.
        random: generator of the positions.
        edge: least distance from the file's start and end, samples.

    Returns:
        First sample of each segment.

    Raises:
        ValueError: if there is not enough room.
    """
    slack = n_samples - sum(lengths) - least_gap * max(0, len(lengths) - 1) - 2 * edge
    if slack < 0:
        raise ValueError(f"expected room for segments of {list(lengths)} samples in {n_samples}, {-slack} are missing")
    extra = np.sort(random.integers(0, slack + 1, len(lengths)))
    before = [sum(lengths[:number]) + number * least_gap for number in range(len(lengths))]
    return [int(edge + extra[number] + before[number]) for number in range(len(lengths))]


def scatter(
    lengths: Sequence[int],
    labels: Sequence[str],
    n_samples: int,
    polyphony: int,
    least_gap: int,
    random: np.random.Generator,
) -> list[int]:
    """Place segments at random positions where they may overlap.

    Args:
        lengths: number of samples of each segment.
        labels: label of each segment.
        n_samples: length of the file, samples.
        polyphony: greatest number of segments at once.
        least_gap: least distance of two segments of one label, samples.
        random: generator of the positions.

    Returns:
        First sample of each segment.

    Raises:
        ValueError: if no arrangement was found.
    """
    if max(lengths, default=0) <= n_samples:
        for _ in range(100):
            placed = _scattered_once(lengths, labels, n_samples, polyphony, least_gap, random)
            if placed is not None:
                return placed
    raise ValueError(
        f"expected room for segments of {list(lengths)} samples in {n_samples}, {polyphony} at once, found none"
    )


def _scattered_once(
    lengths: Sequence[int],
    labels: Sequence[str],
    n_samples: int,
    polyphony: int,
    least_gap: int,
    random: np.random.Generator,
) -> list[int] | None:
    """Try once to place each segment in turn; None if one finds no room."""
    placed: list[tuple[int, int, str]] = []
    for length, label in zip(lengths, labels, strict=True):
        for start in random.integers(n_samples - length + 1, size=100).tolist():
            if _fits((start, start + length, label), placed, polyphony, least_gap):
                placed.append((start, start + length, label))
                break
        else:
            return None
    return [start for start, _, _ in placed]


def _fits(new: tuple[int, int, str], placed: list[tuple[int, int, str]], polyphony: int, least_gap: int) -> bool:
    start, end, label = new
    if any(name == label and start < b + least_gap and a < end + least_gap for a, b, name in placed):
        return False
    # The number of segments at once is greatest where one of them begins.
    moments = [start, *(a for a, _, _ in placed if start < a < end)]
    return all(sum(a <= moment < b for a, b, _ in placed) < polyphony for moment in moments)


def deck(n_cards: int, n_drawn: int, random: np.random.Generator) -> list[int]:
    """Draw cards without replacement, from a new shuffled deck whenever one is used up.

    Returns:
        ``n_drawn`` numbers below ``n_cards``; how often two of them occur differs by at most one.
    """
    drawn: list[int] = []
    while len(drawn) < n_drawn:
        drawn += random.permutation(n_cards).tolist()
    return drawn[:n_drawn]
