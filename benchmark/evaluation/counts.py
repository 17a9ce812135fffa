"""Counts for each file whose sums give a score. Intervals and paired tests over files are computed from them.

The counts of an event task are sed_eval's own, file by file, with the metric that heareval scored with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmark.comparison.metrics import Metric

#: Events of a file as heareval has them: label, start and end in milliseconds.
Events = Sequence[Mapping[str, Any]]

#: Semitones in an octave.
OCTAVE = 12


def accuracy_counts(metric: Metric, target: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Whether the prediction is right, file by file.

    Args:
        metric: an accuracy; the chroma accuracy ignores octaves.
        target: ``(n_files,)`` index of the true label.
        predicted: ``(n_files,)`` index of the label with the highest score.

    Returns:
        ``(n_files, 3)``: 1 if right else 0, 1, 1.

    Example:
        >>> from benchmark.comparison.metrics import metric
        >>> accuracy_counts(metric("chroma_acc"), np.array([0, 1]), np.array([12, 2])).tolist()
        [[1.0, 1.0, 1.0], [0.0, 1.0, 1.0]]
    """
    if metric.name == "chroma_acc":
        target, predicted = target % OCTAVE, predicted % OCTAVE
    one = np.ones(len(target))
    return np.stack([target == predicted, one, one], axis=1).astype(float)


def event_counts(
    metric: Metric, labels: Sequence[str], target: Mapping[str, Events], predicted: Mapping[str, Events]
) -> np.ndarray:
    """Hits or errors, file by file, as sed_eval counts them.

    Args:
        metric: an F-measure or an error rate of events.
        labels: the vocabulary.
        target: the true events of each file.
        predicted: the predicted events of each file; the files to count.

    Returns:
        ``(n_files, 3)``, files as in ``predicted``. For an F-measure: twice the hits, true events, predicted events;
        for an error rate: errors, active segments in the truth, 0.
    """
    from heareval.score import available_scores

    score = available_scores[metric.name](label_to_idx={label: index for index, label in enumerate(labels)})
    counts = []
    for file, found in predicted.items():
        counter = score.score_class(event_label_list=list(labels), **score.params)
        counter.evaluate(
            reference_event_list=score.sed_eval_event_container({file: target[file]}),
            estimated_event_list=score.sed_eval_event_container({file: found}),
        )
        overall = counter.overall
        if metric.kind == "fmeasure":
            counts.append([2 * overall["Ntp"], overall["Nref"], overall["Nsys"]])
        else:
            counts.append([overall["S"] + overall["D"] + overall["I"], overall["Nref"], 0])
    return np.array(counts, float).reshape(len(predicted), 3)
