"""A quantity to predict: clips with a number each, in groups that are never split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.datasets.labelled_set import LabelledSet, column


@dataclass(frozen=True)
class Examples:
    """The clips of a measurement.

    Attributes:
        clips: the clips; embedded and cached as a set.
        rows: ``(n,)`` positions in ``clips`` of those that are used.
        target: ``(n,)`` float64, the number of each clip.
        group: ``(n,)`` text; clips of a group are tested together.
        drawn: ``(n,)`` text, the units of the bootstrap; the groups if None.
    """

    clips: LabelledSet
    rows: np.ndarray
    target: np.ndarray
    group: np.ndarray
    drawn: np.ndarray | None = None


@dataclass(frozen=True)
class Measurement:
    """A quantity to predict from embeddings.

    Attributes:
        name: its name.
        title: short heading.
        unit: unit of target and error.
        description: clips and groups, in a line.
        examples: makes the clips from the folder of labelled sets, the cache folder and a seed.
    """

    name: str
    title: str
    unit: str
    description: str
    examples: Callable[[Path, Path, int], Examples]


def numbers_in(labelled: LabelledSet, name: str) -> np.ndarray:
    """``(n_clips,)`` float64, the numbers in a column of a set's manifest.

    Raises:
        ValueError: if the column does not exist, or a value is not a finite number.
    """
    texts = column(labelled, name)
    numbers: np.ndarray = pd.to_numeric(pd.Series(texts), errors="coerce").to_numpy(float)
    if (bad := ~np.isfinite(numbers)).any():
        raise ValueError(f"{labelled.name}: expected a number in every row of {name!r}, got {str(texts[bad][0])!r}")
    return numbers
