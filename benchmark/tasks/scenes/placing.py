"""Where stretches of sound lie in a file, and which clips are drawn for it. What is random comes from the generator
that is given."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def spread(
    lengths: Sequence[int], n_samples: int, least_gap: int, random: np.random.Generator, edge: int = 0
) -> list[int]:
    """First samples of stretches that follow each other in the order given, at random distances.

    Args:
        lengths: samples of each stretch.
        n_samples: what they are to lie in.
        least_gap: samples between two of them at least.
        random: where their places come from.
        edge: samples before the first and after the last at least.

    Raises:
        ValueError: if there is no room for them.
    """
    slack = n_samples - sum(lengths) - least_gap * max(0, len(lengths) - 1) - 2 * edge
    if slack < 0:
        raise ValueError(f"expected room for stretches of {list(lengths)} samples in {n_samples}, {-slack} are lacking")
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
    """First samples of stretches that may overlap, anywhere in ``n_samples``.

    Args:
        lengths: samples of each stretch.
        labels: what each is.
        n_samples: what they are to lie in.
        polyphony: how many may sound at once.
        least_gap: samples at least between two of the same label.
        random: where their places come from.

    Raises:
        ValueError: if no arrangement was found.
    """
    if max(lengths, default=0) <= n_samples:
        for _ in range(100):
            placed = _scattered_once(lengths, labels, n_samples, polyphony, least_gap, random)
            if placed is not None:
                return placed
    raise ValueError(
        f"expected room for stretches of {list(lengths)} samples in {n_samples} and {polyphony} at once, found none"
    )


def _scattered_once(
    lengths: Sequence[int],
    labels: Sequence[str],
    n_samples: int,
    polyphony: int,
    least_gap: int,
    random: np.random.Generator,
) -> list[int] | None:
    """One try: each stretch in turn where there is room for it; None if it isn't found."""
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
    # Most sound at once where one of them begins.
    moments = [start, *(a for a, _, _ in placed if start < a < end)]
    return all(sum(a <= moment < b for a, b, _ in placed) < polyphony for moment in moments)


def deck(n_cards: int, n_drawn: int, random: np.random.Generator) -> list[int]:
    """Cards drawn without putting them back, from a new shuffled deck whenever one is used up.

    Returns:
        ``n_drawn`` numbers below ``n_cards``, each as often as any other, give or take one.
    """
    drawn: list[int] = []
    while len(drawn) < n_drawn:
        drawn += random.permutation(n_cards).tolist()
    return drawn[:n_drawn]
