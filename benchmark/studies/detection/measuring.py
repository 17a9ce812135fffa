"""From labelled recordings to detections in others, with the functions of ``byola-hear learn`` and ``predict``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmark.studies.detection.composition import BLOCK, Composed, kinds
from benchmark.studies.detection.scoring import MEASURES, Heard, heard, measures
from benchmark.studies.detection.windows import Embedder
from byola_hear.classification.classifier import Classifier
from byola_hear.classification.detections import Rule, Track, detections
from byola_hear.classification.examples import from_table
from byola_hear.classification.labelled import Labels
from byola_hear.classification.training import learn

#: Raise it when a change to how classifiers learn or are scored changes a number: cached results are then out of date.
MEASUREMENT_VERSION = 2

#: Numbers of labels of each class.
COUNTS = (5, 20, 100)
#: Draws of the bootstrap.
RESAMPLES = 200


@dataclass(frozen=True)
class Draw:
    """Labelled recordings to learn from.

    Attributes:
        count: how many.
        number: number of the draw.
        rows: ``(count,)`` their positions.
    """

    count: int
    number: int
    rows: np.ndarray


def draws_of(n_recordings: int, most: int) -> list[Draw]:
    """Draws of labelled recordings: from the blocks in turn; all recordings are one draw.

    Args:
        n_recordings: number of labelled recordings.
        most: largest number of draws of a count.
    """
    found = []
    for count in COUNTS:
        if count > n_recordings:
            continue
        starts = range(0, n_recordings - count + 1, max(BLOCK, count) if count >= BLOCK else BLOCK)
        found += [Draw(count, number, np.arange(start, start + count)) for number, start in enumerate(starts)][:most]
    return found


def labels_of(composed: Composed, draw: Draw) -> pd.DataFrame:
    """The labels of the recordings of a draw."""
    files = composed.recordings.manifest["file"].to_numpy(str)[draw.rows]
    return composed.events[composed.events["file"].isin(files)].reset_index(drop=True)


def window_of(composed: Composed) -> float:
    """The window that `byola-hear learn` takes for the labels: their median length, s."""
    return Labels(composed.events).window()


def classifiers_of(
    embedder: Embedder, composed: Composed, draws: Sequence[Draw], window: float, step: Callable[[], object]
) -> list[Classifier]:
    """Learn from each draw: events are labelled, and what no label touches is a negative."""
    table = embedder.table(composed.recordings, window, window / 2)
    files = table.index.get_level_values("file")
    found = []
    for draw in draws:
        labels = Labels(labels_of(composed, draw))
        examples = from_table(labels, table[files.isin(list(labels.of_file))], unlabelled=True)
        found.append(learn(examples, embedder.network(), window / 2).classifier)
        step()
    return found


def measured(
    embedder: Embedder,
    parts: tuple[Composed, Composed],
    draws: Sequence[Draw],
    window: float,
    hop: float,
    step: Callable[[], object] = lambda: None,
) -> list[dict[str, Any]]:
    """Learn from each draw and score the detections in the test recordings.

    Args:
        embedder: what embeds windows.
        parts: the labelled recordings and those to test on.
        draws: which labelled recordings to learn from.
        window: length of a window, s.
        hop: time from one window to the next in test recordings, s.
        step: called after each draw and each test recording.

    Returns:
        For each draw: ``count``, ``draw``, ``classes`` (a list of measures by name), and ``resampled``: the means over
        the classes of each kind, ``RESAMPLES`` values of each measure, with test recordings drawn with replacement.
    """
    labelled, test = parts
    classifiers = classifiers_of(embedder, labelled, draws, window, step)
    results: list[list[Heard]] = [[] for _ in classifiers]
    for file, windows in embedder.each(test.recordings, window, hop):
        events = test.events[test.events["file"] == file]
        for classifier, found in zip(classifiers, results, strict=True):
            track = Track(file, windows.start, windows.end, classifier.scores(windows.embeddings))
            rule = Rule(classifier.thresholds("best-f1"))
            seconds = float(windows.end.max())
            found.append(heard(events, detections(track, classifier.classes, rule), track, classifier.classes, seconds))
        step()
    n_test = len(test.recordings)
    random = np.random.default_rng(0)
    resampled = random.multinomial(n_test, np.full(n_test, 1 / n_test), RESAMPLES)
    return [
        {
            "count": draw.count,
            "draw": draw.number,
            **_summary(measures(found, np.ones((1, n_test))), measures(found, resampled), classifier.classes),
        }
        for draw, classifier, found in zip(draws, classifiers, results, strict=True)
    ]


def _summary(values: np.ndarray, resampled: np.ndarray, classes: Sequence[str]) -> dict[str, Any]:
    """The measures of a classifier as JSON values."""
    kind = np.array([kinds()[name] for name in classes])
    by_class = {
        name: dict(zip(MEASURES, values[:, 0, code].round(6).tolist(), strict=True))
        for code, name in enumerate(classes)
    }
    means = {
        each: dict(zip(MEASURES, resampled[:, :, kind == each].mean(2).round(6).tolist(), strict=True))
        for each in dict.fromkeys(kind.tolist())
    }
    return {"classes": by_class, "resampled": means}
