"""Deal clips out to splits: whole groups, in given shares, with a limit for each label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from benchmark.datasets.labelled_set import LabelledSet


def need_columns(labelled: LabelledSet, *columns: str) -> None:
    """Check that a set's manifest has columns.

    Raises:
        ValueError: if it lacks one.
    """
    missing = sorted(set(columns) - set(labelled.manifest.columns))
    if missing:
        found = ", ".join(labelled.manifest.columns)
        raise ValueError(f"expected the columns {', '.join(missing)} in the manifest of {labelled.name}, found {found}")


def one_split_a_group(splits: Sequence[str], groups: Sequence[str]) -> np.ndarray:
    """Find the clips that are in the split where their group has most clips.

    Args:
        splits: the split of each clip.
        groups: the group of each clip.

    Returns:
        ``(n_clips,)`` bool.

    >>> one_split_a_group(["train", "train", "test", "test"], ["a", "a", "a", "b"])
    array([ True,  True, False,  True])
    """
    table = pd.crosstab(pd.Series(list(groups), dtype=object), pd.Series(list(splits), dtype=object))
    home = table.idxmax(axis=1).to_dict()
    return np.array([home[group] == split for split, group in zip(splits, groups)], bool)


def at_most(cells: Sequence[tuple[str, str]], limits: Sequence[int | None], seed: int = 0) -> np.ndarray:
    """Draw clips at random so that no cell has more clips than its limit.

    Args:
        cells: the cell of each clip, such as its split and label.
        limits: the limit of each clip's cell; None for no limit.
        seed: seed of the draw.

    Returns:
        ``(n_kept,)`` sorted positions of the clips that are kept.
    """
    counts: dict[tuple[str, str], int] = {}
    kept = []
    for position in np.random.default_rng(seed).permutation(len(cells)).tolist():
        cell, limit = cells[position], limits[position]
        counts[cell] = counts.get(cell, 0) + 1
        if limit is None or counts[cell] <= limit:
            kept.append(position)
    return np.sort(np.array(kept, int))


def deal(groups: Sequence[str], strata: Sequence[str], shares: Mapping[str, float], seed: int = 0) -> list[str]:
    """Deal whole groups out to splits so that each stratum has the same proportions.

    Groups are dealt in a random order, largest first. Each goes to the split that lacks most clips of the group's
    stratum; if two splits lack the same number, to the one that lacks more clips in all. A stratum with at least as
    many groups as there are splits is in every split.

    Args:
        groups: the group of each clip.
        strata: the stratum of each clip; a group with several strata counts as its first.
        shares: the share of the clips that each split should get, by its name; shares are relative to their sum.
        seed: seed of the order.

    Returns:
        The split of each clip.

    >>> deal(["ann", "ann", "bob", "eve"], ["x"] * 4, {"train": 2, "valid": 1, "test": 1})
    ['train', 'train', 'test', 'valid']
    """
    names, parts = list(shares), np.array(list(shares.values()), float)
    parts /= parts.sum()
    sizes = pd.Series(list(groups), dtype=object).value_counts().to_dict()
    stratum_of: dict[str, str] = {}
    for group, stratum in zip(groups, strata):
        stratum_of.setdefault(group, stratum)
    by_name = sorted(sizes)
    order = [by_name[place] for place in np.random.default_rng(seed).permutation(len(sizes))]
    order.sort(key=lambda group: -sizes[group])
    total = np.zeros(len(names))
    split_of: dict[str, str] = {}
    for stratum in sorted(set(stratum_of.values())):
        members = [group for group in order if stratum_of[group] == stratum]
        wanted = parts * sum(sizes[group] for group in members)
        given = np.zeros(len(names))
        for place, group in enumerate(members):
            # If as many groups are left as splits are empty, each empty split gets one.
            open_ = given == 0 if len(members) - place <= np.sum(given == 0) else np.ones(len(names), bool)
            lacking = np.where(open_, wanted - given, -np.inf)
            candidates = np.flatnonzero(np.isclose(lacking, lacking.max()))
            chosen = candidates[np.argmin((total / parts)[candidates])]
            given[chosen] += sizes[group]
            total[chosen] += sizes[group]
            split_of[group] = names[chosen]
    return [split_of[group] for group in groups]
