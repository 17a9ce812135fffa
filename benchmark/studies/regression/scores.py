"""Scores of predicted numbers: coefficient of determination, mean absolute error and octave errors, with intervals.

Intervals are from a bootstrap over groups, since clips of a speaker or note are not independent. For a difference of
two models, both are scored on the same draws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmark.comparison.intervals import finite_percentiles
from benchmark.studies.regression.nested import Predictions

#: Number of bootstrap samples.
N_DRAWS = 2000

#: Half an octave and half a semitone, in semitones.
HALF_OCTAVE, HALF_SEMITONE = 6.0, 0.5


@dataclass(frozen=True)
class Score:
    """A value with its 95 % interval; both ends are nan without an interval."""

    value: float
    low: float = float("nan")
    high: float = float("nan")


def draws_of_groups(groups: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw bootstrap samples of groups.

    Args:
        groups: ``(n_clips,)`` text.
        seed: seed of the draws.

    Returns:
        ``(N_DRAWS, n_groups)`` counts of the groups, and ``(n_clips,)`` the number of each clip's group.
    """
    names, codes = np.unique(groups, return_inverse=True)
    rng = np.random.default_rng(seed)
    return rng.multinomial(len(names), np.full(len(names), 1 / len(names)), N_DRAWS), codes


def _with_interval(values: np.ndarray, draws: np.ndarray) -> Score:
    """The mean over seeds of ``(n_seeds,)`` values, with its interval from ``(n_seeds, n_draws)`` draws."""
    return Score(float(values.mean()), *finite_percentiles(draws.mean(0)))


def scores_of(
    several: list[Predictions], target: np.ndarray, groups: np.ndarray, octaves: bool = False, seed: int = 0
) -> dict[str, Score]:
    """Score predictions.

    Args:
        several: predictions of the same clips, for example by several untrained networks; their scores are averaged.
        target: ``(n_clips,)``.
        groups: ``(n_clips,)`` text, the units of the bootstrap.
        octaves: whether target and predictions are semitones.
        seed: seed of the bootstrap.

    Returns:
        ``r2``: share of the squared error of guessing the training clips' mean that the predictions avoid (1 if
        perfect, 0 like that guess, below 0 if worse); ``mae``: mean absolute error, in the target's unit. For semitones
        also ``octave_errors``: share of predictions more than six semitones off, which are closer to another octave,
        and ``semitone_hits``: share of predictions within half a semitone.
    """
    drawn = _drawn(several, target, groups, octaves, seed)
    return {name: _with_interval(*each) for name, each in drawn.items()}


def r2_difference(
    first: list[Predictions], second: list[Predictions], target: np.ndarray, groups: np.ndarray, seed: int = 0
) -> Score:
    """The difference of two models' R²; arguments as of :func:`scores_of`."""
    one, other = (_drawn(each, target, groups, False, seed)["r2"] for each in (first, second))
    value, draws = (mine.mean(0, keepdims=True) - theirs.mean(0, keepdims=True) for mine, theirs in zip(one, other))
    return _with_interval(value, draws)


def _drawn(
    several: list[Predictions], target: np.ndarray, groups: np.ndarray, octaves: bool, seed: int
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For each score, ``(n_seeds,)`` values and ``(n_seeds, n_draws)`` values of bootstrap samples."""
    counts, codes = draws_of_groups(groups, seed)
    n_groups = counts.shape[1]

    def by_group(values: np.ndarray) -> np.ndarray:
        return np.bincount(codes, values, n_groups)

    sizes = counts @ by_group(np.ones(len(target)))
    values: dict[str, list[float]] = {}
    draws: dict[str, list[np.ndarray]] = {}

    def add(name: str, value: float, drawn: np.ndarray) -> None:
        values.setdefault(name, []).append(value)
        draws.setdefault(name, []).append(drawn)

    for predictions in several:
        error = predictions.predicted - target
        squares, guessed = error**2, (predictions.mean - target) ** 2
        drawn = 1 - counts @ by_group(squares) / np.maximum(counts @ by_group(guessed), 1e-300)
        add("r2", 1 - squares.sum() / max(guessed.sum(), 1e-300), drawn)
        shares = {"mae": np.abs(error)}
        if octaves:
            shares["octave_errors"] = (np.abs(error) > HALF_OCTAVE).astype(float)
            shares["semitone_hits"] = (np.abs(error) <= HALF_SEMITONE).astype(float)
        for name, share in shares.items():
            add(name, float(share.mean()), counts @ by_group(share) / sizes)
    return {name: (np.array(values[name]), np.array(draws[name])) for name in values}


def guessing(predictions: Predictions) -> Predictions:
    """The reference: every clip is predicted as the mean of its fold's training clips."""
    return Predictions(predictions.mean, predictions.mean, ())
