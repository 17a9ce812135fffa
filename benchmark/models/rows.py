"""The models that a command was asked for: what each row is called, and what is behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np

from benchmark.baselines import BASELINES
from benchmark.baselines.contract import Unavailable
from benchmark.models.extractors import Extractor, extractors_of
from benchmark.models.loading import ModelName, check_network

#: Rows that ``all`` stands for: the networks, then every baseline.
ALL_MODELS = ("both", "speech", "nonspeech", "untrained", *(name for name in BASELINES if name != "untrained"))


@dataclass(frozen=True)
class Asked:
    """A row of the table before it is measured.

    Attributes:
        name: the row's.
        extractors: one or more (seeds); none if it can't be measured here.
        missing: why it can't; empty if it can.
    """

    name: str
    extractors: list[Extractor]
    missing: str = ""


def models_by_row(models: str | Sequence[str]) -> dict[str, ModelName]:
    """The models by their rows' names, which are looked at before anything is loaded.

    Weights are called by their file's stem, or with their folder where two agree.

    Args:
        models: networks' names, checkpoints' paths, baselines' names, ``NAME=WEIGHTS``; ``all`` for ``ALL_MODELS``.
            Several, or one text with commas between them.

    Returns:
        What each stands for, in order.

    Raises:
        ValueError: if none is named, one is named twice or is no model.
        FileNotFoundError: if there is no such file.
    """
    given = models.split(",") if isinstance(models, str) else models
    names = [name.strip() for name in given if name.strip()]
    rows: dict[str, ModelName] = {}
    for name in chain.from_iterable(ALL_MODELS if each == "all" else (each,) for each in names):
        model = ModelName.of(name)
        folder = Path(model.weights).parent.name
        if model.row in rows and folder and model.weights != rows[model.row].weights:
            start, equals, weights_name = model.row.rpartition("=")
            model = replace(model, row=f"{start}{equals}{folder}-{weights_name}")
        if model.row in rows:
            raise ValueError(f"expected each model once, got {name} twice")
        if not model.baseline:
            check_network(name)
        rows[model.row] = model
    if not rows:
        raise ValueError("expected at least one model, got none")
    return rows


def rows_of(
    models: str | Sequence[str], training_clips: Callable[[], list[np.ndarray]], untrained_seeds: int
) -> list[Asked]:
    """Rows' names and extractors.

    Args:
        models: see :func:`models_by_row`.
        training_clips: see :func:`benchmark.models.extractors.extractors_of`.
        untrained_seeds: how many untrained networks.

    Returns:
        The rows, in order.

    Raises:
        ValueError: if none is named, one is named twice or can't be used.
        FileNotFoundError: if there is no such file.
    """
    rows = []
    for name, model in models_by_row(models).items():
        try:
            rows.append(Asked(name, extractors_of(model, training_clips, tuple(range(untrained_seeds)))))
        except Unavailable as error:
            rows.append(Asked(name, [], str(error)))
    return rows
