"""Packages and weights that baselines need: where they are, and how weights are read."""

from __future__ import annotations

import os
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn

from byola_hear.utils.text import one_line

#: Environment variable that names a folder of weights.
MODELS_VARIABLE = "BYOLA_BENCHMARK_MODELS"


class Unavailable(RuntimeError):
    """A baseline is not available here; the message says what is missing and how to get it."""


def weights_in_folder(name: str) -> Path | None:
    """A file or folder of weights in the folder that ``BYOLA_BENCHMARK_MODELS`` names.

    Args:
        name: of the file or folder.

    Returns:
        Its path; None if it is not there or the variable is not set.
    """
    folder = os.environ.get(MODELS_VARIABLE)
    path = Path(folder) / name if folder else None
    return path if path is not None and path.exists() else None


def need_package(name: str, how: str) -> str:
    """Check that a package is installed, without importing it.

    Args:
        name: import name of the package.
        how: how to install it.

    Returns:
        The package's version, or ``"unknown"``.

    Raises:
        Unavailable: if it is not installed.
    """
    if find_spec(name) is None:
        raise Unavailable(f"needs the package {name.replace('_', '-')}: {how}")
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "unknown"


def package_file(name: str, *inside: str, how: str) -> Path:
    """Find a file of an installed package without importing the package.

    Args:
        name: import name of the package.
        *inside: path of the file in the package.
        how: how to install it.

    Returns:
        Path of the file.

    Raises:
        Unavailable: if the package is not installed, or does not contain the file.
    """
    need_package(name, how)
    spec = find_spec(name)  # does not import the package
    for folder in (spec.submodule_search_locations if spec else None) or []:
        path = Path(folder).joinpath(*inside)
        if path.is_file():
            return path
    raise Unavailable(f"needs {'/'.join(inside)} of the package {name}, which is installed without it: {how}")


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Read a PyTorch file of weights; nothing else is unpickled.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is another kind of file.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"expected weights at {path}, found no file")
    try:
        read = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle, zip and torch raise many kinds of errors for damaged files
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{path}: expected a PyTorch file of weights, could not read it: {reason[:200]}") from error
    if not isinstance(read, dict):
        raise ValueError(f"{path}: expected a dictionary of weights, found {type(read).__name__}")
    return read


def fill(module: nn.Module, weights: dict[str, Tensor], where: str | Path) -> None:
    """Load weights into a module.

    Args:
        module: the module.
        weights: all of its weights and no others.
        where: where they come from, for errors.

    Raises:
        ValueError: if their names or shapes differ from the module's.
    """
    try:
        module.load_state_dict(weights)
    except (RuntimeError, TypeError, AttributeError) as error:
        expected = f"expected the weights of {type(module).__name__}"
        raise ValueError(f"{where}: {expected}: {one_line(error)[:300]}") from error
