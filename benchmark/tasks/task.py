"""Tasks: clips with labels or events in splits, and how heareval trains and scores on them.

Source:
    Turian et al., HEAR: Holistic Evaluation of Audio Representations (arXiv 2203.03022).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

#: Kinds of sounds that tasks have; also the table's groups of columns.
Domain = Literal["speech", "nonspeech", "cross"]


@dataclass(frozen=True)
class Event:
    """A labelled segment of a file, in milliseconds from its start."""

    label: str
    start_ms: float
    end_ms: float


@dataclass(frozen=True)
class Item:
    """One file of a task.

    Attributes:
        file: its name, which ends in ``.wav`` and is unique within the task.
        split: the split or fold that it belongs to.
        samples: ``(n_samples,)`` float32 in [-1, 1] at 16 kHz, or a function that returns them.
        labels: one label (multiclass), any number of labels (multilabel), or events.
        group: what must not be in two splits, such as a speaker or recording; several are separated by spaces. The
            file's own name if it has nothing in common with other files.
    """

    file: str
    split: str
    samples: np.ndarray | Callable[[], np.ndarray]
    labels: tuple[str, ...] | tuple[Event, ...]
    group: str


@dataclass(frozen=True)
class Task:
    """A task that can be built.

    Attributes:
        name: its name, and its folder's.
        title: short heading for a table.
        domain: kind of its sounds.
        description: what is predicted about which sounds, and how they are split, in one line.
        embedding_type: ``scene`` or ``event``.
        prediction_type: ``multiclass`` or ``multilabel``.
        splits: ``("train", "valid", "test")``, or the names of folds, each of which is tested once
            (``presplit_kfold``).
        sample_duration: length of each file, s; heareval cuts or pads files to it.
        evaluation: heareval's names of the scores; the first selects the probe.
        items: takes the folder of sources and yields the files, the same ones at every call.
        sources: names of the labelled sets or packages that the files are made of.
        evaluation_params: further parameters of heareval, such as an event task's grid of postprocessing.
        sparse: whether splits may lack labels, as those of a sample that is too small for a result do.
    """

    name: str
    title: str
    domain: Domain
    description: str
    embedding_type: Literal["scene", "event"]
    prediction_type: Literal["multiclass", "multilabel"]
    splits: tuple[str, ...]
    sample_duration: float
    evaluation: tuple[str, ...]
    items: Callable[[Path], Iterable[Item]]
    sources: tuple[str, ...]
    evaluation_params: dict[str, Any] = field(default_factory=dict)
    sparse: bool = False

    @property
    def split_mode(self) -> str:
        """heareval's name for the use of the splits."""
        return "trainvaltest" if self.splits == ("train", "valid", "test") else "presplit_kfold"
