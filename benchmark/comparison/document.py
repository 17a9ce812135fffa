"""The comparison as one JSON document: what its tables and its page show, and nothing that cannot be written."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmark.comparison.advantage import Advantage, Difference
from benchmark.comparison.metrics import Metric, metric
from benchmark.comparison.published import PublishedRow
from benchmark.comparison.rows import Mean


@dataclass(frozen=True)
class DocumentColumn:
    """A task.

    Attributes:
        name: its name.
        title: short heading.
        domain: its domain, a key of :data:`benchmark.comparison.folder.DOMAINS`.
        description: one line.
        sha256: hash of its content.
        metric: heareval's name of its score; empty if no model has an outcome.
        metric_title: the score's name for readers.
        fraction: whether the score is on a scale from 0 to 1.
        lower_is_better: whether a lower score is better.
        files: number of tested files.
        folds: number of folds.
        own_settings: values of probe settings that replace those of the grid.
    """

    name: str
    title: str
    domain: str
    description: str
    sha256: str
    metric: str
    metric_title: str
    fraction: bool
    lower_is_better: bool
    files: int
    folds: int
    own_settings: dict[str, list[Any]]

    @property
    def shown_as(self) -> Metric:
        """How its scores are shown; as an accuracy if there are none."""
        return metric(self.metric or "top1_acc")


@dataclass(frozen=True)
class DocumentCell:
    """A model's score on a task.

    Attributes:
        score: heareval's score, mean over the folds.
        gain: the same so that higher is better.
        low: lower end of its 95 % interval; None without one.
        high: upper end.
        interval: the interval's method, see :class:`benchmark.comparison.intervals.Interval`.
        spread: standard deviation over the folds; None with one fold.
        folds: score by fold.
        others: heareval's other scores, mean over the folds.
    """

    score: float
    gain: float
    low: float | None
    high: float | None
    interval: str | None
    spread: float | None
    folds: dict[str, float | None]
    others: dict[str, float | None]


@dataclass(frozen=True)
class DocumentRow:
    """A model; attributes as of :class:`benchmark.comparison.comparison.Row`."""

    name: str
    note: str
    status: str
    reason: str
    identity: str
    cells: dict[str, DocumentCell]
    missing: dict[str, str]
    means: dict[str, Mean]
    hear: Mean | None


@dataclass(frozen=True)
class Compared:
    """Names of the rows and tasks of HEAR's average."""

    rows: list[str]
    tasks: list[str]


@dataclass(frozen=True)
class Published:
    """Scores from the literature, and where they are from."""

    source: str
    rows: list[PublishedRow]


@dataclass(frozen=True)
class Document:
    """Everything that the tables show.

    Attributes:
        suite: name of the suite.
        seed: seed of everything random.
        about: provenance.
        settings: settings of the probes that are the same for all models.
        notes: notes for the reader, a sentence each.
        groups: the domains that have tasks, in order.
        columns: the tasks, grouped by domain.
        rows: the models, in the table's order.
        best: names of the best rows by task, domain, overall and ``hear``.
        in_means: names of the tasks of each mean.
        hear: what HEAR's average compares.
        advantages: domain advantages of the networks.
        published: scores from the literature.
    """

    suite: str
    seed: int
    about: dict[str, Any]
    settings: dict[str, Any]
    notes: list[str]
    groups: list[str]
    columns: list[DocumentColumn]
    rows: list[DocumentRow]
    best: dict[str, list[str]]
    in_means: dict[str, list[str]]
    hear: Compared
    advantages: list[Advantage]
    published: Published

    def column(self, name: str) -> DocumentColumn:
        """A task by its name."""
        return next(column for column in self.columns if column.name == name)

    def as_json(self) -> dict[str, Any]:
        """The document as JSON values; nan is None."""
        values: dict[str, Any] = _plain(asdict(self))
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Document:
        """Undo :meth:`as_json`.

        Raises:
            KeyError: if something is missing.
            TypeError: if something has other or unknown parts.
        """
        made = {
            "columns": [DocumentColumn(**column) for column in values["columns"]],
            "rows": [_row(row) for row in values["rows"]],
            "hear": Compared(**values["hear"]),
            "advantages": [_advantage(each) for each in values["advantages"]],
            "published": Published(
                values["published"]["source"], [PublishedRow(**row) for row in values["published"]["rows"]]
            ),
        }
        return cls(**{**values, **made})


def read_document(path: Path) -> Document:
    """Read a document.

    Args:
        path: ``table.json`` of a run, or a suite's file in ``benchmark/results``.

    Raises:
        FileNotFoundError: if it does not exist.
        ValueError: if it is another file.
    """
    try:
        return Document.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: expected tables that `python -m benchmark table` wrote: {error!r}") from error


def _row(values: Mapping[str, Any]) -> DocumentRow:
    made = {
        "cells": {name: DocumentCell(**cell) for name, cell in values["cells"].items()},
        "means": {name: Mean(**mean) for name, mean in values["means"].items()},
        "hear": Mean(**values["hear"]) if values["hear"] else None,
    }
    return DocumentRow(**{**values, **made})


def _advantage(values: Mapping[str, Any]) -> Advantage:
    return Advantage(**{**values, "differences": [Difference(**each) for each in values["differences"]]})


def _plain(value: Any) -> Any:
    """Convert to JSON values: nan and infinity to None, tuples to lists, numpy's numbers to Python's."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if hasattr(value, "item") and not isinstance(value, (str, bytes)):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
