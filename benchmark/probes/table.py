"""The probe's results as tables: for the terminal, Markdown, CSV and JSON.

The JSON document holds everything. The terminal's and the Markdown table are made from it, so that they can be written
again without measuring anything.
"""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmark.probes.probe import INDEPENDENT, TaskResult, mean_interval
from benchmark.probes.splits import TASKS
from benchmark.reporting.markdown import NOTHING, markdown
from benchmark.reporting.provenance import completed_with, measured_with
from byola_hear.cli.terminal import aligned
from byola_hear.utils.files import write_file

#: Suffixes of the result files.
FORMATS = (".csv", ".md", ".json")


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        name: its name.
        note: what a reader must know about it.
        results: results by task for each seed; one seed for models that are not random.
        seed: seed of the bootstrap.
        missing: why there are no results, and how to get them; empty if there are results.
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
        """95 % bootstrap interval of the mean, %; the tested clips of every task are resampled."""
        return mean_interval([self.task(name) for name in self.tasks], self.seed)


def document_of(rows: list[Row], about: dict[str, Any]) -> dict[str, Any]:
    """Everything that was measured, as JSON values.

    Args:
        rows: the rows.
        about: how it was measured.

    Returns:
        ``about`` and ``models`` by name. A row that was not measured has its reason under ``missing`` and neither tasks
        nor means; ``missing`` is None for the others.
    """
    return {"about": about, "models": {row.name: _model(row) for row in rows}}


def _model(row: Row) -> dict[str, Any]:
    if row.missing:
        return {"note": row.note, "missing": row.missing, "mean": None, "mean_interval": None, "tasks": {}}
    return {
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


def caption_of(document: dict[str, Any]) -> str:
    """What the numbers of a table are."""
    return (
        "Accuracy, %, of a standardised ridge probe on clip embeddings "
        f"({document['about']['parts']} parts, mean over the folds, groups never split), ± half the 95 % bootstrap "
        f"interval over the tested clips, Wilson's where all or none are right. {INDEPENDENT}"
    )


def _tasks(document: dict[str, Any]) -> list[str]:
    """Names of all tasks, in order: first those of the row that has most."""
    rows = sorted((list(model["tasks"]) for model in document["models"].values()), key=len, reverse=True)
    return list(dict.fromkeys(name for tasks in rows for name in tasks))


def _header(document: dict[str, Any]) -> list[str]:
    return ["model", *(TASKS[name].title for name in _tasks(document)), "mean"]


def _values(model: dict[str, Any], tasks: list[str]) -> list[tuple[float, tuple[float, float]] | None]:
    """Accuracies with their intervals: one for each task, and the mean; None for what a row lacks."""
    found = [model["tasks"].get(name) for name in tasks]
    values = [None if each is None else (each["accuracy"], each["interval"]) for each in found]
    return [*values, None if model["mean"] is None else (model["mean"], model["mean_interval"])]


def _cells(document: dict[str, Any]) -> tuple[list[list[float]], list[list[str]]]:
    """Accuracies, and the same as text with half the width of the interval, a column for each task and one for the
    mean. What was not measured is minus infinity and a dash.
    """
    tasks = _tasks(document)
    numbers, texts = [], []
    for model in document["models"].values():
        values = _values(model, tasks)
        numbers.append([-math.inf if each is None else each[0] for each in values])
        texts.append(
            [NOTHING if each is None else f"{each[0]:.1f} ± {(each[1][1] - each[1][0]) / 2:.1f}" for each in values]
        )
    return numbers, texts


def terminal_table(document: dict[str, Any]) -> str:
    """The table as aligned text: accuracy in % ± half the 95 % interval. Below it, the reasons of empty rows."""
    models = document["models"]
    table = aligned(_header(document), [[name, *cells] for name, cells in zip(models, _cells(document)[1])])
    reasons = [f"{name}: not measured: {model['missing']}" for name, model in models.items() if model["missing"]]
    return "\n".join([table.rstrip("\n"), *reasons])


def markdown_table(document: dict[str, Any]) -> str:
    """The table in Markdown, the best of each column in bold, and below it the standard deviations over the folds."""
    models = document["models"]
    numbers, texts = _cells(document)
    best = [max(round(value, 1) if math.isfinite(value) else value for value in column) for column in zip(*numbers)]
    bold = [
        [
            f"**{text}**" if math.isfinite(value) and round(value, 1) == top else text
            for value, text, top in zip(values, cells, best)
        ]
        for values, cells in zip(numbers, texts)
    ]
    parts = [markdown(_header(document), [[name, *cells] for name, cells in zip(models, bold)])]
    parts.append(caption_of(document) + "\n")
    measured = {name: model["tasks"] for name, model in models.items() if not model["missing"]}
    folded = [
        task
        for task in _tasks(document)
        if any(tasks.get(task, {}).get("spread") is not None for tasks in measured.values())
    ]
    if folded:
        spreads = [
            [name, *(f"{tasks[task]['spread']:.1f}" if task in tasks else NOTHING for task in folded)]
            for name, tasks in measured.items()
        ]
        parts.append("Standard deviation over the folds, points:\n")
        parts.append(markdown(["model", *(TASKS[task].title for task in folded)], spreads))
    notes = {
        name: f"not measured: {model['missing']}" if model["missing"] else model["note"]
        for name, model in models.items()
    }
    parts.append("".join(f"- {name}: {note}\n" for name, note in notes.items() if note))
    if "commit" in document["about"]:
        about = document["about"]
        later = [completed_with(each, _added(document, each)) for each in about.get("added", [])]
        parts.append(" ".join([measured_with(about), *later]) + "\n")
    return "\n".join(part for part in parts if part)


def _added(document: dict[str, Any], added: dict[str, Any]) -> str:
    """The tasks of what was added to a table, and the models if they are not all."""
    titles = [TASKS[name].title for name in _tasks(document) if TASKS[name].source in added["tasks"]]
    measured = [name for name, model in document["models"].items() if not model["missing"]]
    models = added.get("models", measured)
    return f"{', '.join(titles)} of {'all models' if set(measured) <= set(models) else ', '.join(models)}"


def csv_table(rows: list[Row]) -> str:
    """One line for each model, seed, task and fold: ``model,seed,task,fold,accuracy,clips,strength,missing``.

    A row that was not measured has one line with its name and, under ``missing``, the reason.
    """
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


def write(path: Path, rows: list[Row], about: dict[str, Any]) -> None:
    """Write the results in the format of the path's suffix.

    Raises:
        ValueError: if the suffix is not one of :data:`FORMATS`.
        FileNotFoundError: if the folder does not exist.
    """
    if path.suffix not in FORMATS:
        raise ValueError(f"expected a result file that ends in {', '.join(FORMATS)}, got {path}")
    if path.suffix == ".csv":
        text = csv_table(rows)
    elif path.suffix == ".md":
        text = markdown_table(document_of(rows, about))
    else:
        text = json.dumps(document_of(rows, about), indent=1) + "\n"
    write_file(path, text)
