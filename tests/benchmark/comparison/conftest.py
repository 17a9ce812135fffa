"""Runs' folders with outcomes whose numbers are known."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark.comparison.outcome import Outcome, save_outcome


@dataclass
class RunFolder:
    """A run's folder in the making.

    Attributes:
        folder: where.
        tasks: run.json's.
        models: run.json's.
        cells: run.json's.
    """

    folder: Path
    tasks: dict[str, Any] = field(default_factory=dict)
    models: dict[str, Any] = field(default_factory=dict)
    cells: list[dict[str, str]] = field(default_factory=list)

    def model(self, name: str, note: str = "", missing: str = "") -> None:
        """A row."""
        self.models[name] = {"note": note, "missing": missing, "identity": name}

    def task(self, name: str, domain: str, title: str = "") -> None:
        """A column."""
        self.tasks[name] = {"title": title or name, "domain": domain, "description": f"about {name}", "sha256": name}

    def outcome(
        self,
        model: str,
        task: str,
        right: np.ndarray,
        folds: int = 1,
        metric: str = "top1_acc",
        labels: tuple[str, ...] = ("a", "b"),
        **changes: Any,
    ) -> None:
        """A cell: right or wrong by file, files dealt out to the folds; or counts by file."""
        if model not in self.models:
            self.model(model)
        right = np.asarray(right, float)
        n = len(right)
        counts = right if right.ndim == 2 else np.stack([right, np.ones(n), np.ones(n)], axis=1)
        fold_of = np.arange(n) % folds
        names = tuple(f"fold{fold:02}" for fold in range(folds)) if folds > 1 else ("test",)
        sums = np.stack([counts[fold_of == fold].sum(0) for fold in range(folds)])
        below = sums[:, 1] + sums[:, 2] if metric.endswith("fms") else sums[:, 1]
        scores = (sums[:, 0] / below)[:, None]
        target = np.arange(n) % len(labels)
        wrong = counts[:, 0] == 0
        given: dict[str, Any] = {
            "task": task,
            "task_sha256": task,
            "model": model,
            "model_identity": model,
            "metrics": (metric,),
            "folds": names,
            "scores": scores,
            "labels": labels,
            "files": np.array([f"{index:05}.wav" for index in range(n)]),
            "fold_of": fold_of,
            "counts": counts,
            "target": target if metric.endswith("acc") else np.full(n, -1),
            "predicted": (target + wrong) % len(labels) if metric.endswith("acc") else np.full(n, -1),
            "settings": {"grid": "fast", "grid_points": 8},
        }
        save_outcome(self.folder / "outcomes" / model / f"{task}.npz", Outcome(**{**given, **changes}))
        self.cells.append({"model": model, "task": task, "status": "done", "note": ""})

    def write(self, **more: Any) -> Path:
        """Write run.json; returns the folder."""
        about: Mapping[str, Any] = {"settings": {"grid": "fast"}, "provenance": {"commit": "abc"}, "versions": {}}
        self.folder.mkdir(parents=True, exist_ok=True)
        content = {**about, "models": self.models, "tasks": self.tasks, "cells": self.cells, **more}
        (self.folder / "run.json").write_text(json.dumps(content), encoding="utf-8")
        return self.folder


@pytest.fixture
def new_run(tmp_path: Path) -> Callable[[], RunFolder]:
    """Makes empty runs' folders."""
    made: list[RunFolder] = []

    def new() -> RunFolder:
        made.append(RunFolder(tmp_path / f"run{len(made)}"))
        return made[-1]

    return new


def planted(run: RunFolder, gap: float, tasks: int = 5, files: int = 400, seed: int = 0) -> RunFolder:
    """The three networks, an untrained one and a baseline on as many tasks of each domain; each of the two networks of
    one domain is better by ``gap`` on tasks of its own."""
    random = np.random.default_rng(seed)
    for domain in ("speech", "nonspeech"):
        for number in range(tasks):
            name = f"{domain}{number}"
            run.task(name, domain, f"{domain} {number}")
            difficulty = random.uniform(size=files)
            for model in ("mfcc", "speech", "both", "nonspeech", "untrained"):
                chance = 0.6 + (gap if model == domain else gap / 2 if model == "both" else 0) - (model == "mfcc") * 0.2
                noisy = difficulty + random.normal(0, 0.1, files)
                run.outcome(model, name, noisy < chance, folds=5 if number == 0 else 1)
    return run


@pytest.fixture
def planted_run(new_run: Callable[[], RunFolder]) -> Callable[..., Path]:
    """Makes a run's folder with a planted domain advantage of twice ``gap``, give or take the noise."""

    def make(gap: float, **options: Any) -> Path:
        return planted(new_run(), gap, **options).write()

    return make
