"""Loads models by name, by path and from repositories."""

from __future__ import annotations

import os
from pathlib import Path

from byola_hear.models.checkpoint import existing_file, read_checkpoint
from byola_hear.models.model import ByolaModel
from byola_hear.models.zoo import entry_of, read_hashes

#: Prefix of repositories of the Hugging Face Hub: ``hf://organisation/name@revision``.
HUB_PREFIX = "hf://"


def load_checkpoint(path: str | os.PathLike[str], expected_sha256: str | None = None) -> ByolaModel:
    """Read and verify a checkpoint.

    Args:
        path: a file written by :func:`~byola_hear.models.checkpoint.save_checkpoint`.
        expected_sha256: hexadecimal; a file with another hash is refused.

    Returns:
        The model: float32, on the CPU, in evaluation mode.

    Raises:
        CheckpointError: if the file is not a checkpoint of this package, is damaged, or has another hash.
        FileNotFoundError: if there is no such file.
    """
    path = existing_file(path)
    return ByolaModel.assemble(path, *read_checkpoint(path, expected_sha256))


def load_named(name: str = "", folder: Path | None = None) -> ByolaModel:
    """Load a model by name and verify its hash.

    Args:
        name: a name from :func:`byola_hear.list_models`; ``""`` is the default model.
        folder: the zoo; the package's own if None.

    Returns:
        The model: float32, on the CPU, in evaluation mode.

    Raises:
        ValueError: if there is no model of this name.
        CheckpointError: if the checkpoint is damaged or has another hash.
        FileNotFoundError: if the checkpoint is missing.
    """
    path, entry = entry_of(name, folder)
    return load_checkpoint(path, entry["sha256"])


def resolve(name_or_path: str | os.PathLike[str] = "", folder: Path | None = None) -> ByolaModel:
    """Load a model by name, from a checkpoint's path or from a repository. A name wins over a file of the same name.

    Args:
        name_or_path: ``""`` for the default model, a name from :func:`byola_hear.list_models`, the path of a
            checkpoint, or ``hf://`` and a repository of the Hugging Face Hub (:mod:`byola_hear.hub`).
        folder: the zoo; the package's own if None.

    Returns:
        The model: float32, on the CPU, in evaluation mode.

    Raises:
        ValueError: if it is neither a name nor a path.
        CheckpointError: if the checkpoint cannot be used.
        FileNotFoundError: if there is no file at the path.
        HubError: if the repository is not available, or the ``huggingface_hub`` package is missing.
    """
    text = os.fspath(name_or_path)
    if not text or text in read_hashes(folder):
        return load_named(text, folder)
    if text.startswith(HUB_PREFIX):
        return ByolaModel.from_pretrained(text.removeprefix(HUB_PREFIX))
    return load_checkpoint(text) if is_path(text) else load_named(text, folder)


def is_path(text: str) -> bool:
    """Whether a text that is not a model's name is a path: it looks like one, or such a file exists.

    Example:
        >>> is_path("models/mine"), is_path("mine.safetensors"), is_path("mine")
        (True, True, False)
    """
    separators = [separator for separator in (os.sep, os.altsep) if separator]
    return any(separator in text for separator in separators) or bool(Path(text).suffix) or Path(text).exists()
