"""A classifier of windows of sound: one matrix product per embedding."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from byola_hear.models.checkpoint import listed
from byola_hear.models.model import ByolaModel

#: Logistic regression, or the cosine to the mean embedding of a class with too few examples for a regression.
Method = Literal["logistic", "cosine"]
METHODS = ("logistic", "cosine")
#: Threshold of a class whose scores were not checked on held-out recordings.
UNCHECKED_THRESHOLD = 0.5


@dataclass(frozen=True)
class Operating:
    """Where a class's score is high enough, measured on held-out recordings.

    Attributes:
        best_f1: the threshold of the highest F1.
        points: pairs of precision and the lowest threshold that reaches it, precision rising; empty if the class was
            not checked.
    """

    best_f1: float = UNCHECKED_THRESHOLD
    points: tuple[tuple[float, float], ...] = ()

    def of_precision(self, precision: float) -> float:
        """The lowest threshold that reaches a precision; infinite if none does.

        Example:
            >>> Operating(0.4, ((0.8, 0.3), (0.95, 0.6))).of_precision(0.9)
            0.6
        """
        return next((threshold for reached, threshold in self.points if reached >= precision), math.inf)


@dataclass(frozen=True)
class Network:
    """The network whose embeddings a classifier takes.

    Attributes:
        source: what loads it: a model's name or a checkpoint's path.
        label: its name and version, ``"both 0.1.0"``.
        fingerprint: SHA-256 of its configuration and weights, hexadecimal.
        size: dimensions of an embedding.
    """

    source: str
    label: str
    fingerprint: str
    size: int

    @classmethod
    def of(cls, model: ByolaModel, source: str) -> Network:
        """Describe a model that was loaded from ``source``."""
        label = f"{model.config.name} {model.config.version}"
        return cls(source, label, model.fingerprint(), model.scene_embedding_size)

    def check(self, fingerprint: str, what: str, size: int) -> None:
        """Make sure that embeddings are those of this network.

        Args:
            fingerprint: of the network that made them.
            what: where they come from, for the message.
            size: their dimensions.

        Raises:
            ValueError: if they are another network's, or have another size.
        """
        if size != self.size:
            raise ValueError(
                f"the classifier needs embeddings of {self.size} dimensions of {self.label}, {what} has {size}"
            )
        if fingerprint != self.fingerprint:
            raise ValueError(
                f"the classifier needs embeddings of {self.label} (fingerprint {self.fingerprint[:12]}…), "
                f"{what} has those of another network or precision ({fingerprint[:12]}…)"
            )


@dataclass(frozen=True, eq=False)
class Classifier:
    """Gives each window of sound a score between 0 and 1 for each class.

    Each class has its own score, so several classes, or none, may sound in a window. An embedding's dimensions are
    first limited to ``low`` and ``high``, a standard deviation beyond what the examples had: dimensions that fire for
    few sounds would otherwise decide alone about every sound that the examples lacked.

    Attributes:
        classes: names.
        weight: ``(n_classes, size)`` float32. Logistic: the scaling is folded in. Cosine: unit vectors.
        bias: ``(n_classes,)`` float32; zeros for cosine.
        centre: ``(size,)`` float32, subtracted before the cosine is taken; zeros for logistic.
        low: ``(size,)`` float32.
        high: ``(size,)`` float32.
        operating: the classes' thresholds.
        method: how a score is computed.
        window: length of a window, s.
        hop: time from one window to the next, s.
        network: the network that makes the embeddings.
        about: how it was trained: any JSON values.

    Raises:
        ValueError: if these do not fit together.
    """

    classes: tuple[str, ...]
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]
    centre: NDArray[np.float32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    operating: tuple[Operating, ...]
    method: Method
    window: float
    hop: float
    network: Network
    about: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n_classes, size = len(self.classes), self.network.size
        if not n_classes or not all(isinstance(name, str) and name for name in self.classes):
            raise ValueError(f"expected classes with names, got {listed(map(repr, self.classes))}")
        if len(set(self.classes)) != n_classes or len(self.operating) != n_classes:
            raise ValueError(f"expected {n_classes} different classes, each with its thresholds")
        if self.method not in METHODS:
            raise ValueError(f"expected the method {' or '.join(METHODS)}, got {self.method!r}")
        shapes = {"weight": (n_classes, size), "bias": (n_classes,)} | dict.fromkeys(("centre", "low", "high"), (size,))
        for name, shape in shapes.items():
            array = getattr(self, name)
            if array.shape != shape or array.dtype != np.float32:
                raise ValueError(f"expected {name} as float32 of shape {shape}, got {array.dtype} {array.shape}")
            if not np.isfinite(array).all():
                raise ValueError(f"{name} holds NaN or infinite values")
        for name in ("window", "hop"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be a positive number of seconds, got {getattr(self, name)!r}")

    def scores(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Score windows.

        Args:
            embeddings: ``(n_windows, size)`` of the classifier's network.

        Returns:
            ``(n_windows, n_classes)`` float32 in [0, 1].

        Raises:
            ValueError: if the embeddings have another size or are not finite.
        """
        check_embeddings(embeddings, self.network.size)
        # In place: a block of embeddings is by far the largest thing here.
        limited = np.clip(embeddings.astype(np.float32, copy=False), self.low, self.high)
        if self.method == "logistic":
            return logistic(limited @ self.weight.T + self.bias)
        limited -= self.centre
        limited /= np.maximum(np.linalg.norm(limited, axis=1, keepdims=True), np.float32(1e-12))
        return np.clip((1 + limited @ self.weight.T) / 2, 0, 1, dtype=np.float32)

    def thresholds(self, wanted: str | float = "best-f1") -> NDArray[np.float64]:
        """The threshold of each class.

        Args:
            wanted: a number for all classes, ``"best-f1"``, or ``"precision=0.9"``.

        Returns:
            ``(n_classes,)``; infinite for a class that does not reach the precision.

        Raises:
            ValueError: if ``wanted`` is something else.
        """
        kind, value = parsed_threshold(wanted)
        if kind == "precision":
            return np.array([each.of_precision(value) for each in self.operating])
        if kind == "best-f1":
            return np.array([each.best_f1 for each in self.operating])
        return np.full(len(self.classes), value)

    def not_detected(self, wanted: str | float) -> list[str]:
        """A sentence for each class without a threshold as :meth:`thresholds` wants it."""
        limits = zip(self.classes, self.thresholds(wanted), strict=True)
        return [
            f"no threshold of {name} reaches {wanted}, so it is not detected" for name, at in limits if np.isinf(at)
        ]


def parsed_threshold(wanted: str | float) -> tuple[Literal["best-f1", "precision", "score"], float]:
    """What a threshold means, and its number.

    Raises:
        ValueError: if it means nothing.

    Example:
        >>> parsed_threshold("precision=0.9"), parsed_threshold("0.5")
        (('precision', 0.9), ('score', 0.5))
    """
    text = str(wanted).strip()
    if text == "best-f1":
        return "best-f1", 0.0
    name, equals, number = text.rpartition("=")
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1 or (name, equals) not in (("", ""), ("precision", "=")):
        raise ValueError(f"expected a threshold from 0 to 1, best-f1 or precision=0.9, got {text!r}")
    return ("precision", value) if equals else ("score", value)


def logistic(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The logistic function, without overflow.

    Example:
        >>> logistic(np.array([-1000.0, 0.0, 1000.0], np.float32))
        array([0. , 0.5, 1. ], dtype=float32)
    """
    return (0.5 * (1 + np.tanh(0.5 * values))).astype(np.float32)


def check_embeddings(embeddings: NDArray[Any], size: int | None = None) -> None:
    """Make sure that embeddings are finite and of one size.

    Args:
        embeddings: what should be ``(n_windows, size)``.
        size: the size; any if None.

    Raises:
        ValueError: if they are not.
    """
    if embeddings.ndim != 2 or (size is not None and embeddings.shape[1] != size):
        expected = f"(n_windows, {'size' if size is None else size})"
        raise ValueError(f"expected embeddings of shape {expected}, got {embeddings.shape}")
    finite = np.isfinite(embeddings).all(axis=1)
    if not finite.all():
        rows: Sequence[int] = np.flatnonzero(~finite).tolist()
        raise ValueError(
            f"{len(rows)} of {len(embeddings)} embeddings hold NaN or infinity, the first in row {rows[0]}"
        )
