"""All cells of the table: audio, training and probe; finished parts are kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

import byola_hear
from benchmark.models.extractors import from_model
from benchmark.probes import ridge
from benchmark.probes.plan import Plan
from benchmark.probes.probe import mean_interval, run
from benchmark.studies.size.cells import SizeCell, audio_of, drawn, trained, untrained
from benchmark.studies.study_setup import key_of, remembered
from byola_hear.models.model import ByolaModel
from byola_hear.pretraining.training.distributed import launched
from byola_hear.pretraining.training.recipe import Recipe
from byola_hear.pretraining.training.train import TrainingProgress
from byola_hear.utils.files import locked

#: Raise it when a change to how networks are probed changes an accuracy: cached results are then out of date.
MEASUREMENT_VERSION = 1

#: Name of the mean over all tasks.
MEAN = "mean"


def probed(model: ByolaModel, planned: Plan, cache: Path) -> list[dict[str, Any]]:
    """Validation accuracies of a network, %, with 95 % intervals: a line for each task and one for their mean.

    The cache keeps them and the embeddings.
    """
    extractor = from_model(model, model.config.name)
    sets = {name: [labelled.sha256, planned.rows[name].tolist()] for name, labelled in planned.sets.items()}
    tasks = [task.name for task in planned.tasks]

    def compute() -> list[dict[str, Any]]:
        results = run(planned, extractor, cache)
        lines = [_line(name, result.accuracy, result.interval()) for name, result in results.items()]
        mean = float(np.mean([result.accuracy for result in results.values()]))
        return [*lines, _line(MEAN, mean, mean_interval(list(results.values())))]

    key = key_of([extractor.identity, sets, tasks], versions=[MEASUREMENT_VERSION, ridge.MEASUREMENT_VERSION])
    lines: list[dict[str, Any]] = remembered(cache, "size", key, compute)
    return lines


def _line(task: str, accuracy: float, interval: tuple[float, float]) -> dict[str, Any]:
    return {"task": task, "accuracy": accuracy, "low": interval[0], "high": interval[1]}


def cells_of(
    widths: Sequence[int], hours: Sequence[float], transformers: Sequence[tuple[int, int]] = ()
) -> list[SizeCell]:
    """The table's cells, by volume, then convolutional networks by width and transformers by width and layers.

    Args:
        widths: widths of convolutional networks.
        hours: volumes.
        transformers: width and number of layers of transformers.

    Raises:
        ValueError: if a width or volume is not valid, or there are none.
    """
    sizes = [(width, 0) for width in sorted(set(widths))] + sorted(set(transformers))
    if not sizes or not hours or not all(0 < volume < math.inf for volume in hours):
        raise ValueError(f"expected widths and positive hours, got {list(widths)} and {list(hours)}")
    cells = [SizeCell(width, volume, layers) for volume in sorted(set(hours)) for width, layers in sizes]
    for cell in cells:
        cell.shape(crop_frames=96)
    return cells


def table_of(
    recipes: Mapping[SizeCell, Recipe],
    manifests: Sequence[Path],
    folder: Path,
    planned: Plan,
    cache: Path,
    device: str = "auto",
    bar: tqdm | None = None,
) -> pd.DataFrame:
    """Train and probe the network of every cell, and probe an untrained network of each size.

    Args:
        recipes: recipe of each cell of the table, by volume.
        manifests: manifests of the audio, see :func:`benchmark.studies.size.cells.volume`.
        folder: folder for audio, runs and checkpoints.
        planned: tasks, on validation parts.
        cache: folder for embeddings and results.
        device: device for training.
        bar: progress bar that counts training steps.

    Returns:
        Columns ``width``, ``layers`` (0: convolutional), ``hours`` (0: untrained), ``parameters``, ``features``,
        ``crops``, ``minutes``, ``loss``, ``spread``, ``task``, ``accuracy``, ``low``, ``high``.

    Raises:
        ValueError: if a manifest is too short for a volume, the folder has results of other manifests or another
            recipe, or another process uses it.
    """
    lines: list[dict[str, Any]] = []
    cells = list(recipes)
    done = 0

    def show(text: str) -> None:
        if bar is not None:
            bar.set_postfix_str(text)

    def decoding(done: int, total: int) -> None:
        show(f"decoding {done} of {total} rows")

    def add(model: ByolaModel, cell: SizeCell, facts: dict[str, Any]) -> None:
        show(f"probing {model.config.name}")
        shared = {
            "width": cell.width,
            "layers": cell.layers,
            "hours": cell.hours,
            "parameters": sum(values.numel() for values in model.encoder.parameters()),
            "features": model.scene_embedding_size,
            **{name: facts.get(name, 0) for name in ("crops", "minutes")},
            **{name: facts.get(name, float("nan")) for name in ("loss", "spread")},
        }
        lines.extend({**shared, **each} for each in probed(model, planned, cache))

    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "a") as lock, launched(device) as place:
        if not locked(lock):
            raise ValueError(f"{folder}: another process is training in this folder; choose another --runs folder")
        volumes = drawn(manifests, [cell.hours for cell in cells], recipes[cells[0]].seed, folder / "audio")
        for cell, recipe in recipes.items():
            audio = audio_of(volumes[cell.hours], decoding)
            path = trained(cell, audio, recipe, folder, place, _reporter(bar, cell))
            model = byola_hear.load_model(str(path))
            training = model.config.training
            if Recipe.from_dict(training["recipe"]) != recipe:
                raise ValueError(f"{path}: trained with another recipe; choose another --runs folder or remove it")
            if training["manifest_sha256"] != audio.info["manifest_sha256"]:
                raise ValueError(f"{path}: trained on other audio; choose another --runs folder or remove it")
            done += recipe.steps
            if bar is not None:
                bar.update(done - bar.n)
            add(model, cell, training)
        # With the statistics of the largest volume, that of the last cell.
        for cell in {cell.size: cell for cell in cells}.values():
            add(untrained(cell, audio, recipes[cell]), replace(cell, hours=0.0), {})
    return pd.DataFrame(lines)


def _reporter(bar: tqdm | None, cell: SizeCell) -> Callable[[TrainingProgress], None] | None:
    """Show a cell's steps in the common progress bar."""
    if bar is None:
        return None
    before = bar.n

    def report(state: TrainingProgress) -> None:
        bar.set_postfix_str(f"{cell.name}: loss {state.loss:.3f}, {state.crops_per_second:.0f} crops/s")
        bar.update(before + state.step - bar.n)

    return report
