"""Read heareval's predictions and scores of a task into an outcome.

The predictions of scene tasks have no file names. The order of files is reproduced as heareval shuffles it, and the
label of every file is compared with that of the prediction. heareval's pickles are read only by the process that has
just written them; outcomes contain no pickles.
"""

from __future__ import annotations

import csv
import json
import math
import pickle
import random
import re
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.comparison.metrics import metric as metric_of
from benchmark.comparison.outcome import Outcome
from benchmark.evaluation.counts import accuracy_counts, event_counts

#: Greatest difference between a score and its counts: heareval keeps scores in single precision.
TOLERANCE = 1e-6


def vocabulary(folder: Path) -> tuple[str, ...]:
    """A task's labels in the order of their indices, all as text, including labels such as "NA" or "01"."""
    with open(folder / "labelvocabulary.csv", newline="", encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: int(row["idx"]))
    return tuple(row["label"] for row in rows)


def tested_splits(metadata: dict[str, Any]) -> list[str]:
    """The splits that are tested, in heareval's order: ``test``, or all folds."""
    return ["test"] if metadata["split_mode"] == "trainvaltest" else sorted(metadata["splits"])


def files_in_order(folder: Path, metadata: dict[str, Any]) -> dict[str, list[str]]:
    """The files of each split in the order of their embeddings.

    heareval shuffles the files of each split before it writes their embeddings to one array. It uses one generator with
    seed 0 for all splits, in the order of the metadata.
    """
    generator = random.Random(0)
    order = {}
    for split in metadata["splits"]:
        names = list(json.loads((folder / f"{split}.json").read_text(encoding="utf-8")))
        generator.shuffle(names)
        order[split] = names
    return order


def read_outcome(folder: Path, about: dict[str, Any]) -> Outcome:
    """Read the outcome of a task whose predictions heareval has just made in this process.

    Args:
        folder: heareval's folder of the task, ``EMBEDDINGS/MODEL/TASK``.
        about: ``task``, ``task_sha256``, ``model``, ``model_identity`` and ``settings`` of the outcome.

    Returns:
        The outcome. heareval's hyperparameters and times are added to its settings.

    Raises:
        ValueError: if files, labels or scores do not agree with what heareval wrote.
    """
    metadata = json.loads((folder / "task_metadata.json").read_text(encoding="utf-8"))
    results = json.loads((folder / "test.predicted-scores.json").read_text(encoding="utf-8"))
    labels, metrics, folds = vocabulary(folder), tuple(metadata["evaluation"]), tested_splits(metadata)
    order = files_in_order(folder, metadata)
    read = _read_events if metadata["embedding_type"] == "event" else _read_scenes
    scores = np.array([[float(results[fold].get(f"test_{metric}", math.nan)) for metric in metrics] for fold in folds])
    parts, undefined = [], []
    for number, fold in enumerate(folds):
        truth = json.loads((folder / f"{fold}.json").read_text(encoding="utf-8"))
        with open(folder / f"{fold}.predictions.pkl", "rb") as file:
            predictions = pickle.load(file)  # written by this process
        part = read(fold, truth, order[fold], predictions, labels, metadata)
        counted = float(metric_of(metrics[0]).ratio(part[0].sum(0)))
        if np.isnan(scores[number, 0]) and counted == 0:
            # Without hits sed_eval returns NaN, which heareval treats as 0 when it selects.
            scores[number, 0] = 0.0
            undefined.append(fold)
        if not np.isnan(counted) and not np.isclose(counted, scores[number, 0], rtol=TOLERANCE, atol=TOLERANCE):
            raise ValueError(
                f"{fold} of {about['task']}: expected the counts of the files to give heareval's "
                f"{metrics[0]} of {scores[number, 0]:.7f}, got {counted:.7f}"
            )
        parts.append(part)
    settings = {
        **about["settings"],
        "hyperparameters": {name: _plain(value) for name, value in results["hparams"].items()},
        "postprocessing": results["postprocessing"],
        "epochs": [results[fold]["epoch"] for fold in folds],
        "validation_scores": [_plain(results[fold]["validation_score"]) for fold in folds],
        "nothing_hit_in": undefined,
        "prediction_seconds": json.loads((folder / "prediction-done.json").read_text())["time"],
    }
    return Outcome(
        task=about["task"],
        task_sha256=about["task_sha256"],
        model=about["model"],
        model_identity=about["model_identity"],
        metrics=metrics,
        folds=tuple(folds),
        scores=scores,
        labels=labels,
        files=np.array([name for fold in folds for name in order[fold]]),
        fold_of=np.concatenate([np.full(len(order[fold]), number) for number, fold in enumerate(folds)]),
        counts=np.concatenate([counts for counts, _, _ in parts]),
        target=np.concatenate([target for _, target, _ in parts]),
        predicted=np.concatenate([predicted for _, _, predicted in parts]),
        settings=settings,
    )


#: Counts ``(n_files, 3)``, target ``(n_files,)``, predicted ``(n_files,)``.
Part = tuple[np.ndarray, np.ndarray, np.ndarray]


def _read_scenes(
    fold: str,
    truth: dict[str, Any],
    files: list[str],
    predictions: Any,
    labels: tuple[str, ...],
    metadata: dict[str, Any],
) -> Part:
    target, scores = np.asarray(predictions["target"]), np.asarray(predictions["prediction"])
    if len(target) != len(files):
        raise ValueError(f"{fold}: expected predictions for {len(files)} files, found {len(target)}")
    index = {label: number for number, label in enumerate(labels)}
    for name, row in zip(files, target):
        if {index[str(label)] for label in truth[name]} != set(np.flatnonzero(row)):
            raise ValueError(f"{fold}: expected predictions in the order of the files, but {name} has another label")
    true, best = target.argmax(1), scores.argmax(1)
    metric = metric_of(metadata["evaluation"][0])
    counts = accuracy_counts(metric, true, best) if metric.kind == "accuracy" else np.full((len(files), 3), np.nan)
    if metadata["prediction_type"] != "multiclass":
        true = best = np.full(len(files), -1)
    return counts, true, best


def _read_events(
    fold: str,
    truth: dict[str, Any],
    files: list[str],
    predictions: Any,
    labels: tuple[str, ...],
    metadata: dict[str, Any],
) -> Part:
    found = predictions["predicted_events"]
    if list(found) != files:
        raise ValueError(f"{fold}: expected the events of {len(files)} files in heareval's order, found {len(found)}")
    nothing = np.full(len(files), -1)
    return event_counts(metric_of(metadata["evaluation"][0]), labels, truth, found), nothing, nothing


def _plain(value: Any) -> Any:
    """Convert to a JSON value: functions and classes to their names, NaN and infinity to None."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    named = re.fullmatch(r"<(?:function|class) '?([\w.]+)'?(?: at 0x[0-9a-f]+)?>", str(value))
    return named.group(1).rpartition(".")[2] if named else value
