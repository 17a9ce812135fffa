"""The outcome of one model on one task: scores by fold, and what intervals and paired tests need for each file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from byola_hear.utils.files import replacing
from byola_hear.utils.text import one_line


@dataclass(frozen=True)
class Outcome:
    """The outcome of a model on a task.

    Attributes:
        task: the task's name.
        task_sha256: hash of the task's content.
        model: the row's name.
        model_identity: identity of the model; changes whenever its embeddings may change.
        metrics: heareval's names of the scores; the table shows the first.
        folds: names of the folds, or of the test split, in order.
        scores: ``(n_folds, n_metrics)`` heareval's scores; nan where it gave none.
        labels: the vocabulary, in order of index.
        files: ``(n_files,)`` names of the tested files, in heareval's order, fold by fold.
        fold_of: ``(n_files,)`` index into ``folds``.
        counts: ``(n_files, 3)`` counts of which the first metric is a ratio of sums: for an accuracy, correct, 1, 1;
            for an onset F-measure, twice the hits, true events, found events; for an error rate, errors, true events,
            0. All nan for metrics that are not such a ratio (mAP, d', area under the curve).
        target: ``(n_files,)`` index of the true label; -1 if there is not exactly one.
        predicted: ``(n_files,)`` index of the label with the highest score; -1 likewise.
        settings: grid, number of grid points, versions, chosen hyperparameters, seconds: JSON values.
    """

    task: str
    task_sha256: str
    model: str
    model_identity: str
    metrics: tuple[str, ...]
    folds: tuple[str, ...]
    scores: np.ndarray
    labels: tuple[str, ...]
    files: np.ndarray
    fold_of: np.ndarray
    counts: np.ndarray
    target: np.ndarray
    predicted: np.ndarray
    settings: dict[str, Any]

    @property
    def score(self) -> float:
        """The first metric, mean over the folds."""
        return float(self.scores[:, 0].mean())


ARRAYS = ("scores", "files", "fold_of", "counts", "target", "predicted")
TEXTS = ("task", "task_sha256", "model", "model_identity", "metrics", "folds", "labels", "settings")


def save_outcome(path: Path, outcome: Outcome) -> None:
    """Write an outcome as ``.npz``, completely or not at all; creates its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = json.dumps({name: getattr(outcome, name) for name in TEXTS})
    with replacing(path) as file:
        np.savez_compressed(file, header=np.array(header), **{name: getattr(outcome, name) for name in ARRAYS})


def load_outcome(path: Path) -> Outcome:
    """Read an outcome.

    Raises:
        ValueError: if the file is not an outcome.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            header = json.loads(str(arrays["header"]))
            kept: dict[str, Any] = {name: arrays[name] for name in ARRAYS}
        texts: dict[str, Any] = {
            name: tuple(header[name]) if isinstance(header[name], list) else header[name] for name in TEXTS
        }
        return Outcome(**texts, **kept)
    except Exception as error:  # a damaged file raises errors of numpy, zipfile, zlib or Python's tokenizer
        raise ValueError(f"{path}: expected an outcome that the benchmark wrote: {one_line(error)}") from error
