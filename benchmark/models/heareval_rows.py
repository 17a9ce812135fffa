"""Rows of the cross-domain table: the module with HEAR's API for heareval, and the argument of its ``load_model``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark.baselines.weights import Unavailable
from benchmark.models.extractors import identity_of
from benchmark.models.loading import ModelName
from benchmark.models.rows import all_models, models_by_row


@dataclass(frozen=True)
class ModelRow:
    """A row of the table before it is measured.

    Attributes:
        name: name of the row.
        module: the module that heareval imports.
        weights: argument of ``load_model``: a name, an absolute path, a seed, or empty.
        identity: text that changes whenever the embeddings may change; empty if the model is not available.
        sample_rate: rate of the clips that it expects, Hz.
        sizes: dimensions of a clip embedding and of a timestamp embedding.
        note: what a reader of the table must know about it.
        missing: why the model is not available here and how to get it; empty if it is available.
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
        """Options that name the model on heareval's command line."""
        if not self.weights:
            return []
        if Path(self.weights).is_absolute():
            return ["--model", self.weights]
        return ["--model-options", json.dumps({"model_file_path": self.weights})]


def row_of(name: ModelName) -> ModelRow:
    """The row of a model. If a baseline is not available here, ``missing`` says why.

    Raises:
        FileNotFoundError: if the model's file does not exist.
        ValueError: if the model can't be loaded.
    """
    if name.precision:
        raise ValueError(f"HEAR's tools load networks in float32, got {name.row!r}; `probe` takes precisions")
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
    """The row of exactly one model that is available.

    Raises:
        ValueError: if the name stands for several models, or the model is not available here.
        FileNotFoundError: if the model's file does not exist.
    """
    if model == "all":
        raise ValueError(f"expected one model, got {model!r}, which stands for {len(all_models())}")
    (row,) = model_rows([model])
    if row.missing:
        raise ValueError(f"{model}: {row.missing}")
    return row


def model_rows(models: Sequence[str]) -> list[ModelRow]:
    """The rows of several models.

    Args:
        models: see :func:`benchmark.models.rows.models_by_row`.

    Returns:
        The rows, in order.

    Raises:
        ValueError: if no model is named, or one is named twice or can't be loaded.
        FileNotFoundError: if a model's file does not exist.
    """
    return [row_of(name) for name in models_by_row(models).values()]
