"""No group is ever on both sides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.datasets.labelled_set import read_manifest
from benchmark.probes.plan import _thinned
from benchmark.probes.splits import TASKS, Task, find_tasks, folds, groups_of, thin

BY_SPLIT = Task("by_split", "toy", "toy", group="speaker")
BY_FOLD = Task("by_fold", "toy", "toy", group="speaker", fold="fold")
BY_SPEAKER = Task("by_speaker", "toy", "toy", group="speaker", fold="speaker", reserved=("split", "test"))
MADE = Task("made", "toy", "toy", group="speaker", fold="made")


@st.composite
def manifests(draw: st.DrawFn) -> pd.DataFrame:
    """Sets whose published splits and folds may well cut through groups."""
    n_clips = draw(st.integers(30, 80))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_speakers = draw(st.integers(6, 25))
    return pd.DataFrame(
        {
            "file": [f"{number}.wav" for number in range(n_clips)],
            "label": rng.choice(["x", "y", "z"], n_clips),
            "speaker": [f"s{number}" for number in rng.integers(0, n_speakers, n_clips)],
            "split": np.array(["train", "valid", "test"])[np.arange(n_clips) % 3],
            "fold": rng.permutation(np.arange(n_clips) % 4).astype(str),
        }
    )


@given(manifests(), st.sampled_from([BY_SPLIT, BY_FOLD, BY_SPEAKER, MADE]), st.booleans(), st.integers(0, 5))
def test_no_group_is_trained_on_and_tested(manifest: pd.DataFrame, task: Task, validation: bool, seed: int) -> None:
    groups = groups_of(task, manifest)
    for fold in folds(task, manifest, validation, seed):
        assert len(fold.test)
        assert not set(groups[fold.train]) & set(groups[fold.test])
        assert set(fold.choose) <= set(fold.train)


@given(manifests(), st.sampled_from([BY_FOLD, BY_SPEAKER, MADE]), st.integers(0, 5))
def test_each_clip_is_tested_once(manifest: pd.DataFrame, task: Task, seed: int) -> None:
    tested = np.concatenate([fold.test for fold in folds(task, manifest, seed=seed)])
    assert sorted(tested) == list(range(len(manifest)))


@given(manifests())
def test_validation_never_touches_what_is_tested(manifest: pd.DataFrame) -> None:
    is_test = manifest["split"].to_numpy(str) == "test"
    for task in (BY_SPLIT, BY_SPEAKER):
        for fold in folds(task, manifest, validation=True):
            assert not is_test[fold.train].any()
            assert not is_test[fold.test].any()
    reserved = folds(BY_FOLD, manifest)[-1].test
    for fold in folds(BY_FOLD, manifest, validation=True):
        assert not set(reserved) & {*fold.train, *fold.test}


@given(manifests(), st.integers(6, 100), st.integers(0, 3))
def test_thinning_keeps_every_label_where_there_is_room(manifest: pd.DataFrame, n_kept: int, seed: int) -> None:
    kept = thin(BY_SPLIT, manifest, n_kept, seed)
    assert len(kept) == len(set(kept)) == min(n_kept, len(manifest))
    assert list(kept) == sorted(kept)
    np.testing.assert_array_equal(kept, thin(BY_SPLIT, manifest, n_kept, seed))
    if n_kept >= 20:
        assert set(manifest["label"].iloc[kept]) == set(manifest["label"])


def test_thinning_keeps_parts_and_tests_known_labels_where_there_is_no_room_for_all() -> None:
    parts = ["train"] * 9 + ["valid"] * 3 + ["test"] * 4
    manifest = pd.DataFrame(
        {"label": np.repeat([f"speaker_{number:02d}" for number in range(50)], 16), "split": parts * 50}
    )
    for n_kept in (50, 100):
        kept = manifest.iloc[thin(BY_SPLIT, manifest, n_kept)]
        for part in ("train", "valid", "test"):
            share = (kept["split"] == part).mean()
            assert share == pytest.approx(parts.count(part) / len(parts), abs=0.1)
        trained = set(kept["label"][kept["split"] == "train"])
        assert set(kept["label"]) == trained and len(trained) >= n_kept / 2


def test_too_few_clips_for_a_part_are_refused_before_anything_is_embedded() -> None:
    manifest = pd.DataFrame(
        {"label": list("xy") * 12, "split": ["train"] * 20 + ["valid"] * 2 + ["test"] * 2, "speaker": np.arange(24)}
    ).astype(str)
    with pytest.raises(ValueError, match="expected clips to choose in fold test, found none among 2: take more"):
        _thinned(BY_SPLIT, manifest, folds(BY_SPLIT, manifest), 2, 0)


def test_thinning_keeps_positions_not_index_labels() -> None:
    manifest = pd.DataFrame({"label": list("xyxy")}, index=[10, 20, 30, 40])
    assert set(thin(BY_SPLIT, manifest, 2)) < set(range(4))


def test_a_subset_is_all_that_is_used() -> None:
    manifest = pd.DataFrame(
        {"file": list("abcdefgh"), "label": ["x"] * 8, "fold": list("11223344"), "in": ["n", "y"] * 4}
    )
    task = Task("part", "toy", "toy", fold="fold", subset=("in", "y"))
    for fold in folds(task, manifest):
        assert {*fold.train, *fold.test} == {1, 3, 5, 7}


def test_what_a_manifest_lacks_is_said() -> None:
    manifest = pd.DataFrame({"file": ["a"], "label": ["x"], "split": ["train"]})
    with pytest.raises(ValueError, match="the columns speaker"):
        folds(BY_SPLIT, manifest)
    with pytest.raises(ValueError, match="found none in valid"):
        folds(Task("plain", "toy", "toy"), manifest)


def test_a_slip_in_the_name_of_a_split_does_not_lose_clips_in_silence() -> None:
    names = ["train", "valid", "test", "tset"]
    manifest = pd.DataFrame({"file": list("abcd"), "label": ["x"] * 4, "split": names, "used": ["y", "y", "y", "n"]})
    with pytest.raises(ValueError, match="the splits train, valid and test, found 'tset', too"):
        folds(Task("plain", "toy", "toy"), manifest)
    assert len(folds(Task("plain", "toy", "toy", subset=("used", "y")), manifest)) == 1


def test_tasks_by_name() -> None:
    assert [task.name for task in find_tasks("core")] == [task.name for task in find_tasks(["core", "esc50"])]
    assert len(find_tasks("all")) == len(TASKS)
    assert [task.name for task in find_tasks("esc10, esc50")] == ["esc10", "esc50"]
    with pytest.raises(ValueError, match="got 'nope'"):
        find_tasks("esc50,nope")


@pytest.mark.parametrize("name", TASKS)
def test_the_real_sets(name: str, labelled_sets: Path) -> None:
    task = TASKS[name]
    manifest = read_manifest(labelled_sets / f"{task.source}.tar")
    expected = {"spoken_digits": 6, "esc50": 5, "esc10": 5, "speaker_gender": 5, "emodb": 5}.get(name, 1)
    found = folds(task, manifest)
    assert len(found) == expected
    groups = groups_of(task, manifest)
    for fold in found:
        assert not set(groups[fold.train]) & set(groups[fold.test])
        assert len(fold.choose) > 0.1 * len(fold.train)
    # Made folds and the official five leave the last one out of every choice.
    assert len(folds(task, manifest, validation=True)) == expected - (expected == 5)
