"""What is to be predicted: clips with a number each, and groups that are never split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.datasets.labelled_set import LabelledSet, column


@dataclass(frozen=True)
class Examples:
    """Clips of one measurement.

    Attributes:
        clips: the clips; embedded and cached as a set.
        rows: ``(n,)`` positions in ``clips`` of those that are used.
        target: ``(n,)`` float64, the number that belongs to each.
        group: ``(n,)`` text: clips of one group are all tested together or all trained on.
        drawn: ``(n,)`` text: what the bootstrap draws as a whole; the groups where None.
    """

    clips: LabelledSet
    rows: np.ndarray
    target: np.ndarray
    group: np.ndarray
    drawn: np.ndarray | None = None


@dataclass(frozen=True)
class Measurement:
    """A quantity that embeddings are asked for.

    Attributes:
        name: its name.
        title: short heading.
        unit: of target and error.
        description: which clips, which groups, in a line.
        examples: makes the clips, of the folder of labelled sets, the cache folder and a seed.
    """

    name: str
    title: str
    unit: str
    description: str
    examples: Callable[[Path, Path, int], Examples]


def numbers_in(labelled: LabelledSet, name: str) -> np.ndarray:
    """``(n_clips,)`` float64, the numbers in a column of a set's manifest.

    Raises:
        ValueError: if there is no such column, or a cell is no finite number.
    """
    texts = column(labelled, name)
    numbers: np.ndarray = pd.to_numeric(pd.Series(texts), errors="coerce").to_numpy(float)
    if (bad := ~np.isfinite(numbers)).any():
        raise ValueError(f"{labelled.name}: expected a number in every row of {name!r}, got {str(texts[bad][0])!r}")
    return numbers
