"""Tasks made of a labelled set's clips as they are: which clips, in which split, under which label."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.sources import LabelledSet, load_set
from benchmark.tasks.task import SAMPLE_RATE, Item


@dataclass(frozen=True)
class LabelledClips:
    """Makes a task's files out of a labelled set.

    A group that the set has in several splits stays in the one where it has most clips (the first of these in order
    of name), and its clips in the others are left out.

    Attributes:
        source: the set's name.
        label: the manifest's column of labels.
        group: the column of what must not be in two splits; None if each clip stands for itself.
        split: the column of splits or folds.
        label_prefix: stands before each label: heareval would read the label 0024 as 24.
        split_prefix: stands before each split's name.
        leave_out: labels that are not used.
        least_seconds: clips that are shorter are not used.
        max_clips: so many of each label in each split at most, drawn; None for all.
        shares: for a split that is made here instead, its names and the share of clips that each should get; whole
            groups go to one.
        stratify: columns whose mixture a split that is made here keeps.
    """

    source: str
    label: str = "label"
    group: str | None = None
    split: str = "split"
    label_prefix: str = ""
    split_prefix: str = ""
    leave_out: tuple[str, ...] = ()
    least_seconds: float = 0.0
    max_clips: int | Mapping[str, int] | None = None
    shares: Mapping[str, float] = field(default_factory=dict)
    stratify: tuple[str, ...] = ()

    def __call__(self, sources: Path) -> Iterator[Item]:
        """The files, from the folder of labelled sets."""
        labelled = load_set(sources / f"{self.source}.tar")
        need_columns(labelled, *{self.label, self.group or "file", *self.stratify})
        long_enough = labelled.lengths >= self.least_seconds * labelled.sample_rate
        rows = labelled.manifest[long_enough & ~labelled.manifest[self.label].isin(self.leave_out)]
        groups = rows[self.group or "file"]
        if self.shares:
            strata = rows[list(self.stratify or (self.label,))].agg("|".join, axis=1)
            splits = pd.Series(deal(list(groups), list(strata), self.shares), rows.index)
        else:
            need_columns(labelled, self.split)
            splits = rows[self.split]
        unsplit = one_split_a_group(list(splits), list(groups))
        rows, groups, splits = rows[unsplit], groups[unsplit], splits[unsplit]
        kept = at_most(list(zip(splits, rows[self.label])), [self._limit(split) for split in splits])
        for row in rows.index[kept]:
            yield Item(
                file=f"{Path(rows['file'][row]).stem}.wav",
                split=self.split_prefix + splits[row],
                samples=clip_of(labelled, row),
                labels=(self.label_prefix + rows[self.label][row],),
                # A space parts two groups.
                group=groups[row].replace(" ", "_"),
            )

    def _limit(self, split: str) -> int | None:
        return self.max_clips.get(split) if isinstance(self.max_clips, Mapping) else self.max_clips


def need_columns(labelled: LabelledSet, *columns: str) -> None:
    """Stop if a set's manifest lacks a column.

    Raises:
        ValueError: if it does.
    """
    missing = sorted(set(columns) - set(labelled.manifest.columns))
    if missing:
        found = ", ".join(labelled.manifest.columns)
        raise ValueError(f"expected the columns {', '.join(missing)} in the manifest of {labelled.name}, found {found}")


def clip_of(labelled: LabelledSet, row: int) -> partial[np.ndarray]:
    """What makes one clip of a set, ``(n_samples,)`` float32 at 16 kHz, when it is called."""
    return partial(labelled.clip, row, SAMPLE_RATE)


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
