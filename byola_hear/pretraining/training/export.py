"""The online encoder of a run as a model of the package, with the facts of its training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.registry import build_encoder
from byola_hear.models.encoders.transformer import TransformerConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel
from byola_hear.models.pooling.combination import MAX_MEAN
from byola_hear.pretraining.training.recipe import Recipe
from byola_hear.pretraining.training.run_log import LOG_FILE, read_log
from byola_hear.pretraining.training.state import load_encoder, read_header


def export_model(
    run: Path,
    name: str,
    version: str,
    licence: str = "Apache-2.0",
    pooling: str = MAX_MEAN,
    taken: Sequence[int] | None = None,
    combine: str | None = None,
) -> ByolaModel:
    """Make a model of the last saved state of a run.

    Args:
        run: folder of the run, finished or not.
        name: name of the model.
        version: version of its weights.
        licence: licence of its weights.
        pooling: how frame features become an embedding.
        taken: for a transformer, numbers of the layers, from 1, whose outputs make a frame feature. None takes those of
            the training.
        combine: for a transformer, how they make it, ``"concatenate"`` or ``"average"``. None takes that of the
            training.

    Returns:
        A :class:`byola_hear.ByolaModel` in evaluation mode: the online encoder, the training set's statistics, and
        under ``config.training`` the recipe, hours by source, kind and licence, crops trained on, minutes and last
        loss.

    Raises:
        FileNotFoundError: if the folder holds no run.
        ValueError: if its state can't be read, or ``pooling``, ``taken`` or ``combine`` do not suit the network.
    """
    header = read_header(run)
    recipe = Recipe.from_dict(header["recipe"])
    shape = recipe.encoder
    if taken is not None or combine is not None:
        if not isinstance(shape, TransformerConfig):
            raise ValueError(f"{run}: only a transformer's layers can be chosen, got a {shape.kind} network")
        taken = shape.taken if taken is None else tuple(taken)
        shape = replace(shape, taken=taken, combine=shape.combine if combine is None else combine)
    config = ModelConfig(
        name=name,
        version=version,
        frontend=FrontendConfig(**header["cache"]["frontend"]),
        encoder=shape,
        mean=header["cache"]["mean"],
        std=header["cache"]["std"],
        licence=licence,
        training=training_facts(run, header),
        pooling=pooling,
    )
    encoder = build_encoder(shape)
    encoder.load_state_dict(load_encoder(run))
    return ByolaModel(config, encoder).eval()


def training_facts(run: Path, header: dict[str, Any]) -> dict[str, Any]:
    """Collect what a card says about a run, as JSON values, from its state and log."""
    rows, cache = read_log(run / LOG_FILE, header["step"]), header["cache"]
    last = rows[-1] if rows else {}
    return {
        # The sum of the sources: caches older than 0.4.0 counted frames, of which every clip has one more.
        "hours": sum(source["hours"] for source in cache["sources"]),
        "sources": cache["sources"],
        "matching": cache["matching"],
        "manifest_sha256": cache["manifest_sha256"],
        "recipe": header["recipe"],
        "step": header["step"],
        "crops": int(last.get("crops", 0)),
        "minutes": header["seconds"] / 60,
        "loss": last.get("loss"),
        "spread": last.get("spread"),
        **({"began_with": header["start"]} if header.get("start") else {}),
    }
