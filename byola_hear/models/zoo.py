"""The zoo: the checkpoints that come with the package, by name.

A zoo is a folder of checkpoints with a table, ``hashes.json``, which maps each name to the checkpoint's file, SHA-256
and version, and to the file and SHA-256 of its directions (:mod:`byola_hear.models.directions`), if there are some. A
model loaded by name is verified against the table. The package's own zoo is its data folder
``byola_hear.weights``, or the folder ``weights`` next to the package in a checkout.
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any, TypedDict

from byola_hear.models.checkpoint import CheckpointError, Saved, read_header, save_checkpoint
from byola_hear.models.config import training_hours
from byola_hear.models.directions import ENDING, Directions, save_directions
from byola_hear.utils.files import exclusive, file_hash, write_file

#: The model that an empty name stands for.
DEFAULT_MODEL = "both"
#: Name of the zoo's table.
HASHES = "hashes.json"
#: Locked while the table is read and written again, so that no entry is lost.
LOCK = f".{HASHES}.lock"


class ModelCard(TypedDict):
    """A model's facts, from :func:`byola_hear.describe_model`: a dictionary of plain JSON values.

    Attributes:
        name: the model's name.
        version: version of the weights.
        licence: SPDX name of the weights' licence.
        training: how the model was trained, as stated in the checkpoint.
        frontend: the front end's configuration.
        encoder: the network's kind and shape.
        mean: mean of the training set's log-mel values.
        std: standard deviation of the training set's log-mel values.
        pooling: how frame features become an embedding.
        window_frames: frame features pooled into one timestamp embedding.
        sample_rate: sampling rate of the audio, Hz.
        frame_ms: milliseconds from one frame feature to the next.
        window_ms: milliseconds of sound pooled into one timestamp embedding.
        scene_embedding_size: dimensions of a scene embedding.
        timestamp_embedding_size: dimensions of a timestamp embedding.
        parameters: number of parameters of the network.
        bytes: size of the checkpoint, bytes.
        hours: hours of audio that the model was trained on; None if not stated.
        file: path of the checkpoint.
        sha256: SHA-256 of the checkpoint, hexadecimal.
    """

    name: str
    version: str
    licence: str
    training: dict[str, Any]
    frontend: dict[str, Any]
    encoder: dict[str, Any]
    mean: float
    std: float
    pooling: str
    window_frames: int
    sample_rate: int
    frame_ms: float
    window_ms: float
    scene_embedding_size: int
    timestamp_embedding_size: int
    parameters: int
    bytes: int
    hours: float | None
    file: str
    sha256: str


def zoo_folder() -> Path:
    """The folder of the package's own checkpoints: inside the package if installed, next to it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed, checkout = package / "weights", package.parent / "weights"
    return checkout if not (installed / HASHES).is_file() and (checkout / HASHES).is_file() else installed


def read_hashes(folder: Path | None = None) -> dict[str, dict[str, str]]:
    """Read a zoo's table.

    Args:
        folder: the zoo; the package's own if None.

    Returns:
        ``{name: {"file": ..., "sha256": ..., "version": ...}}``, with ``directions`` and ``directions_sha256`` where a
        model has directions; empty if the zoo has no table.

    Raises:
        CheckpointError: if the table is damaged.
    """
    path = (folder or zoo_folder()) / HASHES
    if not path.is_file():
        return {}
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        for name, entry in table.items():
            if Path(entry["file"]).name != entry["file"] or not re.fullmatch("[0-9a-f]{64}", entry["sha256"]):
                raise ValueError(f"the entry of {name!r} is not a plain file name and a SHA-256")
            if "directions" in entry and (
                Path(entry["directions"]).name != entry["directions"]
                or not re.fullmatch("[0-9a-f]{64}", entry["directions_sha256"])
            ):
                raise ValueError(f"the directions of {name!r} are not a plain file name and a SHA-256")
            if not isinstance(entry["version"], str):
                raise ValueError(f"the version of {name!r} is not a string")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path}: damaged table of checkpoints ({error})") from error
    return table


def list_models(folder: Path | None = None) -> list[str]:
    """List the models that can be loaded by name.

    Args:
        folder: the zoo; the package's own if None.

    Returns:
        Names, sorted.

    Raises:
        CheckpointError: if the zoo's table is damaged.

    Example:
        >>> list_models()  # doctest: +SKIP
        ['both', 'distilled', 'distilled-small', 'nonspeech', 'speech', 'transformer-both', ...]
    """
    return sorted(read_hashes(folder))


def describe_model(name: str = "", folder: Path | None = None) -> ModelCard:
    """Read a model's facts from its checkpoint, without loading the weights.

    Args:
        name: a name from :func:`byola_hear.list_models`; ``""`` is the default model.
        folder: the zoo; the package's own if None.

    Returns:
        A dictionary of plain JSON values; its keys are those of :class:`~byola_hear.models.zoo.ModelCard`.

    Raises:
        ValueError: if there is no model of this name.
        CheckpointError: if the checkpoint or the zoo's table is damaged.
        FileNotFoundError: if the checkpoint is missing.

    Example:
        >>> card = describe_model("speech")  # doctest: +SKIP
        >>> card["scene_embedding_size"], card["frame_ms"], card["licence"]  # doctest: +SKIP
        (3072, 40.0, 'Apache-2.0')
    """
    path, entry = entry_of(name, folder)
    config, shapes = read_header(path)
    data = config.to_dict()
    return ModelCard(
        name=config.name,
        version=config.version,
        licence=config.licence,
        training=config.training,
        frontend=data["frontend"],
        encoder=data["encoder"],
        mean=config.mean,
        std=config.std,
        pooling=config.pooling,
        window_frames=config.window_frames,
        sample_rate=config.frontend.sample_rate,
        frame_ms=config.frame_ms,
        window_ms=config.frame_ms * config.window_frames,
        scene_embedding_size=config.encoder.feature_size,
        timestamp_embedding_size=config.encoder.feature_size,
        parameters=sum(math.prod(shape) for key, shape in shapes.items() if ".running_" not in key),
        bytes=path.stat().st_size,
        hours=training_hours(config.training),
        file=str(path),
        sha256=entry["sha256"],
    )


def is_intact(name: str, folder: Path | None = None) -> bool:
    """Whether a model's file exists and has the hash of the zoo's table, and so have its directions, if there are some.

    Args:
        name: a name from :func:`byola_hear.list_models`; ``""`` is the default model.
        folder: the zoo; the package's own if None.

    Raises:
        ValueError: if there is no model of this name.
        CheckpointError: if the zoo's table is damaged.
    """
    path, entry = entry_of(name, folder)
    files = {path: entry["sha256"]}
    if "directions" in entry:
        files[path.with_name(entry["directions"])] = entry["directions_sha256"]
    return all(file.is_file() and file_hash(file) == sha256 for file, sha256 in files.items())


def check_name(name: str) -> None:
    """Check that a model of this name can be in a zoo.

    Raises:
        ValueError: if the name has characters other than letters, digits, '-' and '_'.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise ValueError(f"expected a model name of letters, digits, '-' and '_', got {name!r}")


def add_to_zoo(model: Saved, folder: Path) -> str:
    """Write a model's checkpoint into a zoo and enter it into the table. A model of the same name is replaced.

    Directions of the model that was there are no longer in the table.

    Args:
        model: the model; ``config.name`` and ``config.version`` are its name and version in the table.
        folder: the zoo, an existing folder.

    Returns:
        The file's SHA-256 in hexadecimal.

    Raises:
        ValueError: if the name has characters other than letters, digits, '-' and '_'.
        FileNotFoundError: if there is no such folder.
    """
    name = model.config.name
    check_name(name)
    file = f"byola-{name}.safetensors"
    with exclusive(folder / LOCK):
        table = read_hashes(folder)
        sha256 = save_checkpoint(folder / file, model)
        table[name] = {"file": file, "sha256": sha256, "version": model.config.version}
        _write_table(folder, table)
    return sha256


def add_directions(name: str, directions: Directions, folder: Path) -> Path:
    """Write a model's directions into its zoo and enter them into the table.

    Args:
        name: the model's name.
        directions: the directions, of this model.
        folder: the zoo.

    Returns:
        The file.

    Raises:
        ValueError: if there is no model of this name.
        CheckpointError: if the zoo's table is damaged.
        FileNotFoundError: if there is no such folder.
    """
    with exclusive(folder / LOCK):
        path, entry = entry_of(name, folder)
        file = path.with_suffix(ENDING)
        sha256 = save_directions(file, directions)
        entry = {**entry, "directions": file.name, "directions_sha256": sha256}
        _write_table(folder, {**read_hashes(folder), name: entry})
    return file


def _write_table(folder: Path, table: dict[str, dict[str, str]]) -> None:
    write_file(folder / HASHES, json.dumps(table, indent=2, sort_keys=True) + "\n")


def entry_of(name: str, folder: Path | None) -> tuple[Path, dict[str, str]]:
    """Find a model's file and its entry in the table.

    Raises:
        ValueError: if there is no model of this name.
        CheckpointError: if the zoo's table is damaged.
    """
    folder = folder or zoo_folder()
    table = read_hashes(folder)
    name = name or DEFAULT_MODEL
    if name not in table:
        known = ", ".join(sorted(table)) or f"none, {folder / HASHES} is missing"
        raise ValueError(f"no model is called {name!r}; known names: {known}; a checkpoint's path works too")
    return folder / table[name]["file"], table[name]
