"""How long to train, and whether that beat the frozen embeddings: both decided by windows that were held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from byola_hear.classification.measures import CONFIDENCE, average_precisions, drawn_groups

#: Draws of the bootstrap of a difference.
N_DRAWS = 1000


def chosen_epochs(errors: Sequence[Sequence[float]], sizes: Sequence[int]) -> tuple[list[int], int]:
    """Choose the number of epochs.

    The epochs of a fold are chosen by the other folds, so that its own scores are not those that suit it best. A fold
    whose training stopped early keeps its last error.

    Args:
        errors: of each fold, after each epoch from 0 on.
        sizes: number of held-out windows of each fold.

    Returns:
        For each fold the epoch that the others choose, and the one that all choose.

    Example:
        >>> chosen_epochs([[3.0, 1.0, 2.0], [3.0, 2.0, 1.0]], [10, 10])
        ([2, 1], 1)
    """
    n_epochs = max(map(len, errors))
    table = np.array([[*each, *([each[-1]] * (n_epochs - len(each)))] for each in errors])
    weighted = table * np.asarray(sizes, np.float64)[:, None]
    total = weighted.sum(0)
    return [int((total - each).argmin()) for each in weighted], int(total.argmin())


@dataclass(frozen=True)
class Comparison:
    """Fine-tuned against frozen, on the same held-out windows.

    Attributes:
        frozen: mean over the classes of the average precision of the frozen embeddings.
        tuned: the same of the fine-tuned network.
        low: lower end of the 95 % confidence interval of the difference.
        high: upper end.
        n_folds: folds that were held out.
    """

    frozen: float
    tuned: float
    low: float
    high: float
    n_folds: int

    @property
    def better(self) -> bool:
        """Whether fine-tuning beat the frozen embeddings by more than chance."""
        return self.low > 0

    def line(self) -> str:
        """The comparison in one line."""
        if self.better:
            verdict = "fine-tuning beat the frozen network"
        elif self.high < 0:
            verdict = "fine-tuning made it worse, so the frozen network is kept"
        else:
            verdict = "fine-tuning did not beat the frozen network, which is kept"
        return (
            f"{verdict}: mean average precision {self.tuned:.3f} against {self.frozen:.3f} on the same "
            f"{self.n_folds} held-out folds, difference {self.tuned - self.frozen:+.3f} "
            f"(95 % interval {self.low:+.3f} to {self.high:+.3f})"
        )


def compared(
    frozen: NDArray[np.float64],
    tuned: NDArray[np.float64],
    truth: NDArray[np.bool_],
    groups: NDArray[np.intp],
    n_folds: int,
    seed: int = 0,
) -> Comparison:
    """Compare scores of the same windows, by drawing groups with replacement.

    Args:
        frozen: ``(n, n_classes)``; NaN where there is none.
        tuned: ``(n, n_classes)``.
        truth: ``(n, n_classes)``.
        groups: ``(n,)`` number of each window's recording or group.
        n_folds: folds that were held out.
        seed: of the draws.

    Returns:
        The comparison.

    Raises:
        ValueError: if no class has scores of windows with it and without it.
    """
    whole, drawn = [], []
    for index in range(truth.shape[1]):
        rows = ~(np.isnan(frozen[:, index]) | np.isnan(tuned[:, index]))
        wanted = truth[rows, index]
        if not wanted.any() or wanted.all():
            continue
        pair = [each[rows, index] for each in (frozen, tuned)]
        whole.append([average_precisions(scores, wanted)[0] for scores in pair])
        # The same draws for both, and for all classes.
        parts = [
            [average_precisions(scores, wanted, weights[:, rows]) for scores in pair]
            for weights in drawn_groups(groups, N_DRAWS, seed)
        ]
        drawn.append(np.concatenate(parts, axis=1))
    if not whole:
        raise ValueError("expected a class with recordings in two folds, got none")
    differences = np.array([tuned - frozen for frozen, tuned in drawn])
    # With few groups, a draw may lack every class, or have nothing else. It says nothing.
    differences = np.nanmean(differences[:, ~np.isnan(differences).all(0)], axis=0)
    low, high = np.quantile(differences, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    before, after = np.mean(whole, axis=0)
    return Comparison(float(before), float(after), float(low), float(high), n_folds)
