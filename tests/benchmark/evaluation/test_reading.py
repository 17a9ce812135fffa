"""heareval's leavings read into an outcome: known events with a known F-measure, folds, and files in their order."""

from __future__ import annotations

import json
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark.comparison.metrics import metric
from benchmark.evaluation.counts import accuracy_counts, event_counts
from benchmark.evaluation.reading import files_in_order, read_outcome, vocabulary

ABOUT = {"task": "t", "task_sha256": "ab", "model": "m", "model_identity": "cd", "settings": {"grid": "fast"}}


def write_task(folder: Path, metadata: dict[str, Any], truth: dict[str, dict[str, list]]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "task_metadata.json").write_text(json.dumps({"splits": list(truth), **metadata}))
    (folder / "labelvocabulary.csv").write_text("idx,label\n1,b\n0,a\n")
    (folder / "prediction-done.json").write_text('{"time": 1.0}')
    for split, files in truth.items():
        (folder / f"{split}.json").write_text(json.dumps(files))


def write_results(folder: Path, predictions: dict[str, Any], scores: dict[str, dict[str, float]]) -> None:
    for fold, prediction in predictions.items():
        (folder / f"{fold}.predictions.pkl").write_bytes(pickle.dumps(prediction))
    folds = {fold: {"epoch": 1, "validation_score": 0.5, **given} for fold, given in scores.items()}
    (folder / "test.predicted-scores.json").write_text(json.dumps({**folds, "hparams": {}, "postprocessing": []}))


def scene_task(folder: Path) -> dict[str, dict[str, list]]:
    truth = {f"fold{n}": {f"{n}{k}.wav": ["ab"[(n + k) % 2]] for k in range(4)} for n in (2, 0, 1)}
    metadata = {
        "embedding_type": "scene",
        "prediction_type": "multiclass",
        "split_mode": "presplit_kfold",
        "evaluation": ["top1_acc", "mAP"],
    }
    write_task(folder, metadata, truth)
    return truth


def test_folds_in_order_and_files_by_name(tmp_path: Path) -> None:
    truth = scene_task(tmp_path)
    order = files_in_order(tmp_path, json.loads((tmp_path / "task_metadata.json").read_text()))
    predictions = {}
    for fold, files in order.items():
        target = np.eye(2)[["ab".index(truth[fold][name][0]) for name in files]]
        # One file of each fold is wrong, known by its name.
        prediction = np.array([row[::-1] if name.endswith("3.wav") else row for name, row in zip(files, target)])
        predictions[fold] = {"target": target, "prediction": prediction}
    write_results(tmp_path, predictions, {fold: {"test_top1_acc": 0.75, "test_mAP": math.nan} for fold in truth})
    outcome = read_outcome(tmp_path, ABOUT)
    assert (outcome.folds, outcome.labels, outcome.score) == (("fold0", "fold1", "fold2"), ("a", "b"), 0.75)
    assert np.isnan(outcome.scores[:, 1]).all()
    wrong = outcome.files[outcome.target != outcome.predicted]
    assert sorted(wrong) == ["03.wav", "13.wav", "23.wav"]
    assert [name[0] for name in outcome.files] == [str(fold) for fold in outcome.fold_of]
    write_results(tmp_path, predictions, {fold: {"test_top1_acc": 0.7500021} for fold in truth})
    with pytest.raises(ValueError, match="fold0 of t: expected the counts of the files to give heareval's top1_acc"):
        read_outcome(tmp_path, ABOUT)
    turned = {fold: {key: values[::-1] for key, values in given.items()} for fold, given in predictions.items()}
    write_results(tmp_path, turned, {fold: {"test_top1_acc": 0.75} for fold in truth})
    with pytest.raises(ValueError, match="in the order of the files, but 10.wav"):
        read_outcome(tmp_path, ABOUT)


def test_order_is_the_shuffled_one_and_wrong_counts_are_refused(tmp_path: Path) -> None:
    truth = scene_task(tmp_path)
    metadata = json.loads((tmp_path / "task_metadata.json").read_text())
    order = files_in_order(tmp_path, metadata)
    assert any(files != list(truth[fold]) for fold, files in order.items())
    assert {fold: sorted(files) for fold, files in order.items()} == {fold: sorted(truth[fold]) for fold in truth}
    short = {"target": np.eye(2)[:1], "prediction": np.eye(2)[:1]}
    write_results(tmp_path, dict.fromkeys(truth, short), {fold: {"test_top1_acc": 1.0} for fold in truth})
    with pytest.raises(ValueError, match="expected predictions for 4 files, found 1"):
        read_outcome(tmp_path, ABOUT)


def test_vocabulary_is_text_in_order_of_index(tmp_path: Path) -> None:
    (tmp_path / "labelvocabulary.csv").write_text('idx,label\n2,"a, b"\n0,NA\n1,01\n')
    assert vocabulary(tmp_path) == ("NA", "01", "a, b")


def test_chroma_does_not_mind_octaves() -> None:
    target, predicted = np.array([0, 5, 7]), np.array([12, 5, 6])
    assert accuracy_counts(metric("chroma_acc"), target, predicted)[:, 0].tolist() == [1, 1, 0]
    assert accuracy_counts(metric("pitch_acc"), target, predicted)[:, 0].tolist() == [0, 1, 0]


def event(label: str, start: float) -> dict[str, Any]:
    return {"label": label, "start": start, "end": start + 300.0}


#: Two hits (100 and 150 ms off), one of another label, one that is late; three that were not there.
TRUTH = {"x.wav": [event("a", 1000), event("b", 2000), event("a", 4000)], "y.wav": [event("b", 500)], "z.wav": []}
FOUND = {
    "y.wav": [event("b", 650)],
    "z.wav": [event("a", 0)],
    "x.wav": [event("a", 1100), event("a", 2000), event("a", 4300)],
}


def test_known_f_measure_of_events(tmp_path: Path) -> None:
    pytest.importorskip("heareval", reason="make hear")
    counts = event_counts(metric("event_onset_200ms_fms"), ("a", "b"), TRUTH, FOUND)
    assert counts.tolist() == [[2, 1, 1], [0, 0, 1], [2, 3, 3]]
    assert event_counts(metric("event_onset_50ms_fms"), ("a", "b"), TRUTH, FOUND)[:, 0].tolist() == [0, 0, 0]
    errors = event_counts(metric("segment_1s_er"), ("a", "b"), TRUTH, FOUND)
    assert errors[:, 1].tolist() == [1, 0, 3] and errors[:, 2].tolist() == [0, 0, 0]


def test_events_are_read_and_nothing_hit_is_zero(tmp_path: Path) -> None:
    pytest.importorskip("heareval", reason="make hear")
    metadata = {
        "embedding_type": "event",
        "prediction_type": "multilabel",
        "split_mode": "trainvaltest",
        "evaluation": ["event_onset_200ms_fms"],
    }
    write_task(tmp_path, metadata, {"train": {}, "valid": {}, "test": TRUTH})
    order = files_in_order(tmp_path, {**metadata, "splits": ["train", "valid", "test"]})["test"]
    found = {name: FOUND[name] for name in order}
    name = "test_event_onset_200ms_fms"
    write_results(tmp_path, {"test": {"predicted_events": found}}, {"test": {name: np.float32(4 / 9).item()}})
    outcome = read_outcome(tmp_path, ABOUT)
    assert outcome.files.tolist() == order and outcome.score == pytest.approx(4 / 9)
    assert outcome.target.tolist() == outcome.predicted.tolist() == [-1, -1, -1]
    nothing: dict[str, list] = {each: [] for each in order}
    write_results(tmp_path, {"test": {"predicted_events": nothing}}, {"test": {name: math.nan}})
    outcome = read_outcome(tmp_path, ABOUT)
    assert outcome.score == 0.0 and outcome.settings["nothing_hit_in"] == ["test"]
    write_results(tmp_path, {"test": {"predicted_events": dict(reversed(found.items()))}}, {"test": {name: 4 / 9}})
    with pytest.raises(ValueError, match="in heareval's order"):
        read_outcome(tmp_path, ABOUT)
