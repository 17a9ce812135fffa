"""Tasks that consist of clips of a labelled set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.datasets.labelled_set import SAMPLE_RATE, LabelledSet, load_set
from benchmark.tasks.splitting import at_most, deal, need_columns, one_split_a_group
from benchmark.tasks.task import Item


@dataclass(frozen=True)
class LabelledClips:
    """The clips of a labelled set as files of a task.

    If the set has a group in several splits, the group stays in the one where it has most clips (the first by name if
    there are several), and its clips in the other splits are left out. A split of which nothing is left is an error,
    as its name may be a slip.

    Attributes:
        source: the set's name.
        label: the manifest's column of labels.
        group: the column of groups that must not be in two splits; None if clips have nothing in common.
        split: the column of splits or folds.
        label_prefix: prefix of each label; without one, heareval would read the label 0024 as 24.
        split_prefix: prefix of each split's name.
        leave_out: labels that are not used.
        least_seconds: length of the shortest clip that is used, s.
        max_clips: greatest number of clips of a label in a split, drawn at random; None for all clips.
        shares: if given, whole groups are dealt out to these splits, by name, with these shares of the clips; ``split``
            is not used.
        stratify: columns whose mixture such splits keep; the label if empty.
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
        """Yield the files.

        Args:
            sources: the folder of labelled sets.

        Raises:
            ValueError: if the set lacks a column, or no group has most of its clips in one of the splits.
        """
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
        if lost := sorted(set(splits) - set(splits[unsplit])):
            raise ValueError(
                f"expected each {self.group} of {self.source} in one {self.split}, got none that has most of its clips "
                f"in {', '.join(map(repr, lost))}"
            )
        rows, groups, splits = rows[unsplit], groups[unsplit], splits[unsplit]
        kept = at_most(list(zip(splits, rows[self.label])), [self._limit(split) for split in splits])
        for row in rows.index[kept]:
            yield Item(
                file=f"{Path(rows['file'][row]).stem}.wav",
                split=self.split_prefix + splits[row],
                samples=clip_of(labelled, row),
                labels=(self.label_prefix + rows[self.label][row],),
                # A space separates groups.
                group=groups[row].replace(" ", "_"),
            )

    def _limit(self, split: str) -> int | None:
        return self.max_clips.get(split) if isinstance(self.max_clips, Mapping) else self.max_clips


def clip_of(labelled: LabelledSet, row: int) -> partial[np.ndarray]:
    """A function that returns a clip of a set, ``(n_samples,)`` float32 at 16 kHz."""
    return partial(labelled.clip, row, SAMPLE_RATE)
