"""Groups stay together, and labels are spread over the splits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from benchmark.tasks.splitting import at_most, deal, one_split_a_group

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
