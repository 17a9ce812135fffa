"""What is to be predicted: clips with a number each, and groups that are never split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark.sources import LabelledSet


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
