"""Folds of labelled windows, what regressions make of held-out ones, and the strength of regularisation."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from byola_hear.classification.classifier import logistic
from byola_hear.classification.examples import Examples
from byola_hear.classification.fitting import STRENGTHS, Regression, logits
from byola_hear.classification.measures import average_precisions
from byola_hear.classification.scikit_learn import StratifiedGroupKFold

#: Folds of the cross-validation at most.
MAX_FOLDS = 5
#: Strength of regularisation where there are too few recordings to choose one.
DEFAULT_STRENGTH = 1.0


def folds(examples: Examples, seed: int, most: int = MAX_FOLDS) -> NDArray[np.intp]:
    """Divide examples into folds that split no recording or group.

    Args:
        examples: labelled windows.
        seed: of the division.
        most: number of folds at most, at least 2.

    Returns:
        ``(n,)`` number of each example's fold; all zero if there are too few groups to hold some out.
    """
    groups = examples.group
    per_class = [len(np.unique(groups[column])) for column in examples.truth.T]
    possible = [count for count in per_class if count >= 2]
    fold_of = np.zeros(len(examples), np.intp)
    if not possible:
        return fold_of
    # An example of several classes counts as one of the rarest.
    rare = np.where(examples.truth, examples.truth.sum(0), np.iinfo(np.int64).max).argmin(1)
    code = np.where(examples.truth.any(1), rare, -1)
    # scikit-learn refuses more folds than the most frequent code has examples.
    most_frequent = int(np.unique(code, return_counts=True)[1].max())
    n_folds = min(most, *possible, most_frequent)
    if n_folds < 2:
        return fold_of
    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    with np.errstate(all="ignore"):
        for number, (_, rows) in enumerate(_quietly(splitter, code, groups)):
            fold_of[rows] = number
    return fold_of


def _quietly(
    splitter: StratifiedGroupKFold, code: NDArray[np.intp], groups: NDArray[np.intp]
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    with warnings.catch_warnings():
        # That a class has fewer members than there are folds is said in our own words.
        warnings.simplefilter("ignore", UserWarning)
        return list(splitter.split(code, code, groups))


def held_out(examples: Examples, fold_of: NDArray[np.intp]) -> tuple[NDArray[np.float64], float]:
    """Score each example by regressions that were fitted without its fold, and choose the strength that does best.

    Args:
        examples: labelled windows.
        fold_of: ``(n,)`` number of each example's fold, from :func:`folds`.

    Returns:
        Scores ``(n, n_classes)``, NaN where there is none, and the strength of regularisation:
        :data:`DEFAULT_STRENGTH` if there is nothing to choose by.
    """
    values = np.full((len(STRENGTHS), *examples.truth.shape), np.nan)
    for fold in range(int(fold_of.max()) + 1 if fold_of.any() else 0):
        rows = fold_of == fold
        maps = Regression(examples.embeddings[~rows], examples.truth[~rows]).fit(STRENGTHS)
        for place, linear in enumerate(maps):
            values[place, rows] = logits(linear, examples.embeddings[rows])
    best = _best(values, examples.truth)
    if best is None:
        return values[0], DEFAULT_STRENGTH
    return logistic(values[best].astype(np.float32)).astype(np.float64), STRENGTHS[best]


def _best(values: NDArray[np.float64], truth: NDArray[np.bool_]) -> int | None:
    """The place of the strength whose logits ``(n_strengths, n, n_classes)`` find the classes best.

    That is the one with the highest mean average precision, which the report states, too. The log loss, by which
    strengths are often chosen, takes much stronger regularisation where there are few examples, and finds less. Of
    strengths that rank the examples alike, the one with the least log loss is taken.
    """
    known = ~np.isnan(values[0])
    checked = [index for index in range(truth.shape[1]) if truth[known[:, index], index].any()]
    if not checked:
        return None
    merits = []
    for logit in values:
        precisions, losses = [], []
        for index in checked:
            rows = known[:, index]
            scores, there = logit[rows, index], truth[rows, index]
            precisions.append(float(average_precisions(scores, there)[0]))
            losses.append(float(np.logaddexp(0, np.where(there, -scores, scores)).mean()))
        merits.append((round(float(np.mean(precisions)), 9), -float(np.mean(losses))))
    return max(range(len(merits)), key=merits.__getitem__)
