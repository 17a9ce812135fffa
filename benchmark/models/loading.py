"""Networks and baselines by name: what a name stands for, and what it loads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import byola_hear
from benchmark.baselines import BASELINES, baseline
from benchmark.baselines.contract import Baseline, Unavailable
from byola_hear.models.loading import HUB_PREFIX, is_path
from byola_hear.models.model import ByolaModel


def baseline_asked_for(text: str) -> tuple[str, str] | None:
    """A baseline's name and weights out of ``NAME`` or ``NAME=WEIGHTS``; None if it is no baseline's.

    Example:
        >>> baseline_asked_for("wav2vec2=facebook/wav2vec2-base-960h"), baseline_asked_for("both")
        (('wav2vec2', 'facebook/wav2vec2-base-960h'), None)
    """
    name, _, weights = text.partition("=")
    return (name, weights) if name in BASELINES else None


def row_name(name: str, weights: str = "") -> str:
    """What a baseline's row is called.

    Example:
        >>> row_name("crepe"), row_name("wav2vec2", "facebook/wav2vec2-base-960h")
        ('crepe', 'wav2vec2=wav2vec2-base-960h')
    """
    path = Path(weights)
    return f"{name}={path.stem if path.is_file() else path.name}" if weights else name


@dataclass(frozen=True)
class ModelName:
    """What the name of a model stands for; nothing is loaded yet.

    Attributes:
        row: what its row of a table is called; fit for a file's name.
        baseline: the baseline's name; empty for a network.
        weights: what ``load_model`` is given: a name, an absolute path, a seed; empty for nothing.
    """

    row: str
    baseline: str
    weights: str

    @classmethod
    def of(cls, text: str) -> ModelName:
        """What a name stands for: a network's, a checkpoint's path, ``hf://`` and a repository's, a baseline's, or
        ``NAME=WEIGHTS``. Whether there is such a network is :func:`check_network`'s to say.

        Example:
            >>> ModelName.of("untrained=1")
            ModelName(row='untrained=1', baseline='untrained', weights='1')
            >>> ModelName.of("hf://organisation/name")
            ModelName(row='name', baseline='', weights='hf://organisation/name')
        """
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
        """Name of the module that speaks HEAR's API for it."""
        return f"benchmark.baselines.{self.baseline}" if self.baseline else "byola_hear"

    def load(self) -> Any:
        """The model.

        Raises:
            Unavailable: if it is a baseline that can't be had here.
            ValueError: if it can't be used.
            FileNotFoundError: if its file is not there.
        """
        return load_baseline(self.baseline, self.weights) if self.baseline else load_network(self.weights)

    def note(self, model: ByolaModel | Baseline) -> str:
        """What a reader of the table must know about the model that it loaded; other weights than usual are named.

        Example:
            >>> name = ModelName.of("logmel")
            >>> name.note(name.load())[:20]
            'log-mel spectrogram,'
        """
        if isinstance(model, ByolaModel):
            untrained = f"v2 shape as PyTorch initialises it, seed {self.weights or 0}"
            return untrained if self.baseline else f"{model.config.name} {model.config.version}"
        named = Path(self.weights).name if Path(self.weights).exists() else self.weights
        return f"weights {named}: {model.note}" if named not in model.note else model.note


def check_network(name: str) -> None:
    """Look at a network's name, or a checkpoint's path, and load nothing; who names neither is told of the baselines.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if there is no such name.
    """
    networks = byola_hear.list_models()
    if not name or name in networks or name.startswith(HUB_PREFIX) or Path(name).exists():
        return
    if is_path(name):
        raise FileNotFoundError(f"no such checkpoint: {name}")
    known = ", ".join((*networks, *BASELINES, "all"))
    raise ValueError(f"no model is called {name!r}; known names: {known}; or give a checkpoint's path")


def load_network(name: str) -> ByolaModel:
    """One of the package's networks, or a checkpoint; a name that is none is told of the baselines, too.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if there is no such name, or the checkpoint can't be loaded.
    """
    check_network(name)
    return byola_hear.load_model(name)


def load_baseline(name: str, weights: str = "") -> Any:
    """A baseline's model, whatever is wrong with what it looks for by itself being a reason not to have it.

    A package that does not import, or damaged weights where no weights were named, cost one row and not all the others.

    Args:
        name: out of :data:`benchmark.baselines.BASELINES`.
        weights: what its ``load_model`` is given.

    Returns:
        What its ``load_model`` gives.

    Raises:
        Unavailable: if the baseline can't be had here.
        ValueError: if the weights named can't be used.
        FileNotFoundError: if they are not there.
    """
    try:
        return baseline(name).load_model(weights)
    except Unavailable:
        raise
    except (ImportError, OSError, ValueError, RuntimeError) as error:
        if weights:
            raise
        why = " ".join(str(error).split()) or type(error).__name__
        raise Unavailable(f"can't be used as it is installed here: {why}") from error
