"""How heareval's probes are run: what decides a score beside the embeddings."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from importlib import metadata
from importlib.util import find_spec
from typing import Any

#: Raised when outcomes of before are to be measured anew.
VERSION = 1

#: heareval's grids of hyperparameters.
GRIDS = ("default", "fast", "faster")

#: Packages beside heareval that a score may depend on.
PACKAGES = ("torch", "pytorch-lightning", "sed_eval", "scikit-learn")


@dataclass(frozen=True)
class Settings:
    """heareval's settings.

    Attributes:
        grid: of hyperparameters, out of ``GRIDS``.
        grid_points: how many of its points are tried, drawn by heareval with its own seed, 42.
    """

    grid: str = "default"
    grid_points: int = 8

    def __post_init__(self) -> None:
        if self.grid not in GRIDS:
            raise ValueError(f"expected a grid out of {', '.join(GRIDS)}, got {self.grid!r}")
        if self.grid_points < 1:
            raise ValueError(f"expected at least one grid point, got {self.grid_points}")

    def arguments(self) -> list[str]:
        """On the command line of ``heareval.predictions.runner``."""
        return ["--grid", self.grid, "--grid-points", str(self.grid_points)]

    def about(self) -> dict[str, Any]:
        """For people and results: JSON values."""
        return {**asdict(self), "heareval": heareval_version()}


def heareval_version() -> str:
    """The version of heareval in this environment.

    Raises:
        ModuleNotFoundError: if there is none, saying how to get it.
    """
    if find_spec("heareval") is None:
        raise ModuleNotFoundError(
            'needs heareval, HEAR\'s tools: make hear, or the three pip lines under "In HEAR" in the README'
        )
    try:
        return metadata.version("heareval")
    except metadata.PackageNotFoundError:
        return "unknown"


def versions() -> dict[str, str]:
    """Versions of the packages that heareval's scores are computed with, where they are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def embeddings_key(task_sha256: str, model_identity: str) -> str:
    """Name in the cache of a model's embeddings of a task."""
    return _key(task_sha256, model_identity, heareval_version())


def outcome_key(task_sha256: str, model_identity: str, settings: Settings) -> str:
    """Name in the cache of a model's outcome on a task: the same whenever the numbers would be."""
    return _key(task_sha256, model_identity, settings.about(), VERSION)


def _key(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
