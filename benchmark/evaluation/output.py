"""The output folder of a run: outcomes by model and task, all scores as CSV, and settings and provenance in run.json.

All outcomes in a folder have the same settings of the probes. Running models or tasks again replaces their outcomes.
"""

from __future__ import annotations

import io
import json
import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmark.comparison.document import read_document
from benchmark.comparison.joined import KEPT, valid_cells
from benchmark.comparison.outcome import Outcome, load_outcome, save_outcome
from benchmark.evaluation.scheduler import Result
from benchmark.evaluation.settings import ProbeSettings
from benchmark.models.heareval_rows import ModelRow
from benchmark.reporting.command_line import command_line
from benchmark.reporting.provenance import provenance
from benchmark.tasks.layout import Prepared
from byola_hear.utils.files import write_file

#: Columns of scores.csv, which has one line for each model, task, fold and score.
COLUMNS = (
    *("task", "title", "domain", "model", "fold", "metric", "score", "n_files"),
    *("embedding_seconds", "prediction_seconds", "grid", "grid_points", "task_sha256", "model_identity"),
)


class Output:
    """The output folder of a run.

    Args:
        folder: the folder; created if necessary.
        settings: heareval's settings of all outcomes in the folder.

    Raises:
        ValueError: if the folder has outcomes of other settings, or files that the benchmark did not write.
        OSError: if it can't be created.
    """

    def __init__(self, folder: Path, settings: ProbeSettings) -> None:
        self.folder = folder
        self.settings = settings
        (folder / "outcomes").mkdir(parents=True, exist_ok=True)
        self._earlier()  # raises an error before anything is measured
        for path, outcome in self.outcomes():
            others = (outcome.settings.get("grid"), outcome.settings.get("grid_points"))
            if others != (settings.grid, settings.grid_points):
                raise ValueError(
                    f"expected outcomes of the grid {settings.grid} with {settings.grid_points} points in {folder}, "
                    f"found {others[0]} with {others[1]} in {path}; choose another folder"
                )
            if outcome.settings.get("standardise", False) != settings.standardise:
                kinds = ("embeddings as they are", "standardised embeddings")
                raise ValueError(
                    f"expected outcomes of {kinds[settings.standardise]} in {folder}, found one of "
                    f"{kinds[not settings.standardise]} in {path}; choose another folder"
                )

    def outcomes(self) -> list[tuple[Path, Outcome]]:
        """All outcomes in the folder with their paths, sorted by model and task."""
        return [(path, load_outcome(path)) for path in sorted((self.folder / "outcomes").glob("*/*.npz"))]

    def tasks(self) -> list[str]:
        """Names of the tasks of the runs in the folder, also of those that could not be prepared."""
        earlier = self._earlier()
        return list(dict.fromkeys([*earlier["tasks"], *(task for _, task in earlier["cells"])]))

    def path(self, model: str, task: str) -> Path:
        """Path of a cell's outcome."""
        return self.folder / "outcomes" / model / f"{task}.npz"

    def add(self, outcome: Outcome) -> None:
        """Write an outcome."""
        save_outcome(self.path(outcome.model, outcome.task), outcome)

    def kept(self, models: Sequence[ModelRow], tasks: Sequence[Prepared]) -> set[tuple[str, str]]:
        """Cells that need not be measured, as model and task: the kept table that the run completes has them, with the
        same model and task.
        """
        path = self.folder / KEPT
        if not path.is_file():
            return set()
        hashes = {task.name: task.sha256 for task in tasks}
        valid = valid_cells(read_document(path), hashes, {model.name: model.identity for model in models})
        return valid - {(outcome.model, outcome.task) for _, outcome in self.outcomes()}

    def without(self, result: Result) -> Result:
        """Remove the outcome that a failed cell has from an earlier run, and copy its log to the folder.

        Returns:
            The result with the path of the copied log.
        """
        self.path(result.model, result.task).unlink(missing_ok=True)
        if not result.log or not Path(result.log).is_file():
            return result
        log = self.folder / "logs" / result.model / f"{result.task}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(result.log, log)
        return Result(**{**vars(result), "log": str(log.relative_to(self.folder))})

    def drop_outdated(self, models: Sequence[ModelRow], tasks: Sequence[Prepared]) -> list[str]:
        """Remove outcomes of models or tasks that have changed, so that all outcomes of a row or column are comparable.

        Returns:
            The outcomes removed, ``MODEL on TASK`` each.
        """
        identities = {model.name: model.identity for model in models if not model.missing}
        hashes = {task.name: task.sha256 for task in tasks}
        removed = []
        for path, outcome in self.outcomes():
            same_model = identities.get(outcome.model, outcome.model_identity) == outcome.model_identity
            if not same_model or hashes.get(outcome.task, outcome.task_sha256) != outcome.task_sha256:
                path.unlink()
                removed.append(f"{outcome.model} on {outcome.task}")
        return removed

    def finish(self, models: Sequence[ModelRow], tasks: Sequence[Prepared], results: Sequence[Result]) -> None:
        """Write scores.csv with all outcomes in the folder, and run.json.

        Args:
            models: the models of this run.
            tasks: its tasks.
            results: results of its cells.
        """
        before = self._earlier()
        # A folder may be the work of several commands, each with models or tasks of its own.
        commands = [*before["commands"], *filter(None, [command_line()])]
        about_tasks = {**before["tasks"], **{task.name: _about_task(task) for task in tasks}}
        outcomes = [outcome for _, outcome in self.outcomes()]
        lines = [line for outcome in outcomes for line in score_lines(outcome, about_tasks)]
        text = io.StringIO()
        pd.DataFrame(lines, columns=list(COLUMNS)).to_csv(text, index=False)
        write_file(self.folder / "scores.csv", text.getvalue())
        new = {(result.model, result.task): vars(result) for result in results}
        cells = before["cells"] | new
        run = {
            "settings": {**self.settings.about(), "folds": "heareval's", "seed": 42},
            "provenance": {**provenance(), "command": " && ".join(dict.fromkeys(commands))},
            "versions": versions_of(outcomes),
            "models": {**before["models"], **{model.name: _about_model(model) for model in models}},
            "tasks": about_tasks,
            "cells": list(cells.values()),
        }
        write_file(self.folder / "run.json", json.dumps(run, indent=1) + "\n")

    def _earlier(self) -> dict[str, Any]:
        """The content of run.json: models and tasks by name, and cells by model and task."""
        path = self.folder / "run.json"
        if not path.is_file():
            return {"models": {}, "tasks": {}, "cells": {}, "commands": []}
        try:
            run: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            cells = {(cell["model"], cell["task"]): cell for cell in run["cells"]}
            commands = list(filter(None, run.get("provenance", {}).get("command", "").split(" && ")))
            return {"models": dict(run["models"]), "tasks": dict(run["tasks"]), "cells": cells, "commands": commands}
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path}: expected a file written by `python -m benchmark run`: {error}") from error


def versions_of(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Versions of the packages that outcomes were measured with, by package; several are separated by commas."""
    found: dict[str, set[str]] = {}
    for outcome in outcomes:
        for package, version in outcome.settings.get("versions", {}).items():
            found.setdefault(package, set()).add(version)
    return {package: ", ".join(sorted(each)) for package, each in found.items()}


def _about_task(task: Prepared) -> dict[str, Any]:
    metadata = task.metadata
    return {
        "title": task.title,
        "domain": task.domain,
        "description": task.description,
        "sha256": task.sha256,
        "evaluation": metadata["evaluation"],
        "embedding_type": metadata["embedding_type"],
        "split_mode": metadata["split_mode"],
        "splits": metadata["splits"],
        "sample_duration": metadata["sample_duration"],
        "own_settings": metadata.get("evaluation_params", {}).get("task_specific_param_grid", {}),
    }


def _about_model(model: ModelRow) -> dict[str, Any]:
    return {
        "module": model.module,
        "identity": model.identity,
        "scene_embedding_size": model.sizes[0],
        "timestamp_embedding_size": model.sizes[1],
        "note": model.note,
        "missing": model.missing,
    }


def score_lines(outcome: Outcome, about_tasks: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """An outcome as lines of scores.csv; scores that heareval could not compute are empty."""
    about, settings = about_tasks.get(outcome.task, {}), outcome.settings
    return [
        {
            "task": outcome.task,
            "title": about.get("title", ""),
            "domain": about.get("domain", ""),
            "model": outcome.model,
            "fold": fold,
            "metric": metric,
            "score": outcome.scores[number, which],
            "n_files": int((outcome.fold_of == number).sum()),
            "embedding_seconds": round(settings.get("embedding_seconds", math.nan), 2),
            "prediction_seconds": round(settings.get("prediction_seconds", math.nan), 2),
            "grid": settings["grid"],
            "grid_points": settings["grid_points"],
            "task_sha256": outcome.task_sha256,
            "model_identity": outcome.model_identity,
        }
        for number, fold in enumerate(outcome.folds)
        for which, metric in enumerate(outcome.metrics)
    ]
