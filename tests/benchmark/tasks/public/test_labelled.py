"""Tasks of a labelled set's clips: groups stay together, labels stay spread."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.datasets.labelled_set import CACHE_VARIABLE
from benchmark.tasks.public.labelled import LabelledClips
from benchmark.tasks.splitting import at_most, deal, one_split_a_group
from tests.benchmark.tasks.labelled_sets import clip, write_set


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    rows, clips = [], []
    for number in range(24):
        split = ("train", "valid", "test")[number // 2 % 3]
        speaker = "two places" if number in (0, 2, 6) else f"speaker {number}"
        rows.append({"file": f"{number}.wav", "label": f"0{number % 2}", "speaker": speaker, "split": split})
        clips.append(clip(number, 400 + number))
    write_set(tmp_path, "toy", rows, clips)
    return tmp_path


def test_files_have_the_sets_labels_splits_and_samples(sources: Path) -> None:
    items = list(LabelledClips("toy", label_prefix="is_", split_prefix="my_")(sources))
    assert len(items) == 24
    for number, item in enumerate(items):
        assert (item.file, item.labels) == (f"{number}.wav", (f"is_0{number % 2}",))
        assert item.split == ("my_train", "my_valid", "my_test")[number // 2 % 3]
        assert callable(item.samples)
        np.testing.assert_array_equal(item.samples() * 32768, clip(number, 400 + number))


def test_a_group_in_two_splits_stays_where_most_of_it_is(sources: Path) -> None:
    # Clips 0 and 6 of it are for training, 2 for validation.
    items = list(LabelledClips("toy", group="speaker")(sources))
    assert [item.file for item in items if item.group == "two_places"] == ["0.wav", "6.wav"]
    assert len(items) == 23


def test_labels_and_short_clips_can_be_left_out_and_cells_limited(sources: Path) -> None:
    assert {item.labels for item in LabelledClips("toy", leave_out=("00",))(sources)} == {("01",)}
    assert len(list(LabelledClips("toy", least_seconds=410 / 16000)(sources))) == 14
    items = list(LabelledClips("toy", max_clips={"train": 2, "valid": 1})(sources))
    assert [sum(item.split == split for item in items) for split in ("train", "valid", "test")] == [4, 2, 8]
    again = LabelledClips("toy", max_clips={"train": 2, "valid": 1})(sources)
    assert [item.file for item in items] == [item.file for item in again]


def test_a_missing_column_is_named(sources: Path) -> None:
    with pytest.raises(ValueError, match=r"expected the columns pitch in the manifest of toy, found file, label"):
        list(LabelledClips("toy", label="pitch")(sources))


GROUPED = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3)), min_size=1, max_size=80)


@given(GROUPED, st.integers(2, 5), st.integers(0, 3))
def test_whole_groups_are_dealt_and_every_stratum_is_everywhere_if_it_can_be(
    clips: list[tuple[int, int]], n_splits: int, seed: int
) -> None:
    # A group belongs to one stratum.
    stratum_of: dict[int, int] = {}
    strata = [str(stratum_of.setdefault(group, stratum)) for group, stratum in clips]
    groups = [f"g{group}" for group, _ in clips]
    shares = {f"fold{number}": 1.0 for number in range(n_splits)}
    splits = deal(groups, strata, shares, seed)
    assert splits == deal(groups, strata, shares, seed) and set(splits) <= set(shares)
    assert len(set(zip(groups, splits))) == len(set(groups))
    for stratum in set(strata):
        members = {(group, split) for group, its, split in zip(groups, strata, splits) if its == stratum}
        assert len({split for _, split in members}) >= min(n_splits, len(members))


def test_shares_are_kept_where_groups_are_small() -> None:
    groups = [str(number) for number in range(100)]
    strata = ["x"] * 40 + ["y"] * 60
    splits = deal(groups, strata, {"train": 3, "valid": 1, "test": 1})
    for stratum, counts in (("x", (24, 8, 8)), ("y", (36, 12, 12))):
        found = [split for split, its in zip(splits, strata) if its == stratum]
        assert tuple(found.count(split) for split in ("train", "valid", "test")) == counts


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), min_size=1))
def test_a_group_is_left_in_one_split_only(clips: list[tuple[str, str]]) -> None:
    splits, groups = [split for split, _ in clips], [group for _, group in clips]
    kept = one_split_a_group(splits, groups)
    left = {(group, split) for group, split, stays in zip(groups, splits, kept) if stays}
    assert len(left) == len(set(groups))


@given(st.lists(st.sampled_from([("train", "a"), ("train", "b"), ("test", "a")])), st.integers(0, 5))
def test_no_cell_has_more_than_its_limit_nor_less_than_it_could(cells: list[tuple[str, str]], limit: int) -> None:
    kept = at_most(cells, [limit] * len(cells))
    for cell in set(cells):
        assert sum(cells[position] == cell for position in kept) == min(limit, cells.count(cell))
    assert len(at_most(cells, [None] * len(cells))) == len(cells)
