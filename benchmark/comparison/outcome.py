"""What one model did on one task: scores by fold, and per file what an interval or a paired test needs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from byola_hear.utils.files import replacing


@dataclass(frozen=True)
class Outcome:
    """One cell of the table.

    Attributes:
        task: the task's name.
        task_sha256: hash of the task's content.
        model: the row's name.
        model_identity: changes whenever the model's embeddings may.
        metrics: heareval's names of the scores, the first being the one that stands in the table.
        folds: names of the folds or of the one test split, in order.
        scores: ``(n_folds, n_metrics)`` as heareval gave them; nan where it gave none.
        labels: the vocabulary, in order of index.
        files: ``(n_files,)`` names of the tested files, in heareval's order, fold after fold.
        fold_of: ``(n_files,)`` index into ``folds``.
        counts: ``(n_files, 3)`` what the first metric is a ratio of sums of: for an accuracy right, 1, 1; for an
            onset F-measure twice the hits, events in the truth, events found; for an error rate errors, events in the
            truth, 0. All nan where it is no such ratio (mAP, d', area under the curve).
        target: ``(n_files,)`` index of the true label, -1 where that is not one label.
        predicted: ``(n_files,)`` index of the label with the highest score, -1 likewise.
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
    """Write an outcome as one ``.npz``, whole or not at all; its folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = json.dumps({name: getattr(outcome, name) for name in TEXTS})
    with replacing(path) as file:
        np.savez_compressed(file, header=np.array(header), **{name: getattr(outcome, name) for name in ARRAYS})


def load_outcome(path: Path) -> Outcome:
    """Read an outcome.

    Raises:
        ValueError: if the file is none.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            header = json.loads(str(arrays["header"]))
            kept: dict[str, Any] = {name: arrays[name] for name in ARRAYS}
        texts: dict[str, Any] = {
            name: tuple(header[name]) if isinstance(header[name], list) else header[name] for name in TEXTS
        }
        return Outcome(**texts, **kept)
    except Exception as error:  # damage surfaces as whatever numpy, zip, zlib or Python's tokenizer makes of it
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"{path}: expected an outcome that the benchmark wrote: {reason}") from error
