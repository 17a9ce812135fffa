"""Settings of heareval's probes, and names of results in the cache."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from importlib import metadata
from importlib.util import find_spec
from typing import Any

#: Version of cached outcomes; raise it to measure all outcomes again.
VERSION = 1

#: heareval's grids of hyperparameters.
GRIDS = ("default", "fast", "faster")

#: Packages that a score may depend on, besides heareval.
PACKAGES = ("torch", "pytorch-lightning", "sed_eval", "scikit-learn")


@dataclass(frozen=True)
class ProbeSettings:
    """heareval's settings.

    Attributes:
        grid: grid of hyperparameters, one of ``GRIDS``.
        grid_points: number of its points to try, drawn by heareval with its seed, 42.
        standardise: whether embeddings are standardised by the training part of each fit.
    """

    grid: str = "default"
    grid_points: int = 8
    standardise: bool = False

    def __post_init__(self) -> None:
        if self.grid not in GRIDS:
            raise ValueError(f"expected a grid out of {', '.join(GRIDS)}, got {self.grid!r}")
        if self.grid_points < 1:
            raise ValueError(f"expected at least one grid point, got {self.grid_points}")

    def arguments(self) -> list[str]:
        """Arguments of ``heareval.predictions.runner``."""
        return ["--grid", self.grid, "--grid-points", str(self.grid_points)]

    def about(self) -> dict[str, Any]:
        """The settings as JSON values, for results. ``standardise`` is among them only if it is used."""
        given = asdict(self)
        if not self.standardise:
            del given["standardise"]  # outcomes that were measured before there was a choice stay valid
        return {**given, "heareval": heareval_version()}


def heareval_version() -> str:
    """The installed version of heareval.

    Raises:
        ModuleNotFoundError: if heareval is not installed.
    """
    if find_spec("heareval") is None:
        raise ModuleNotFoundError(
            "needs heareval, one of HEAR's tools: run `make hear`, or install it as docs/hear.md describes"
        )
    try:
        return metadata.version("heareval")
    except metadata.PackageNotFoundError:
        return "unknown"


def versions() -> dict[str, str]:
    """Installed versions of the packages that heareval's scores depend on."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def embeddings_key(task_sha256: str, model_identity: str) -> str:
    """Name of a model's embeddings of a task in the cache."""
    return _key(task_sha256, model_identity, heareval_version())


def outcome_key(task_sha256: str, model_identity: str, settings: ProbeSettings) -> str:
    """Name of a model's outcome on a task in the cache: the same if and only if the scores would be."""
    return _key(task_sha256, model_identity, settings.about(), VERSION)


def _key(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
