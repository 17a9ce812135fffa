"""Tasks on disk: heareval reads what was written."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from benchmark.tasks import layout
from benchmark.tasks.layout import is_complete, read_task, write_task
from benchmark.tasks.task import Item
from tests.benchmark.tasks.toy_tasks import EVENT, SCENE, SPLITS, changed, left_over, noise, scene_items


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


@pytest.mark.parametrize("items", ["items", "partial(items, start=1)"])
def test_a_task_is_built_again_when_its_code_changes(
    items: str, sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "own_task.py"
    module.write_text(f"from functools import partial\ndef items(folder, start=0): ...\nITEMS = {items}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_task", raising=False)
    task = replace(SCENE, items=importlib.import_module("own_task").ITEMS)
    before = layout.definition_hash(task, sources)
    assert layout.definition_hash(task, sources) == before
    module.write_text(module.read_text().replace("...", "return []"))
    assert layout.definition_hash(task, sources) != before


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


def test_a_folder_without_a_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="HEAR's layout"):
        read_task(tmp_path)
    (tmp_path / "task_metadata.json").write_text('{"task_name": "x"}')
    with pytest.raises(ValueError, match="content_sha256"):
        read_task(tmp_path)
