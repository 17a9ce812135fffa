"""Read a run's folder: its tasks, models and outcomes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.comparison.metrics import Metric, metric
from benchmark.comparison.outcome import Outcome, load_outcome
from benchmark.tasks.registry import SUITES

#: Domains in the table's order, and their names in it.
DOMAINS = {"speech": "speech", "nonspeech": "non-speech", "cross": "cross-domain"}


@dataclass(frozen=True)
class Column:
    """A task.

    Attributes:
        name: its name.
        title: short heading.
        domain: its domain, a key of :data:`DOMAINS`.
        description: one line.
        sha256: hash of its content.
        metric: its first score; None if no model has an outcome.
        files: ``(n_files,)`` tested files as ``fold/name``, sorted; empty if no model has an outcome.
        fold_of: ``(n_files,)`` index of each file's fold.
        folds: names of the folds, or of the test split.
        own_settings: values of probe settings that replace those of the grid.
    """

    name: str
    title: str
    domain: str
    description: str
    sha256: str
    metric: Metric | None
    files: NDArray[np.str_]
    fold_of: NDArray[np.int64]
    folds: tuple[str, ...]
    own_settings: dict[str, list[Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Model:
    """A row of a run.

    Attributes:
        name: its name.
        note: note for the reader.
        status: ``ok``; ``unavailable``; ``failed`` if it was tried and has no outcome that can be used; or
            ``not measured``.
        reason: why it is not ok.
        identity: identity of the model that was measured; several are separated by commas.
    """

    name: str
    note: str
    status: str
    reason: str
    identity: str = ""


@dataclass
class Run:
    """A run's folder.

    Attributes:
        folder: its path.
        suite: name of the suite, or "tasks" if the tasks are not exactly those of a suite.
        columns: the tasks, by domain.
        models: the models, in the run's order.
        outcomes: comparable outcomes by model and task.
        missing: reasons for missing or unused outcomes, by model and task.
        notes: other notes for the reader.
        about: settings, provenance and versions.
    """

    folder: Path
    suite: str
    columns: list[Column]
    models: list[Model]
    outcomes: dict[tuple[str, str], Outcome]
    missing: dict[tuple[str, str], str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)


def _keys(outcome: Outcome) -> NDArray[np.str_]:
    """Each tested file with its fold, ``(n_files,)``; names of files can recur in several folds."""
    return np.array([f"{outcome.folds[fold]}/{file}" for fold, file in zip(outcome.fold_of, outcome.files)], str)


def sorted_outcome(outcome: Outcome) -> tuple[NDArray[np.str_], Outcome]:
    """Sort an outcome's files by fold and name, so that outcomes of the same task can be compared.

    Returns:
        The files' keys and the sorted outcome.
    """
    keys = _keys(outcome)
    order = np.lexsort((keys, np.asarray(outcome.fold_of)))
    by_file = ("files", "fold_of", "counts", "target", "predicted")
    in_order: dict[str, Any] = {name: np.asarray(getattr(outcome, name))[order] for name in by_file}
    return keys[order], replace(outcome, **in_order)


def load_run(folder: Path) -> Run:
    """Read a run's folder.

    Args:
        folder: with ``run.json`` and ``outcomes/MODEL/TASK.npz``.

    Returns:
        The run. Outcomes of another version of a task, of other files than the first model's, or without a finite score
        are left out, with the reason under ``missing``.

    Raises:
        FileNotFoundError: if there is no ``run.json``.
        ValueError: if it or an outcome cannot be read.
    """
    path = folder / "run.json"
    if not path.is_file():
        raise FileNotFoundError(f"no run.json in {folder}: expected a folder that `python -m benchmark run` wrote")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        tasks, cells = dict(content["tasks"]), list(content["cells"])
        ordered = sorted(tasks, key=lambda name: list(DOMAINS).index(tasks[name]["domain"]))
        models = {str(name): dict(about) for name, about in content["models"].items()}
        notes = {(cell["model"], cell["task"]): (cell["status"], str(cell.get("note") or "")) for cell in cells}
        about = {key: content[key] for key in ("settings", "provenance", "versions") if key in content}
    except (UnicodeDecodeError, json.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f"{path}: expected models, tasks and cells as `python -m benchmark run` writes them: {error!r}"
        ) from error
    run = Run(folder, _suite({*tasks, *(task for _, task in notes)}), [], [], {}, about=about)
    run.missing = {key: _without_outcome(*each) for key, each in notes.items() if each[0] != "kept"}
    for name in ordered:
        run.columns.append(_column(run, name, tasks[name], list(models)))
    for name, model in models.items():
        run.models.append(_model(run, name, model, notes))
    for name in dict.fromkeys(task for _, task in notes if task not in tasks):
        run.notes.append(f"{name}: no column, because the task is not available{_why(name, notes, models)}")
    return run


def _why(task: str, notes: dict[tuple[str, str], tuple[str, str]], models: dict[str, dict[str, Any]]) -> str:
    """The reason of a missing task, after a colon; empty if no model tells it."""
    # A model that is not available itself gives its own reason for every task.
    available = [name for name, about in models.items() if not about.get("missing")]
    found = [note for (model, name), (_, note) in notes.items() if name == task and model in available and note]
    return f": {found[0]}" if found else ""


def _suite(tasks: set[str]) -> str:
    """The suite with exactly these tasks, else "tasks"."""
    for name in SUITES:
        try:
            if tasks == set(SUITES[name]):
                return name
        except ModuleNotFoundError:  # the packages of that suite's tasks are not installed, so these are other tasks
            continue
    return "tasks"


def _without_outcome(status: str, note: str) -> str:
    """Why a cell has no outcome, if it turns out to have none."""
    return "its outcome is not in the folder" if status in ("done", "cached") else note or status


def _model(run: Run, name: str, about: dict[str, Any], notes: dict[tuple[str, str], tuple[str, str]]) -> Model:
    note, reason = str(about.get("note") or ""), str(about.get("missing") or "")
    identities = {outcome.model_identity for (model, _), outcome in run.outcomes.items() if model == name}
    if identities:
        return Model(name, note, "ok", "", ", ".join(sorted(identities)))
    if reason:
        return Model(name, note, "unavailable", reason)
    why = {task: text for (model, task), text in run.missing.items() if model == name}
    failed = [task for task in why if notes.get((name, task), ("",))[0] == "failed"]
    unused = [task for task in why if _path(run, name, task).is_file()]
    if failed or unused:
        return Model(name, note, "failed", why[[*failed, *unused][0]])
    return Model(name, note, "not measured", "; ".join(dict.fromkeys(why.values())) or "not run")


def _path(run: Run, model: str, task: str) -> Path:
    return run.folder / "outcomes" / model / f"{task}.npz"


def _column(run: Run, name: str, task: dict[str, Any], models: list[str]) -> Column:
    """A task; its models' outcomes are added to the run."""
    files: NDArray[np.str_] | None = None
    first: Outcome | None = None
    for model in models:
        path = _path(run, model, name)
        if not path.is_file():
            continue
        keys, outcome = sorted_outcome(load_outcome(path))
        if task.get("sha256") and outcome.task_sha256 != task["sha256"]:
            run.missing[model, name] = "its outcome is of another version of the task; run it again"
        elif not np.isfinite(outcome.score):
            run.missing[model, name] = f"heareval's {outcome.metrics[0]} is not a number"
        elif files is not None and not np.array_equal(files, keys):
            run.missing[model, name] = "its outcome has other files than that of the first row; run it again"
        else:
            run.missing.pop((model, name), None)
            if first is None:
                files, first = keys, outcome
            run.outcomes[model, name] = outcome
    return Column(
        name=name,
        title=str(task.get("title") or name),
        domain=str(task["domain"]),
        description=str(task.get("description") or ""),
        sha256=str(task.get("sha256") or ""),
        metric=metric(first.metrics[0]) if first else None,
        files=files if files is not None else np.array([], str),
        fold_of=np.asarray(first.fold_of, np.int64) if first else np.array([], np.int64),
        folds=first.folds if first else (),
        own_settings=dict(task.get("own_settings") or {}),
    )
