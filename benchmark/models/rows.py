"""The models that a command was called with: names of their rows, and their extractors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np

from benchmark.baselines import BASELINES, UNTRAINED
from benchmark.baselines.weights import Unavailable
from benchmark.models.extractors import Extractor, extractors_of
from benchmark.models.loading import ModelName, check_network
from byola_hear import list_models


@dataclass(frozen=True)
class Asked:
    """A row of the table before it is measured.

    Attributes:
        name: name of the row.
        extractors: one or more extractors, such as several seeds; empty if the model is not available here.
        missing: why it is not available; empty if it is.
    """

    name: str
    extractors: list[Extractor]
    missing: str = ""


def all_models() -> tuple[str, ...]:
    """Models that ``all`` stands for: every network of the package, the untrained ones, then the other baselines."""
    return (*list_models(), *UNTRAINED, *(name for name in BASELINES if name not in UNTRAINED))


def shown(row: str) -> str:
    """The name of a row in a figure or a report, where the package's prefix says nothing.

    Example:
        >>> shown("byola-birds"), shown("vggish")
        ('birds', 'vggish')
    """
    return row.removeprefix("byola-")


def models_by_row(models: str | Sequence[str]) -> dict[str, ModelName]:
    """Check the names of models and name their rows. No model is loaded.

    A row of weights is named by the stem of their file, with the folder if two rows would be shown under one name.

    Args:
        models: names of networks, paths of checkpoints, names of baselines, or ``NAME=WEIGHTS``; ``all`` stands for
            :func:`all_models`. A sequence, or one text separated by commas.

    Returns:
        The models by row, in order.

    Raises:
        ValueError: if no model is named, one is named twice, a name is unknown, or two models would be shown under one
            name.
        FileNotFoundError: if a checkpoint does not exist.
    """
    given = models.split(",") if isinstance(models, str) else models
    names = [name.strip() for name in given if name.strip()]
    rows: dict[str, ModelName] = {}
    taken: dict[str, ModelName] = {}
    for name in chain.from_iterable(all_models() if each == "all" else (each,) for each in names):
        model = ModelName.of(name)
        folder = Path(model.weights).parent.name
        other = taken.get(shown(model.row))
        if other is not None and folder and model.weights != other.weights:
            start, equals, weights_name = model.row.rpartition("=")
            model = replace(model, row=f"{start}{equals}{folder}-{weights_name}")
            other = taken.get(shown(model.row))
        if other is not None and other.weights != model.weights:
            raise ValueError(f"expected models whose rows have names of their own, got {name} and {other.weights}")
        if other is not None:
            raise ValueError(f"expected each model once, got {name} twice")
        if not model.baseline:
            check_network(model.weights)
        rows[model.row] = taken[shown(model.row)] = model
    if not rows:
        raise ValueError("expected at least one model, got no names")
    return rows


def rows_of(
    models: str | Sequence[str], training_clips: Callable[[], list[np.ndarray]], untrained_seeds: int
) -> list[Asked]:
    """Load the extractors of all rows.

    Args:
        models: see :func:`models_by_row`.
        training_clips: see :func:`benchmark.models.extractors.extractors_of`.
        untrained_seeds: number of untrained networks.

    Returns:
        The rows, in order.

    Raises:
        ValueError: if no model is named, or one is named twice or can't be loaded.
        FileNotFoundError: if a checkpoint does not exist.
    """
    rows = []
    for name, model in models_by_row(models).items():
        try:
            rows.append(Asked(name, extractors_of(model, training_clips, tuple(range(untrained_seeds)))))
        except Unavailable as error:
            rows.append(Asked(name, [], str(error)))
    return rows
