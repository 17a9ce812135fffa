"""What a task is: clips with labels or events in splits, and how heareval is to train and score on them.

Source:
    Turian et al., HEAR: Holistic Evaluation of Audio Representations (arXiv 2203.03022).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

#: What a task's sounds are; the table's groups of columns.
Domain = Literal["speech", "nonspeech", "cross"]


@dataclass(frozen=True)
class Event:
    """A labelled stretch of a file, in milliseconds from its start."""

    label: str
    start_ms: float
    end_ms: float


@dataclass(frozen=True)
class Item:
    """One file of a task.

    Attributes:
        file: its name, ending in ``.wav``; unique within the task.
        split: the split or fold that it belongs to.
        samples: ``(n_samples,)`` float32 in [-1, 1] at 16 kHz, or what makes them when the file is written.
        labels: one label (multiclass), any number (multilabel), or events.
        group: what must not be in two splits (speaker, recording, note), several with spaces between; the file itself
            where nothing is shared.
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
        domain: of its sounds.
        description: one line: what is told about which sounds, and how it is split.
        embedding_type: ``scene`` or ``event``.
        prediction_type: ``multiclass`` or ``multilabel``.
        splits: ``("train", "valid", "test")``, or the names of folds, which are then used as they are
            (``presplit_kfold``): each once for testing.
        sample_duration: seconds, of each file; heareval cuts and pads to it.
        evaluation: heareval's names of the scores; the first selects.
        items: makes the files from the folder of sources; the same at every call.
        sources: names of the labelled sets or packages that it is made of.
        evaluation_params: heareval's, such as an event task's grid of postprocessing.
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

    @property
    def split_mode(self) -> str:
        """heareval's name for how the splits are used."""
        return "trainvaltest" if self.splits == ("train", "valid", "test") else "presplit_kfold"
