"""Tasks on disk: what heareval reads is what was put in, and what it would stumble over is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from benchmark.tasks import layout
from benchmark.tasks.checks import check_files, training_splits
from benchmark.tasks.layout import is_complete, read_task, write_task
from benchmark.tasks.task import Event, Item, Task

SPLITS = ("train", "valid", "test")


def noise(seed: int, n_samples: int = 1600) -> np.ndarray:
    steps = np.random.default_rng(seed).integers(-9000, 9000, n_samples)
    return (steps / 32768).astype(np.float32)


def scene_items(folder: Path) -> list[Item]:
    """A low and a high file in each split, one of them shorter than the task's files and one longer."""
    return [
        Item(f"{split}_{label}.wav", split, noise(seed, 1000 + 1000 * seed), (label,), f"{split}{label}")
        for seed, (split, label) in enumerate((split, label) for split in SPLITS for label in ("low", "high"))
    ]


def event_items(folder: Path) -> list[Item]:
    return [
        Item(f"{split}.wav", split, noise(3, 32000), (Event("a", 0, 500), Event("b", 250.5, 2000)), split)
        for split in SPLITS
    ]


SCENE = Task(
    name="toy",
    title="toy",
    domain="cross",
    description="low or high",
    embedding_type="scene",
    prediction_type="multiclass",
    splits=SPLITS,
    sample_duration=0.2,
    evaluation=("top1_acc",),
    items=scene_items,
    sources=("toy_set",),
)

EVENT = replace(
    SCENE,
    name="toy_events",
    embedding_type="event",
    prediction_type="multilabel",
    sample_duration=2.0,
    evaluation=("event_onset_200ms_fms", "segment_1s_er"),
    evaluation_params={"event_postprocessing_grid": {"median_filter_ms": [100], "min_duration": [50, 100]}},
    items=event_items,
)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "toy_set.tar").write_bytes(b"one")
    return folder


@pytest.fixture
def tasks_dir(tmp_path: Path) -> Path:
    return tmp_path / "work" / "tasks"


def left_over(tasks_dir: Path) -> list[str]:
    """What lies where it should not."""
    folders = [folder for folder in (tasks_dir.parent, tasks_dir) if folder.exists()]
    return [path.name for folder in folders for path in folder.iterdir() if path.name not in ("tasks", "toy")]


def test_files_are_of_one_length_and_hold_the_samples_that_were_given(tasks_dir: Path, sources: Path) -> None:
    prepared = write_task(SCENE, tasks_dir, sources)
    assert prepared.folder == tasks_dir / "toy" and [path.name for path in tasks_dir.iterdir()] == ["toy"]
    for seed, item in enumerate(scene_items(sources)):
        samples, rate = soundfile.read(prepared.folder / "16000" / item.split / item.file, dtype="float32")
        given = noise(seed, 1000 + 1000 * seed)
        assert rate == 16000 and samples.shape == (3200,)
        n_given = min(3200, len(given))
        np.testing.assert_array_equal(samples[:n_given], given[:n_given])
        assert not samples[n_given:].any()


def test_heareval_reads_what_was_put_in(tasks_dir: Path, sources: Path) -> None:
    pytest.importorskip("heareval")
    task_embeddings = pytest.importorskip("heareval.embeddings.task_embeddings")
    task_predictions = pytest.importorskip("heareval.predictions.task_predictions")
    score = pytest.importorskip("heareval.score")
    scene = write_task(replace(SCENE, items=lambda folder: [i for i in scene_items(folder)]), tasks_dir, sources)
    vocabulary, n_labels = task_predictions.label_vocab_nlabels(scene.folder)
    assert n_labels == 2
    assert score.label_vocab_as_dict(vocabulary, key="label", value="idx") == {"high": 0, "low": 1}
    assert task_predictions.get_splits_from_metadata(scene.metadata) == [{split: [split] for split in SPLITS}]
    for split in SPLITS:
        truth = json.loads((scene.folder / f"{split}.json").read_text())
        files = task_embeddings.AudioFileDataset(truth, scene.folder / "16000" / split, 16000)
        assert sorted(files[i][1] for i in range(len(files))) == [f"{split}_high.wav", f"{split}_low.wav"]
        assert {files[i][0].shape for i in range(len(files))} == {(3200,)}
        assert truth[f"{split}_low.wav"] == ["low"]
    events = write_task(EVENT, tasks_dir, sources)
    truth = json.loads((events.folder / "test.json").read_text())
    timestamps = np.array([[0.0, 300.0, 1000.0, 2000.0]])
    labels = task_embeddings.get_labels_for_timestamps([truth["test.wav"]], timestamps)
    assert [sorted(at) for at in labels[0]] == [["a"], ["a", "b"], ["b"], ["b"]]
    scores = [score.available_scores[name](label_to_idx={"a": 0, "b": 1}) for name in events.metadata["evaluation"]]
    assert scores[0](truth, truth)[0] == ("f_measure", 1.0)


def test_folds_are_the_splits_of_a_k_fold_task(tasks_dir: Path, sources: Path) -> None:
    folds = ("fold1", "fold2", "fold3")
    renamed = dict(zip(SPLITS, folds))
    items = lambda folder: [replace(item, split=renamed[item.split]) for item in scene_items(folder)]  # noqa: E731
    prepared = write_task(replace(SCENE, splits=folds, items=items), tasks_dir, sources)
    assert prepared.metadata["split_mode"] == "presplit_kfold" and prepared.metadata["splits"] == list(folds)


def test_each_fold_trains_with_those_that_neither_choose_nor_test() -> None:
    task = replace(SCENE, splits=("c", "a", "b", "d"))
    assert training_splits(task) == [("c", "d"), ("a", "d"), ("a", "b"), ("b", "c")]
    pytest.importorskip("heareval")
    predictions = pytest.importorskip("heareval.predictions.task_predictions")
    theirs = predictions.data_splits_from_folds(list(task.splits))
    assert [sorted(split["train"]) for split in theirs] == [list(train) for train in training_splits(task)]


def changed(position: int = 0, **changes: Any) -> Callable[[Path], list[Item]]:
    """The scene task's files, one of them changed."""

    def items(folder: Path) -> list[Item]:
        made = scene_items(folder)
        made[position] = replace(made[position], **changes)
        return made

    return items


def test_the_content_hash_is_of_audio_labels_and_settings_and_nothing_else(tasks_dir: Path, sources: Path) -> None:
    def sha256(**changes: Any) -> str:
        return write_task(replace(SCENE, **changes), tasks_dir, sources).sha256

    first = sha256()
    assert sha256(items=lambda folder: reversed(scene_items(folder))) == first
    assert sha256(title="another heading", description="more words") == first
    one_step = noise(0, 1000)
    one_step[500] += 1 / 32768
    others = [
        sha256(items=changed(samples=one_step)),
        sha256(items=lambda folder: [replace(i, labels=(str(i.labels[0])[::-1],)) for i in scene_items(folder)]),
        sha256(items=changed(file="renamed.wav")),
        sha256(sample_duration=0.21),
        sha256(evaluation=("mAP",)),
    ]
    assert len({first, *others}) == 6


def test_an_unchanged_task_is_not_built_again(tasks_dir: Path, sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = write_task(SCENE, tasks_dir, sources)
    with monkeypatch.context() as patched:
        patched.setattr(layout, "_build", lambda *_: pytest.fail("built again"))
        assert write_task(SCENE, tasks_dir, sources) == first == read_task(first.folder)
    (first.folder / "16000" / "test" / "test_low.wav").unlink()
    assert not is_complete(first.folder)
    assert write_task(SCENE, tasks_dir, sources) == first and is_complete(first.folder)


def test_another_definition_or_source_is_built_in_its_place(tasks_dir: Path, sources: Path) -> None:
    first = write_task(SCENE, tasks_dir, sources)
    second = write_task(replace(SCENE, sample_duration=0.1), tasks_dir, sources)
    assert second.sha256 != first.sha256 and second.metadata["sample_duration"] == 0.1
    assert layout.definition_hash(SCENE, sources) == layout.definition_hash(SCENE, sources)
    before = layout.definition_hash(SCENE, sources)
    (sources / "toy_set.tar").write_bytes(b"two")
    assert layout.definition_hash(SCENE, sources) != before
    assert left_over(tasks_dir) == []


def test_an_interrupted_build_leaves_what_was_there_and_nothing_else(tasks_dir: Path, sources: Path) -> None:
    first = write_task(SCENE, tasks_dir, sources)

    def interrupted(folder: Path) -> Iterator[Item]:
        yield from scene_items(folder)[:3]
        raise KeyboardInterrupt

    for name in ("toy", "new"):
        with pytest.raises(KeyboardInterrupt):
            write_task(replace(SCENE, name=name, items=interrupted), tasks_dir, sources)
    assert read_task(first.folder) == first and is_complete(first.folder)
    assert [path.name for path in tasks_dir.iterdir()] == ["toy"] and left_over(tasks_dir) == []


def test_what_a_killed_process_left_is_removed(tasks_dir: Path, sources: Path) -> None:
    tasks_dir.mkdir(parents=True)
    abandoned = tasks_dir.parent / ".toy-abc.building"
    abandoned.mkdir()
    (abandoned / "lock").touch()
    write_task(SCENE, tasks_dir, sources)
    assert left_over(tasks_dir) == []


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
def test_a_scene_task_that_heareval_would_stumble_over_is_refused(
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


def test_a_folder_that_is_no_task_of_ours_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="HEAR's layout"):
        read_task(tmp_path)
    (tmp_path / "task_metadata.json").write_text('{"task_name": "x"}')
    with pytest.raises(ValueError, match="content_sha256"):
        read_task(tmp_path)
