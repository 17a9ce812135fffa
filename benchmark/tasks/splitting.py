"""Clips into splits: whole groups, in given shares, no more of anything than is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from benchmark.datasets.labelled_set import LabelledSet


def need_columns(labelled: LabelledSet, *columns: str) -> None:
    """Stop if a set's manifest lacks a column.

    Raises:
        ValueError: if it does.
    """
    missing = sorted(set(columns) - set(labelled.manifest.columns))
    if missing:
        found = ", ".join(labelled.manifest.columns)
        raise ValueError(f"expected the columns {', '.join(missing)} in the manifest of {labelled.name}, found {found}")


def one_split_a_group(splits: Sequence[str], groups: Sequence[str]) -> np.ndarray:
    """Which clips are in the split where their group has most.

    Returns:
        ``(n_clips,)`` of bool.

    >>> one_split_a_group(["train", "train", "test", "test"], ["a", "a", "a", "b"])
    array([ True,  True, False,  True])
    """
    table = pd.crosstab(pd.Series(list(groups), dtype=object), pd.Series(list(splits), dtype=object))
    home = table.idxmax(axis=1).to_dict()
    return np.array([home[group] == split for split, group in zip(splits, groups)], bool)


def at_most(cells: Sequence[tuple[str, str]], limits: Sequence[int | None], seed: int = 0) -> np.ndarray:
    """Draw clips so that no cell has more than its limit.

    Args:
        cells: what is counted together, one a clip.
        limits: how many of its cell may stay, one a clip; None for all.
        seed: of the draw.

    Returns:
        ``(n_kept,)`` sorted positions.
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
    """Put whole groups into splits, each stratum in the proportions of all.

    Groups are dealt in a random order, largest first, each to the split that lacks most clips of the group's stratum,
    and of all clips where two lack the same. A stratum that has as many groups as there are splits is in each.

    Args:
        groups: the group of each clip.
        strata: what is to be spread evenly, of each clip; a group that has several counts as its first.
        shares: the splits' names, and what part of the clips each should get, relative to the sum.
        seed: of the order.

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
            # As many groups left as splits that have none: each of these gets one.
            open_ = given == 0 if len(members) - place <= np.sum(given == 0) else np.ones(len(names), bool)
            lacking = np.where(open_, wanted - given, -np.inf)
            candidates = np.flatnonzero(np.isclose(lacking, lacking.max()))
            chosen = candidates[np.argmin((total / parts)[candidates])]
            given[chosen] += sizes[group]
            total[chosen] += sizes[group]
            split_of[group] = names[chosen]
    return [split_of[group] for group in groups]
