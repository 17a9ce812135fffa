"""What a row of the table is: a module that speaks HEAR's API, and what its ``load_model`` is given."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import byola_hear
from benchmark.baselines import BASELINES
from benchmark.baselines.contract import Unavailable
from benchmark.extractors import from_model
from benchmark.loading import baseline_asked_for, baseline_note, load_baseline, load_network, row_name
from byola_hear import hear
from byola_hear.models.model import ByolaModel

#: Rows that ``all`` stands for: the networks, then every baseline.
ALL_MODELS = ("both", "speech", "nonspeech", *BASELINES)


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


def network_identity(model: ByolaModel) -> str:
    """Text that changes whenever the embeddings of one of the package's networks may, or their timestamps."""
    timing = hashlib.sha256(Path(hear.__file__).read_bytes()).hexdigest()[:16]
    return f"{from_model(model, '').identity}-{timing}"


def network_row(name: str) -> ModelRow:
    """The row of one of the project's networks, or of a checkpoint.

    Args:
        name: ``both``, ``speech``, ``nonspeech``, a checkpoint's path, or ``hf://`` and a repository's name.

    Raises:
        FileNotFoundError: if there is no such model.
        ValueError: if it can't be loaded.
    """
    path, model = Path(name), load_network(name)
    is_path = name not in byola_hear.list_models() and path.is_file()
    return ModelRow(
        name=path.stem if is_path else path.name,
        module="byola_hear",
        weights=str(path.resolve()) if is_path else name,
        identity=network_identity(model),
        sample_rate=model.sample_rate,
        sizes=(model.scene_embedding_size, model.timestamp_embedding_size),
        note=f"{model.config.name} {model.config.version}",
    )


def baseline_row(name: str, weights: str = "") -> ModelRow:
    """The row of a baseline; one that can't be had here says so in ``missing``.

    Args:
        name: out of :data:`benchmark.baselines.BASELINES`.
        weights: what its ``load_model`` is given; made absolute if it is a path.

    Raises:
        FileNotFoundError: if the weights are not there.
        ValueError: if they can't be used.
    """
    row, module = row_name(name, weights), f"benchmark.baselines.{name}"
    weights = str(Path(weights).resolve()) if weights and Path(weights).exists() else weights
    try:
        model = load_baseline(name, weights)
    except Unavailable as error:
        return ModelRow(row, module, weights, "", 0, (0, 0), "", str(error))
    if isinstance(model, ByolaModel):
        note = f"v2 shape as PyTorch initialises it, seed {weights or 0}"
        identity = network_identity(model)
    else:
        note, identity = baseline_note(model, weights), f"{name}-{model.fingerprint()}"
    sizes = (int(model.scene_embedding_size), int(model.timestamp_embedding_size))
    return ModelRow(row, module, weights, identity, model.sample_rate, sizes, note)


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
    """The rows that were asked for. Weights are called by their file's stem, or with their folder where two agree.

    Args:
        models: networks' names, checkpoints' paths, baselines' names, ``NAME=WEIGHTS``; ``all`` for ``ALL_MODELS``.

    Returns:
        The rows, in order.

    Raises:
        ValueError: if a model is named twice or can't be used, or none is named.
        FileNotFoundError: if there is no such file.
    """
    rows: dict[str, ModelRow] = {}
    for model in [each for name in models for each in (ALL_MODELS if name == "all" else (name,))]:
        asked = baseline_asked_for(model)
        row = baseline_row(*asked) if asked else network_row(model)
        folder = Path(row.weights).parent.name
        if row.name in rows and folder and row.weights != rows[row.name].weights:
            baseline_name, equals, weights_name = row.name.rpartition("=")
            row = replace(row, name=f"{baseline_name}{equals}{folder}-{weights_name}")
        if row.name in rows:
            raise ValueError(f"expected each model once, got {model} twice")
        rows[row.name] = row
    if not rows:
        raise ValueError("expected at least one model, got none")
    return list(rows.values())
