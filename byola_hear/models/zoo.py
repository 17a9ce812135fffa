"""The zoo: names for the checkpoints that come with the package.

A zoo is a folder of checkpoints and ``hashes.json``, which maps each name to the checkpoint's file, its
SHA-256 and its version. Whatever is loaded by name is verified against it. The package's own zoo is the
package data ``byola_hear.weights``, or the folder ``weights`` beside the package in a checkout.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from pathlib import Path
from typing import Any

from byola_hear.models.checkpoint import CheckpointError, Saved, read_header, save_checkpoint
from byola_hear.models.config import training_hours
from byola_hear.utils.files import replacing

#: What an empty name stands for.
DEFAULT_MODEL = "both"
#: The zoo's table of contents.
HASHES = "hashes.json"


def zoo_folder() -> Path:
    """The folder of the package's own checkpoints: inside the package, else beside it as in a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed, checkout = package / "weights", package.parent / "weights"
    return checkout if not (installed / HASHES).is_file() and (checkout / HASHES).is_file() else installed


def read_hashes(folder: Path | None = None) -> dict[str, dict[str, str]]:
    """A zoo's table of contents.

    Args:
        folder: the zoo; the package's own if None.

    Returns:
        ``{name: {"file": ..., "sha256": ..., "version": ...}}``; empty if the zoo has no table.

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
            if not isinstance(entry["version"], str):
                raise ValueError(f"the version of {name!r} is not a string")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path}: damaged table of checkpoints ({error})") from error
    return table


def list_models(folder: Path | None = None) -> list[str]:
    """Names of the models that can be loaded by name.

    Args:
        folder: the zoo; the package's own if None.

    Returns:
        Names, sorted.
    """
    return sorted(read_hashes(folder))


def describe_model(name: str = "", folder: Path | None = None) -> dict[str, Any]:
    """A model's card: what its checkpoint says about itself, read without loading the weights.

    Args:
        name: a name out of :func:`list_models`; ``""`` is the default model.
        folder: the zoo; the package's own if None.

    Returns:
        The configuration's ``name``, ``version``, ``licence``, ``training``, ``frontend``, ``encoder``,
        ``mean``, ``std`` and ``window_frames``; and ``sample_rate`` (Hz), ``frame_ms`` (ms from one frame
        feature to the next), ``window_ms`` (ms of sound pooled into a timestamp embedding),
        ``scene_embedding_size``, ``timestamp_embedding_size``, ``parameters`` (numbers in the network),
        ``bytes`` (of the file), ``hours`` (of audio trained on, None if not said), ``file`` and ``sha256``.

    Raises:
        ValueError: if there is no such name.
        CheckpointError: if the checkpoint is damaged.
        FileNotFoundError: if it is missing.
    """
    path, entry = entry_of(name, folder)
    config, shapes = read_header(path)
    frame_ms = config.encoder.stride * config.frontend.hop_length * 1000 / config.frontend.sample_rate
    return {
        **config.to_dict(),
        "sample_rate": config.frontend.sample_rate,
        "frame_ms": frame_ms,
        "window_ms": frame_ms * config.window_frames,
        "scene_embedding_size": config.encoder.feature_size,
        "timestamp_embedding_size": config.encoder.feature_size,
        "parameters": sum(math.prod(shape) for key, shape in shapes.items() if ".running_" not in key),
        "bytes": path.stat().st_size,
        "hours": training_hours(config.training),
        "file": str(path),
        "sha256": entry["sha256"],
    }


def is_intact(name: str, folder: Path | None = None) -> bool:
    """Whether a model's file is there and has the hash that the table promises."""
    path, entry = entry_of(name, folder)
    if not path.is_file():
        return False
    return hashlib.sha256(path.read_bytes()).hexdigest() == entry["sha256"]


def add_to_zoo(model: Saved, folder: Path) -> str:
    """Write a model's checkpoint into a zoo under its own name and enter it into the table.

    Args:
        model: the model; ``config.name`` is its name and ``config.version`` its version there.
        folder: the zoo, an existing folder.

    Returns:
        The file's SHA-256 in hexadecimal.

    Raises:
        ValueError: if the name can't be a file's.
        FileNotFoundError: if there is no such folder.
    """
    name = model.config.name
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise ValueError(f"expected a model name of letters, digits, '-' and '_', got {name!r}")
    table = read_hashes(folder)
    file = f"byola-{name}.safetensors"
    sha256 = save_checkpoint(folder / file, model)
    table[name] = {"file": file, "sha256": sha256, "version": model.config.version}
    with replacing(folder / HASHES) as stream:
        stream.write((json.dumps(table, indent=2, sort_keys=True) + "\n").encode())
    return sha256


def entry_of(name: str, folder: Path | None) -> tuple[Path, dict[str, str]]:
    """A model's file and its line of the table."""
    folder = folder or zoo_folder()
    table = read_hashes(folder)
    name = name or DEFAULT_MODEL
    if name not in table:
        known = ", ".join(sorted(table)) or f"none, {folder / HASHES} is missing"
        raise ValueError(f"no model is called {name!r}; known names: {known}; or give a checkpoint's path")
    return folder / table[name]["file"], table[name]
