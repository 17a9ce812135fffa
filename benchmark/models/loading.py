"""Load networks and baselines by name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import byola_hear
from benchmark.baselines import BASELINES, baseline
from benchmark.baselines.contract import Baseline
from benchmark.baselines.weights import Unavailable
from byola_hear.models.loading import HUB_PREFIX, is_path
from byola_hear.models.model import ByolaModel
from byola_hear.models.precision import PRECISIONS
from byola_hear.utils.text import one_line


def baseline_asked_for(text: str) -> tuple[str, str] | None:
    """Split ``NAME`` or ``NAME=WEIGHTS`` into a baseline's name and its weights; None if it is not a baseline.

    Example:
        >>> baseline_asked_for("wav2vec2=facebook/wav2vec2-base-960h"), baseline_asked_for("both")
        (('wav2vec2', 'facebook/wav2vec2-base-960h'), None)
    """
    name, _, weights = text.partition("=")
    return (name, weights) if name in BASELINES else None


def row_name(name: str, weights: str = "") -> str:
    """The name of a baseline's row.

    Example:
        >>> row_name("crepe"), row_name("wav2vec2", "facebook/wav2vec2-base-960h")
        ('crepe', 'wav2vec2=wav2vec2-base-960h')
    """
    path = Path(weights)
    return f"{name}={path.stem if path.is_file() else path.name}" if weights else name


@dataclass(frozen=True)
class ModelName:
    """A model that is named on the command line; nothing is loaded yet.

    Attributes:
        row: name of its row in a table, valid as a file name.
        baseline: name of the baseline; empty for a network.
        weights: argument of ``load_model``: a name, an absolute path, a seed, or empty.
        precision: what a network computes in; empty for float32.
    """

    row: str
    baseline: str
    weights: str
    precision: str = ""

    @classmethod
    def of(cls, text: str) -> ModelName:
        """Parse a name. :func:`check_network` checks whether there is such a network.

        Args:
            text: name of a network, path of a checkpoint, ``hf://`` and a repository, name of a baseline, or
                ``NAME=WEIGHTS``. A network with ``@int8`` or ``@bfloat16`` computes in this precision.

        Example:
            >>> ModelName.of("untrained=1")
            ModelName(row='untrained=1', baseline='untrained', weights='1', precision='')
            >>> ModelName.of("hf://organisation/name")
            ModelName(row='name', baseline='', weights='hf://organisation/name', precision='')
            >>> ModelName.of("both@int8")
            ModelName(row='both@int8', baseline='', weights='both', precision='int8')
        """
        network, _, precision = text.rpartition("@")
        if network and precision in PRECISIONS and not (baseline_asked_for(network) or Path(text).is_file()):
            found = cls.of(network)
            return replace(found, row=f"{found.row}@{precision}", precision=precision)
        if asked := baseline_asked_for(text):
            name, weights = asked
            there = bool(weights) and Path(weights).exists()
            return cls(row_name(name, weights), name, str(Path(weights).resolve()) if there else weights)
        path = Path(text)
        if text not in byola_hear.list_models() and path.is_file():
            return cls(path.stem, "", str(path.resolve()))
        return cls(path.name, "", text)

    @property
    def module(self) -> str:
        """Name of the module with HEAR's API for the model."""
        return f"benchmark.baselines.{self.baseline}" if self.baseline else "byola_hear"

    @property
    def untrained_shape(self) -> str:
        """What an untrained network is, for notes."""
        transformer = self.baseline == "untrained_transformer"
        return "transformer with random weights" if transformer else "v2 shape as PyTorch initialises it"

    def load(self) -> Any:
        """Load the model.

        Raises:
            Unavailable: if it is a baseline that is not available here.
            ValueError: if it can't be loaded.
            FileNotFoundError: if its file does not exist.
        """
        if self.baseline:
            return load_baseline(self.baseline, self.weights)
        model = load_network(self.weights)
        return model.in_precision(self.precision) if self.precision else model

    def note(self, model: ByolaModel | Baseline) -> str:
        """What a reader of the table must know about the model, including weights other than the default.

        Args:
            model: the loaded model.

        Example:
            >>> name = ModelName.of("logmel")
            >>> name.note(name.load())[:20]
            'log-mel spectrogram,'
        """
        if isinstance(model, ByolaModel):
            untrained = f"{self.untrained_shape}, seed {self.weights or 0}"
            precision = f" in {self.precision}" if self.precision else ""
            return untrained if self.baseline else f"{model.config.name} {model.config.version}{precision}"
        named = Path(self.weights).name if Path(self.weights).exists() else self.weights
        return f"weights {named}: {model.note}" if named not in model.note else model.note


def check_network(name: str) -> None:
    """Check the name of a network or the path of a checkpoint without loading it.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if there is no such network; the message lists the networks and baselines.
    """
    networks = byola_hear.list_models()
    if not name or name in networks or name.startswith(HUB_PREFIX) or Path(name).exists():
        return
    if is_path(name):
        raise FileNotFoundError(f"no such checkpoint: {name}")
    known = ", ".join((*networks, *BASELINES, "all"))
    raise ValueError(f"no model is called {name!r}; known names: {known}; or give a checkpoint's path")


def load_network(name: str) -> ByolaModel:
    """Load one of the package's networks, or a checkpoint.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if there is no such network, or the checkpoint can't be loaded.
    """
    check_network(name)
    return byola_hear.load_model(name)


def load_baseline(name: str, weights: str = "") -> Any:
    """Load a baseline.

    If its package can't be imported, or its default weights are damaged, it counts as unavailable, so that only its row
    is missing from a table.

    Args:
        name: one of :data:`benchmark.baselines.BASELINES`.
        weights: argument of its ``load_model``.

    Returns:
        The model.

    Raises:
        Unavailable: if the baseline is not available here.
        ValueError: if the weights named can't be loaded.
        FileNotFoundError: if they do not exist.
    """
    try:
        return baseline(name).load_model(weights)
    except Unavailable:
        raise
    except (ImportError, OSError, ValueError, RuntimeError) as error:
        if weights:
            raise
        raise Unavailable(f"can't be loaded as it is installed here: {one_line(error)}") from error
