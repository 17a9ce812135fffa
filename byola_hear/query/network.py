"""The network that made a table."""

from __future__ import annotations

import os

from byola_hear.extraction.request import Request
from byola_hear.models.loading import in_precision_of, resolve
from byola_hear.models.model import ByolaModel
from byola_hear.models.zoo import list_models
from byola_hear.tables import TableRefused


def model_of(
    request: Request | None,
    table: str,
    model: str | os.PathLike[str] | ByolaModel | None,
    dimensions: int | None = None,
) -> ByolaModel:
    """Load the network that made a table.

    Args:
        request: what the table says about itself; None if it says nothing.
        table: the table, for messages.
        model: the network to use; None for the one that the table names.
        dimensions: length of the table's vectors; None for what the table says, else for whole embeddings.

    Returns:
        The network, in the precision in which it made the table.

    Raises:
        TableRefused: if the table is of timestamps, of another network or of other dimensions.
        ValueError: if there is no such model, or it has fewer directions.
    """
    if request is not None and request.kind != "scene":
        raise TableRefused(f"{table} is a table of timestamps; expected one of scenes, as embed makes by default")
    if request is None and model is None:
        raise TableRefused(f"{table} does not say which model made it; give the model")
    made = "" if request is None else request.model.rpartition(" ")[0]
    if model is None and request is not None and made not in list_models():
        raise TableRefused(
            f"{table} was made with the model {request.model}, which is not in the package; give the model"
        )
    if request is not None and dimensions not in (None, request.size):
        raise TableRefused(f"{table} has embeddings of {request.size} dimensions, not {dimensions}")
    dimensions = dimensions if request is None else request.size
    network = (
        model if isinstance(model, ByolaModel) else resolve(made if model is None else model, dimensions=dimensions)
    )
    if dimensions not in (None, network.scene_embedding_size):
        raise TableRefused(
            f"{table} has embeddings of {dimensions} dimensions, the model makes {network.scene_embedding_size}"
        )
    if request is None:
        return network
    network = in_precision_of(network, request.fingerprint)
    if request.fingerprint != network.fingerprint():
        mine = f"{network.config.name} {network.config.version}"
        other = "other weights of the same name" if request.model == mine else f"the model {request.model}"
        arithmetic = "" if network.precision == "float32" else f" in {network.precision}"
        raise TableRefused(f"{table} was made with {other}, not with {mine}{arithmetic}; a query needs the same")
    return network
