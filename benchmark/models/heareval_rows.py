"""What a row of the table is: a module that speaks HEAR's API, and what its ``load_model`` is given."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.baselines.contract import Unavailable
from benchmark.models.extractors import identity_of
from benchmark.models.loading import ModelName
from benchmark.models.rows import ALL_MODELS, models_by_row


@dataclass(frozen=True)
class ModelRow:
    """A row of the table, before it is measured.

    Attributes:
        name: the row's.
        module: what heareval is to import.
        weights: what ``load_model`` is given: a name, an absolute path, a seed; empty for nothing.
        identity: text that changes whenever the embeddings may; empty where the model can't be had.
        sample_rate: Hz, of the clips that it wants.
        sizes: numbers in a clip's embedding and in a timestamp's.
        note: what a reader of the table must know about it.
        missing: why it can't be measured here and how to get it; empty if it can.
    """

    name: str
    module: str
    weights: str
    identity: str
    sample_rate: int
    sizes: tuple[int, int]
    note: str
    missing: str = ""

    def options(self) -> list[str]:
        """How the model is named on heareval's command line."""
        if not self.weights:
            return []
        if Path(self.weights).is_absolute():
            return ["--model", self.weights]
        return ["--model-options", json.dumps({"model_file_path": self.weights})]


def row_of(name: ModelName) -> ModelRow:
    """The row of a model; a baseline that can't be had here says so in ``missing``.

    Raises:
        FileNotFoundError: if its file is not there.
        ValueError: if it can't be used.
    """
    try:
        model = name.load()
    except Unavailable as error:
        return ModelRow(name.row, name.module, name.weights, "", 0, (0, 0), "", str(error))
    return ModelRow(
        name=name.row,
        module=name.module,
        weights=name.weights,
        identity=identity_of(model, name.baseline),
        sample_rate=model.sample_rate,
        sizes=(int(model.scene_embedding_size), int(model.timestamp_embedding_size)),
        note=name.note(model),
    )


def model_row(model: str) -> ModelRow:
    """The one row that can be measured of a model's name.

    Raises:
        ValueError: if it stands for several rows, or the model can't be had here.
        FileNotFoundError: if there is no such file.
    """
    if model == "all":
        raise ValueError(f"expected one model, got {model!r}, which stands for {len(ALL_MODELS)}")
    (row,) = model_rows([model])
    if row.missing:
        raise ValueError(f"{model}: {row.missing}")
    return row


def model_rows(models: Sequence[str]) -> list[ModelRow]:
    """The rows that were asked for.

    Args:
        models: see :func:`benchmark.models.rows.models_by_row`.

    Returns:
        The rows, in order.

    Raises:
        ValueError: if a model is named twice or can't be used, or none is named.
        FileNotFoundError: if there is no such file.
    """
    return [row_of(name) for name in models_by_row(models).values()]
