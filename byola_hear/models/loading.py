"""Loads models by name, by path and from repositories."""

from __future__ import annotations

import contextlib
import os
import warnings
from pathlib import Path

from byola_hear.models.checkpoint import existing_file, read_checkpoint
from byola_hear.models.directions import ENDING
from byola_hear.models.hub_files import CHECKPOINT, DIRECTIONS
from byola_hear.models.model import ByolaModel
from byola_hear.models.precision import PRECISIONS, SlowPrecisionWarning
from byola_hear.models.zoo import entry_of, read_hashes

#: Prefix of repositories of the Hugging Face Hub: ``hf://organisation/name@revision``.
HUB_PREFIX = "hf://"


def load_checkpoint(
    path: str | os.PathLike[str], expected_sha256: str | None = None, dimensions: int | None = None
) -> ByolaModel:
    """Read and verify a checkpoint.

    Args:
        path: a file written by :func:`~byola_hear.models.checkpoint.save_checkpoint`.
        expected_sha256: hexadecimal; a file with another hash is refused.
        dimensions: length of short vectors, of directions in a file next to the checkpoint:
            ``NAME.directions.safetensors``, or ``directions.safetensors`` in a folder of the Hub's layout; None for
            whole embeddings.

    Returns:
        The model: float32, on the CPU, in evaluation mode.

    Raises:
        ValueError: if there are fewer directions, or (:class:`byola_hear.CheckpointError`) a file is not a
            checkpoint of this package, is damaged, or has another hash.
        FileNotFoundError: if there is no such file.
    """
    path = existing_file(path)
    model = ByolaModel.assemble(path, *read_checkpoint(path, expected_sha256))
    return model.with_dimensions(dimensions, lambda: directions_of_path(path))


def directions_of_path(path: Path) -> Path:
    """Where the directions of a checkpoint are or would be.

    Example:
        >>> directions_of_path(Path("models/mine.safetensors")).name, directions_of_path(Path("model.safetensors")).name
        ('mine.directions.safetensors', 'directions.safetensors')
    """
    file = path.with_suffix(ENDING)
    return path.with_name(DIRECTIONS) if path.name == CHECKPOINT and not file.is_file() else file


def load_named(name: str = "", folder: Path | None = None, dimensions: int | None = None) -> ByolaModel:
    """Load a model by name and verify its hash.

    Args:
        name: a name from :func:`byola_hear.list_models`; ``""`` is the default model.
        folder: the zoo; the package's own if None.
        dimensions: length of short vectors; None for whole embeddings.

    Returns:
        The model: float32, on the CPU, in evaluation mode.

    Raises:
        ValueError: if there is no model of this name, or it has fewer directions.
        CheckpointError: if a file is damaged or has another hash.
        FileNotFoundError: if a file is missing.
    """
    path, entry = entry_of(name, folder)
    model = load_checkpoint(path, entry["sha256"])
    file = path.with_name(entry["directions"]) if "directions" in entry else None
    return model.with_dimensions(dimensions, lambda: file, entry.get("directions_sha256"))


def resolve(
    name_or_path: str | os.PathLike[str] = "", folder: Path | None = None, dimensions: int | None = None
) -> ByolaModel:
    """Load a model by name, from a checkpoint's path or from a repository. A name wins over a file of the same name.

    Args:
        name_or_path: ``""`` for the default model, a name from :func:`byola_hear.list_models`, the path of a
            checkpoint, or ``hf://`` and a repository of the Hugging Face Hub (:mod:`byola_hear.hub`).
        folder: the zoo; the package's own if None.
        dimensions: length of short vectors, see :func:`byola_hear.load_model`; None for whole embeddings.

    Returns:
        The model: float32, on the CPU, in evaluation mode.

    Raises:
        ValueError: if it is neither a name nor a path, or has fewer directions.
        CheckpointError: if a file cannot be used.
        FileNotFoundError: if there is no file at the path, or no directions for short vectors.
        HubError: if the repository is not available, or the ``huggingface_hub`` package is missing.
    """
    text = os.fspath(name_or_path)
    if not text or text in read_hashes(folder):
        return load_named(text, folder, dimensions)
    if text.startswith(HUB_PREFIX):
        return ByolaModel.from_pretrained(text.removeprefix(HUB_PREFIX), dimensions=dimensions)
    return load_checkpoint(text, None, dimensions) if is_path(text) else load_named(text, folder, dimensions)


def loaded(model: str | os.PathLike[str] | ByolaModel, dimensions: int | None = None) -> ByolaModel:
    """A model that was given, or that a name or a path stands for.

    Args:
        model: as for :func:`resolve`, or a model.
        dimensions: length of short vectors; None for whole embeddings, or for what the given model makes.

    Returns:
        The model.

    Raises:
        ValueError: if the given model makes vectors of another length; or as :func:`resolve`.
        FileNotFoundError: as :func:`resolve`.
    """
    if not isinstance(model, ByolaModel):
        return resolve(model, dimensions=dimensions)
    if dimensions is not None and dimensions != model.scene_embedding_size:
        raise ValueError(
            f"expected a model of {dimensions} dimensions, got one of {model.scene_embedding_size}; "
            f"load_model(name, dimensions={dimensions}) makes it"
        )
    return model


def in_precision_of(model: ByolaModel, fingerprint: str) -> ByolaModel:
    """The network in the precision in which it made some embeddings: these say only which network made them.

    Args:
        model: the network.
        fingerprint: :meth:`~byola_hear.models.model.ByolaModel.fingerprint` of the one that made the embeddings.

    Returns:
        A copy in another precision if that has the fingerprint, else the network itself.
    """
    if model.precision != "float32" or model.fingerprint() == fingerprint:
        return model
    for precision in PRECISIONS:
        with contextlib.suppress(ValueError), warnings.catch_warnings():  # this network or device may lack it
            # Whoever made the embeddings has chosen the precision.
            warnings.simplefilter("ignore", SlowPrecisionWarning)
            twin = model.in_precision(precision)
            if twin.fingerprint() == fingerprint:
                return twin
    return model


def is_path(text: str) -> bool:
    """Whether a text that is not a model's name is a path: it looks like one, or such a file exists.

    Example:
        >>> is_path("models/mine"), is_path("mine.safetensors"), is_path("mine")
        (True, True, False)
    """
    separators = [separator for separator in (os.sep, os.altsep) if separator]
    return any(separator in text for separator in separators) or bool(Path(text).suffix) or Path(text).exists()
