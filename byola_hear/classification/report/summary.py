"""The contents of a report: measures of the classes, what was confused with what, windows to listen to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from byola_hear.classification.training import Trained

#: The name of no class, in the confusion.
NOTHING = "(none)"
#: Windows to listen to, at most.
MAX_MISTAKES = 100


@dataclass(frozen=True)
class Line:
    """Measures of one class; None where it was not checked.

    Attributes:
        label: the class.
        examples: windows of it.
        recordings: recordings, or groups, that they are from.
        threshold: of the best F1.
        precision: at this threshold.
        recall: at this threshold.
        f1: at this threshold.
        average_precision: over all thresholds.
        interval: 95 % confidence interval of the average precision.
        wished: the threshold that reaches the wished precision; None if none does.
    """

    label: str
    examples: int
    recordings: int
    threshold: float
    precision: float | None
    recall: float | None
    f1: float | None
    average_precision: float | None
    interval: tuple[float, float] | None
    wished: float | None


@dataclass(frozen=True)
class Mistake:
    """A window that the classifier, without its fold, got wrong.

    Attributes:
        file: the recording.
        start: s.
        end: s.
        truth: the classes in it.
        found: the class that was wrongly found, or wrongly missed.
        missed: whether it was missed.
        score: of this class.
    """

    file: str
    start: float
    end: float
    truth: tuple[str, ...]
    found: str
    missed: bool
    score: float


def lines(trained: Trained, precision: float) -> list[Line]:
    """The measures of each class.

    Args:
        trained: the classifier.
        precision: the wished precision.
    """
    examples = trained.examples
    result = []
    for index, (label, values) in enumerate(zip(examples.classes, trained.measures, strict=True)):
        rows = examples.truth[:, index]
        operating = trained.classifier.operating[index]
        wished = operating.of_precision(precision)
        result.append(
            Line(
                label,
                int(rows.sum()),
                len(np.unique(examples.group[rows])),
                operating.best_f1,
                None if values is None else values.precision,
                None if values is None else values.recall,
                None if values is None else values.f1,
                None if values is None else values.average_precision,
                None if values is None else values.interval,
                wished if np.isfinite(wished) else None,
            )
        )
    return result


def mean(values: list[float | None]) -> float | None:
    """The mean of the values that there are; None if there is none."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def confusion(trained: Trained) -> tuple[list[str], NDArray[np.intp]]:
    """What was found where.

    Windows with several classes are left out, and those whose class has no score, as no other recording has it. Of a
    window with several scores over their thresholds, the one that is highest above its own counts.

    Returns:
        The names of the classes and :data:`NOTHING`, and how often ``[true, found]``.
    """
    truth = trained.examples.truth
    n_classes = truth.shape[1]
    thresholds = trained.classifier.thresholds("best-f1")
    unknown = np.isnan(trained.scores)
    rows = (truth.sum(1) <= 1) & ~(unknown & truth).any(1) & ~unknown.all(1)
    margins = np.where(unknown, -np.inf, trained.scores - thresholds)[rows]
    found = np.where((margins >= 0).any(1), margins.argmax(1), n_classes)
    actual = np.where(truth[rows].any(1), truth[rows].argmax(1), n_classes)
    counts = np.zeros((n_classes + 1, n_classes + 1), np.intp)
    np.add.at(counts, (actual, found), 1)
    return [*trained.examples.classes, NOTHING], counts


def confused(trained: Trained, most: int = 5) -> list[tuple[str, str, int]]:
    """What was taken for what most often: the true class, the found one, and how often."""
    names, counts = confusion(trained)
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    places = [divmod(int(place), len(names)) for place in order]
    return [(names[true], names[found], int(wrong[true, found])) for true, found in places if wrong[true, found]]


def mistakes(trained: Trained) -> list[Mistake]:
    """The windows that are furthest on the wrong side of a threshold: wrong labels are among them."""
    examples, scores = trained.examples, trained.scores
    margins = scores - trained.classifier.thresholds("best-f1")
    wrong = np.where(np.isnan(margins), 0.0, np.where(examples.truth, -margins, margins + 1e-12))
    order = np.argsort(-wrong, axis=None, kind="stable")[:MAX_MISTAKES]
    result = []
    for place in order.tolist():
        row, index = divmod(place, len(examples.classes))
        if wrong[row, index] <= 0:
            break
        truth = tuple(name for name, there in zip(examples.classes, examples.truth[row], strict=True) if there)
        missed = bool(examples.truth[row, index])
        result.append(
            Mistake(
                str(examples.file[row]),
                float(examples.start[row]),
                float(examples.end[row]),
                truth,
                examples.classes[index],
                missed,
                float(scores[row, index]),
            )
        )
    return result
