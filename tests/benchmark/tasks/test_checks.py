"""Everything that heareval would misread or fail at is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark.tasks.checks import check_files, training_splits
from benchmark.tasks.layout import write_task
from benchmark.tasks.task import Event, Item
from tests.benchmark.tasks.toy_tasks import EVENT, SCENE, SPLITS, changed, event_items, left_over, scene_items


def test_each_fold_trains_with_those_that_neither_choose_nor_test() -> None:
    task = replace(SCENE, splits=("c", "a", "b", "d"))
    assert training_splits(task) == [("c", "d"), ("a", "d"), ("a", "b"), ("b", "c")]
    pytest.importorskip("heareval")
    predictions = pytest.importorskip("heareval.predictions.task_predictions")
    theirs = predictions.data_splits_from_folds(list(task.splits))
    assert [sorted(split["train"]) for split in theirs] == [list(train) for train in training_splits(task)]


def relabelled(names: dict[str, str]) -> Callable[[Path], list[Item]]:
    return lambda folder: [replace(item, labels=(names[str(item.labels[0])],)) for item in scene_items(folder)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"items": relabelled({"low": "NA", "high": "high"})}, "'NA' as 'nan"),
        ({"items": relabelled({"low": "None", "high": "high"})}, "'None' as 'nan"),
        ({"items": relabelled({"low": "01", "high": "2"})}, "'01' as '1'"),
        ({"items": relabelled({"low": "x", "high": "x"})}, "at least two labels"),
        ({"items": relabelled({"low": "60", "high": "62"}), "evaluation": ("pitch_acc", "chroma_acc")}, "consecutive"),
        ({"items": changed(4, labels=("high",))}, "none of low in test"),
        ({"items": changed(0, group="testlow")}, "'testlow' in train and test"),
        ({"items": changed(0, group="other testlow")}, "'testlow' in train and test"),
        ({"items": changed(0, file="TEST_low.wav")}, "'test_low.wav' twice"),
        ({"items": changed(0, file="../low.wav")}, "letters and digits"),
        ({"items": changed(0, file="low.embedding.npy.wav")}, "letters and digits"),
        ({"items": changed(0, split="dev")}, "'dev'"),
        ({"items": changed(0, labels=("low", "high"))}, "exactly one label"),
        ({"items": changed(0, labels=())}, "exactly one label"),
        ({"items": changed(0, labels=("",))}, "train_low.wav: expected labels with a name, got an empty one"),
        ({"items": changed(0, file="käuzchen ruf.wav")}, "ASCII letters and digits, without spaces"),
        ({"items": changed(0, samples=np.zeros(1600, np.float32))}, "not all zero"),
        ({"items": changed(0, samples=np.full(1600, 1.1, np.float32))}, r"peak of 1\.1"),
        ({"items": changed(0, samples=np.full(1600, np.nan, np.float32))}, "peak of nan"),
        ({"items": changed(0, samples=np.zeros((2, 1600), np.float32))}, r"\(2, 1600\)"),
        ({"items": changed(0, samples=np.zeros(1600, np.int16))}, "int16"),
        ({"evaluation": ("accuracy",)}, "got accuracy"),
        ({"evaluation": ("segment_1s_er",)}, "got segment_1s_er"),
        ({"evaluation": ()}, "got none"),
        ({"splits": ("train", "test")}, "three folds or more"),
        ({"splits": ("fold1", "fold2", "hparams")}, "'hparams'"),
        ({"name": "a/b"}, "'a/b'"),
    ],
)
def test_a_scene_task_that_heareval_would_misread_is_refused(
    tasks_dir: Path, sources: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        write_task(replace(SCENE, **changes), tasks_dir, sources)
    assert not tasks_dir.exists() or not any(tasks_dir.iterdir())
    assert left_over(tasks_dir) == []


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ((Event("a", 0, 2000.1), Event("b", 0, 1)), r"from 0 to 2000\.1 ms"),
        ((Event("a", -1, 5), Event("b", 0, 1)), "from -1 to 5 ms"),
        ((Event("a", 5, 5), Event("b", 0, 1)), "from 5 to 5 ms"),
        ((Event("a", 0, 100), Event("a", 50, 200), Event("b", 0, 1)), "not to overlap"),
        (("a", "b"), "type Event"),
        ((Event("a", 0, 100),), "none of b in valid"),
    ],
)
def test_events_that_heareval_would_misread_are_refused(
    tasks_dir: Path, sources: Path, events: tuple[Event, ...], message: str
) -> None:
    def items(folder: Path) -> list[Item]:
        return [replace(item, labels=events) if item.split == "valid" else item for item in event_items(folder)]

    with pytest.raises(ValueError, match=message):
        write_task(replace(EVENT, items=items), tasks_dir, sources)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sample_duration": 1.0}, "single timestamp"),
        ({"sample_duration": None}, "got None"),
        ({"prediction_type": "multiclass"}, "multilabel"),
        ({"evaluation": ("top1_acc",)}, "got top1_acc"),
        ({"evaluation_params": {"event_postprocessing_grid": {"median_filter_ms": [1]}}}, "min_duration"),
        # The highest of several error rates would be chosen.
        ({"evaluation": ("segment_1s_er",)}, "single combination"),
    ],
)
def test_an_event_task_that_heareval_would_misuse_is_refused(
    tasks_dir: Path, sources: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        write_task(replace(EVENT, **changes), tasks_dir, sources)


@pytest.mark.parametrize(("n_train", "refused"), [(1024, False), (1025, True), (1026, False), (2049, True)])
def test_a_training_batch_of_a_single_file_is_refused(n_train: int, refused: bool) -> None:
    placed = [(f"{i}.wav", "train", str(i), frozenset({"ab"[i % 2]})) for i in range(n_train)]
    placed += [(f"{s}{x}.wav", s, s + x, frozenset({x})) for s in ("valid", "test") for x in "ab"]
    if refused:
        with pytest.raises(ValueError, match=f"{n_train} files in train"):
            check_files(SCENE, placed)
    else:
        check_files(SCENE, placed)


def test_a_pitch_need_not_be_tested_but_learnt() -> None:
    pitch = replace(SCENE, evaluation=("pitch_acc", "chroma_acc"))
    placed = [(f"{s}{x}.wav", s, s + x, frozenset({x})) for s in SPLITS for x in ("60", "61")]
    check_files(pitch, [each for each in placed if each[0] != "test61.wav"])
    with pytest.raises(ValueError, match="none of 61 in train"):
        check_files(pitch, [each for each in placed if each[0] != "train61.wav"])
