"""Results as tables: for the terminal, Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.probes.probe import TaskResult
from benchmark.probes.splits import TASKS
from benchmark.reporting.markdown import NOTHING, markdown
from byola_hear.cli.terminal import aligned
from byola_hear.utils.files import replacing

#: Result files that can be written, by suffix.
FORMATS = (".csv", ".md", ".json")


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        name: what it is called.
        note: what a reader must know about it.
        results: for each seed, the results by task; one seed for what is not random.
        seed: of the bootstrap.
        missing: why there are no results, and how there would be; empty if there are.
    """

    name: str
    note: str
    results: list[dict[str, TaskResult]]
    seed: int = 0
    missing: str = ""

    def task(self, name: str) -> TaskResult:
        """A task's result, each fold's accuracy averaged over the seeds."""
        several = [results[name] for results in self.results]
        accuracies = np.mean([result.accuracies for result in several], axis=0).tolist()
        return TaskResult(name, several[0].fold_names, accuracies, several[0].strengths, several[0].counts)

    @property
    def tasks(self) -> list[str]:
        """Names of the tasks, in order; none if there are no results."""
        return list(self.results[0]) if self.results else []

    @property
    def mean(self) -> float:
        """Mean accuracy over the tasks, %."""
        return float(np.mean([self.task(name).accuracy for name in self.tasks]))

    def mean_interval(self) -> tuple[float, float]:
        """95 % bootstrap interval of the mean, every task's tested clips resampled, %."""
        draws = [self.task(name).draws(self.seed + number) for number, name in enumerate(self.tasks)]
        low, high = np.percentile(np.mean(draws, axis=0), [2.5, 97.5])
        return float(low), float(high)


def _tasks(rows: list[Row]) -> list[str]:
    """Names of the tasks, in order, out of the first row that was measured."""
    return next((row.tasks for row in rows if row.tasks), [])


def _cells(rows: list[Row]) -> tuple[list[list[float]], list[list[str]]]:
    """Accuracies, and the same with half the width of the interval, a column a task and one for the mean; minus
    infinity and a dash in a row that was not measured."""
    n_columns = len(_tasks(rows)) + 1
    numbers, texts = [], []
    for row in rows:
        if row.missing:
            numbers.append([-math.inf] * n_columns)
            texts.append([NOTHING] * n_columns)
            continue
        values = [(row.task(name).accuracy, row.task(name).interval(row.seed)) for name in row.tasks]
        values.append((row.mean, row.mean_interval()))
        numbers.append([value for value, _ in values])
        texts.append([f"{value:.1f} ± {(high - low) / 2:.1f}" for value, (low, high) in values])
    return numbers, texts


def _header(rows: list[Row]) -> list[str]:
    return ["model", *(TASKS[name].title for name in _tasks(rows)), "mean"]


def terminal_table(rows: list[Row]) -> str:
    """The table as aligned text: accuracy in % ± half the 95 % interval; below it, why a row is empty."""
    table = aligned(_header(rows), [[row.name, *cells] for row, cells in zip(rows, _cells(rows)[1])])
    return "\n".join([table.rstrip("\n"), *(f"{row.name}: not measured: {row.missing}" for row in rows if row.missing)])


def markdown_table(rows: list[Row], caption: str = "") -> str:
    """The table in Markdown, the best of each column in bold, the spread over folds in a second table below."""
    numbers, texts = _cells(rows)
    best = [max(round(value, 1) if math.isfinite(value) else value for value in column) for column in zip(*numbers)]
    bold = [
        [
            f"**{text}**" if math.isfinite(value) and round(value, 1) == top else text
            for value, text, top in zip(values, cells, best)
        ]
        for values, cells in zip(numbers, texts)
    ]
    parts = [markdown(_header(rows), [[row.name, *cells] for row, cells in zip(rows, bold)])]
    if caption:
        parts.append(caption + "\n")
    measured = [row for row in rows if not row.missing]
    folded = [name for name in _tasks(rows) if measured[0].task(name).spread is not None]
    if folded:
        spreads = [[row.name, *(f"{row.task(name).spread:.1f}" for name in folded)] for row in measured]
        parts.append("Standard deviation over the folds, points:\n")
        parts.append(markdown(["model", *(TASKS[name].title for name in folded)], spreads))
    notes = [f"- {row.name}: {f'not measured: {row.missing}' if row.missing else row.note}" for row in rows]
    parts.append("".join(f"{note}\n" for note, row in zip(notes, rows) if row.missing or row.note))
    return "\n".join(part for part in parts if part)


def csv_table(rows: list[Row]) -> str:
    """One line a model, seed, task and fold: ``model,seed,task,fold,accuracy,clips,strength,missing``; one for a row
    that was not measured, with nothing but its name and, under ``missing``, why."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["model", "seed", "task", "fold", "accuracy", "clips", "strength", "missing"])
    for row in rows:
        if row.missing:
            writer.writerow([row.name, *[""] * 6, row.missing])
        for seed, results in enumerate(row.results):
            for name, result in results.items():
                for fold in zip(result.fold_names, result.accuracies, result.counts, result.strengths):
                    writer.writerow([row.name, seed, name, fold[0], f"{fold[1]:.4f}", fold[2], f"{fold[3]:g}", ""])
    return stream.getvalue()


def json_table(rows: list[Row], about: dict[str, Any]) -> str:
    """Everything, with where it comes from. A row that was not measured has its reason under ``missing`` and neither
    tasks nor means; ``missing`` is null for the others."""
    models: dict[str, Any] = {
        row.name: {
            "note": row.note,
            "missing": None,
            "mean": row.mean,
            "mean_interval": row.mean_interval(),
            "tasks": {
                name: {
                    "accuracy": row.task(name).accuracy,
                    "spread": row.task(name).spread,
                    "interval": row.task(name).interval(row.seed),
                    "seeds": [results[name].accuracy for results in row.results],
                    "folds": dict(zip(row.task(name).fold_names, row.task(name).accuracies)),
                    "clips": row.task(name).counts,
                }
                for name in row.tasks
            },
        }
        if not row.missing
        else {"note": row.note, "missing": row.missing, "mean": None, "mean_interval": None, "tasks": {}}
        for row in rows
    }
    return json.dumps({"about": about, "models": models}, indent=1) + "\n"


def write(path: Path, rows: list[Row], about: dict[str, Any], caption: str = "") -> None:
    """Write the results in the form that the path's suffix names.

    Raises:
        ValueError: if the suffix is another.
        FileNotFoundError: if the folder does not exist.
    """
    if path.suffix == ".csv":
        text = csv_table(rows)
    elif path.suffix == ".md":
        text = markdown_table(rows, caption)
    elif path.suffix == ".json":
        text = json_table(rows, about)
    else:
        raise ValueError(f"expected a result file that ends in {', '.join(FORMATS)}, got {path}")
    with replacing(path) as stream:
        stream.write(text.encode())
