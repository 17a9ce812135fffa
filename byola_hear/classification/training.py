"""From labelled windows to a classifier that knows how good it is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from byola_hear.classification.classifier import UNCHECKED_THRESHOLD, Classifier, Method, Network, Operating
from byola_hear.classification.cross_validation import MAX_FOLDS, folds, held_out
from byola_hear.classification.examples import Examples
from byola_hear.classification.fitting import Linear, Regression, class_means
from byola_hear.classification.measures import Measured, measured
from byola_hear.models.checkpoint import listed

#: Examples that a regression needs of each class. If no class has as many, the cosine to the classes' means is taken.
MIN_EXAMPLES = 3
#: Threshold of the cosine's score. With one or two clips for each of 3, 10 and 50 classes of ESC-50 and 12 drums, the
#: mean F1 at this threshold was 0.01 to 0.17 below that at the best threshold of each case.
COSINE_THRESHOLD = 0.7


@dataclass(frozen=True, eq=False)
class Trained:
    """A classifier and what its scores on held-out recordings are worth.

    Attributes:
        classifier: the classifier, fitted to all examples.
        examples: what it was fitted to.
        scores: ``(n, n_classes)`` of the examples, each by a classifier that lacked its fold; NaN where there is none.
        measures: of each class; None if the class was not checked.
        n_folds: folds of the cross-validation; 0 if there was none.
        strength: of regularisation; None for the cosine, and for a layer that was trained with its network.
        notes: what a user should know, a line each.
    """

    classifier: Classifier
    examples: Examples
    scores: NDArray[np.float64]
    measures: tuple[Measured | None, ...]
    n_folds: int
    strength: float | None
    notes: tuple[str, ...]


def learn(
    examples: Examples,
    network: Network,
    hop: float | None = None,
    method: Method | Literal["auto"] = "auto",
    seed: int = 0,
    most_folds: int = MAX_FOLDS,
) -> Trained:
    """Fit a classifier.

    The strength of regularisation is the one with the highest mean average precision on held-out folds. Folds never
    split a recording or a group. The thresholds come from the scores of held-out folds, too.

    Args:
        examples: labelled windows.
        network: the network that embedded them.
        hop: time from one window to the next in recordings, s; None for half a window.
        method: ``"logistic"`` for a regression; ``"cosine"`` for the cosine to each class's mean; ``"auto"`` for a
            regression, unless no class has ``MIN_EXAMPLES`` examples.
        seed: of the folds and the bootstrap.
        most_folds: largest number of folds of the cross-validation.

    Returns:
        The classifier and its measures. The same examples and seed give the same.

    Raises:
        ValueError: if the examples cannot be told apart: a class has too few, there is nothing but one class, or they
            all sound the same.
    """
    chosen, notes = chosen_method(examples.truth, examples.classes, method)
    if examples.embeddings.std(0).max() <= 1e-6 * max(1.0, float(np.abs(examples.embeddings).max())):
        raise ValueError(
            f"all {len(examples)} examples have the same embedding: there is nothing to learn; are they silent?"
        )
    strength: float | None = None
    n_folds = 0
    centre: NDArray[np.float32] | None
    if chosen == "logistic":
        fold_of = folds(examples, seed, most_folds)
        n_folds = int(fold_of.max()) + 1 if fold_of.any() else 0
        scores, strength = held_out(examples, fold_of)
        linear = Regression(examples.embeddings, examples.truth).fit_one(strength)
        centre = None
    else:
        scores = np.full(examples.truth.shape, np.nan)
        weight, centre = class_means(examples.embeddings, examples.truth)
        limit = np.full(len(centre), np.finfo(np.float32).max, np.float32)
        linear = Linear(weight, np.zeros(len(weight), np.float32), -limit, limit)
    return assembled(examples, network, hop, chosen, linear, scores, n_folds, strength, seed, notes, centre)


def assembled(
    examples: Examples,
    network: Network,
    hop: float | None,
    method: Method,
    linear: Linear,
    scores: NDArray[np.float64],
    n_folds: int,
    strength: float | None,
    seed: int,
    notes: Sequence[str] = (),
    centre: NDArray[np.float32] | None = None,
) -> Trained:
    """Put a classifier together, and measure it by its scores on held-out recordings.

    Args:
        examples: what it was fitted to.
        network: the network that embeds.
        hop: time from one window to the next in recordings, s; None for half a window.
        method: what the linear map is.
        linear: the map.
        scores: ``(n, n_classes)`` of held-out examples; NaN where there is none.
        n_folds: folds of the cross-validation; 0 if there was none.
        strength: of regularisation; None if there is none.
        seed: of the bootstrap.
        notes: what there is to say about it, a line each.
        centre: ``(size,)``, for the cosine.

    Returns:
        The classifier, its thresholds and measures.
    """
    notes = list(notes)
    measures: list[Measured | None] = []
    operating = []
    for index in range(len(examples.classes)):
        rows, truth = ~np.isnan(scores[:, index]), examples.truth[:, index]
        checked = method == "logistic" and truth[rows].any() and not truth[rows].all()
        values = measured(scores[rows, index], truth[rows], examples.group[rows], seed) if checked else None
        measures.append(values)
        if values is not None:
            operating.append(values.operating)
        else:
            operating.append(Operating(COSINE_THRESHOLD if method == "cosine" else UNCHECKED_THRESHOLD))
    unchecked = [name for name, values in zip(examples.classes, measures, strict=True) if values is None]
    if unchecked and method == "logistic":
        notes.append(
            f"not checked, as it takes labels from two recordings or groups: {listed(unchecked)}; "
            f"the threshold is {UNCHECKED_THRESHOLD:g}"
        )
    if (examples.end - examples.start).max() < examples.window * 0.99:
        notes.append(
            f"all recordings are shorter than the window of {examples.window:g} s; whole recordings are taken, and "
            "what is as long as the window may score differently"
        )
    classifier = Classifier(
        examples.classes,
        linear.weight,
        linear.bias,
        np.zeros_like(linear.low) if centre is None else centre,
        linear.low,
        linear.high,
        tuple(operating),
        method,
        examples.window,
        examples.window / 2 if hop is None else hop,
        network,
        _about(examples, measures, n_folds, strength, seed),
    )
    return Trained(classifier, examples, scores, tuple(measures), n_folds, strength, tuple(notes))


def chosen_method(
    truth: NDArray[np.bool_], names: Sequence[str], method: Method | Literal["auto"]
) -> tuple[Method, list[str]]:
    """Choose the method, and check it against the numbers of examples.

    Args:
        truth: ``(n, n_classes)``, which classes are in which example.
        names: of the classes.
        method: as in :func:`learn`.

    Returns:
        The method, and what there is to say about it.

    Raises:
        ValueError: if there is no such method, or it can't learn from so few examples.
    """
    counts = truth.sum(0)
    if (counts == len(truth)).any():
        everywhere = names[int(counts.argmax())]
        raise ValueError(
            f"expected something to tell {everywhere!r} from: another class, or examples called background; all "
            f"{len(truth)} examples are of {everywhere!r} (--unlabelled takes the rest of labelled recordings)"
        )
    if (counts == 0).any():
        absent = [name for name, count in zip(names, counts, strict=True) if not count]
        raise ValueError(f"expected examples of each class, got none of {listed(absent)} that could be embedded")
    few = [f"{name} ({count})" for name, count in zip(names, counts, strict=True) if count < MIN_EXAMPLES]
    if method == "auto":
        method = "cosine" if len(few) == len(names) else "logistic"
        if method == "cosine":
            return method, [
                f"with fewer than {MIN_EXAMPLES} examples of each class, scores are cosines to their means, and "
                f"the threshold is a guess, {COSINE_THRESHOLD:g}"
            ]
    if method == "logistic" and few:
        raise ValueError(
            f"expected at least {MIN_EXAMPLES} examples of each class, got fewer of {listed(few)}; "
            "add examples, leave the class out, or choose the method 'cosine', which takes the mean of each class"
        )
    if method not in ("logistic", "cosine"):
        raise ValueError(f"method must be 'auto', 'logistic' or 'cosine', got {method!r}")
    notes = [f"the threshold of cosines is a guess, {COSINE_THRESHOLD:g}"] if method == "cosine" else []
    return method, notes


def _about(
    examples: Examples, measures: Iterable[Measured | None], n_folds: int, strength: float | None, seed: int
) -> dict[str, Any]:
    """How a classifier was trained, as JSON values."""
    checked = [None if each is None else _numbers(each) for each in measures]
    return {
        "examples": len(examples),
        "recordings": len(set(examples.file)),
        "groups": len(np.unique(examples.group)),
        "negatives": int((~examples.truth.any(1)).sum()),
        "folds": n_folds,
        "strength": strength,
        "seed": seed,
        "examples_of": {name: int(count) for name, count in zip(examples.classes, examples.truth.sum(0), strict=True)},
        "measures_of": dict(zip(examples.classes, checked, strict=True)),
    }


def _numbers(values: Measured) -> dict[str, float]:
    numbers = {
        "average_precision": values.average_precision,
        "low": values.interval[0],
        "high": values.interval[1],
        "precision": values.precision,
        "recall": values.recall,
        "f1": values.f1,
    }
    return {name: round(number, 4) for name, number in numbers.items() if math.isfinite(number)}
