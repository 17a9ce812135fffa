"""What is asked of every clip of an extraction."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from numbers import Real
from typing import Any

from byola_hear.models.model import ByolaModel


@dataclass(frozen=True)
class Request:
    """What is asked of every clip. Tables with equal requests are comparable and can be joined.

    Attributes:
        kind: ``"scene"`` or ``"timestamp"``.
        window: length of sound pooled into an embedding, s; None for the whole clip (scene) or the model's own window
            (timestamp).
        hop: time from one embedding to the next, s; None for a single embedding (scene) or the model's own hop
            (timestamp).
        model: the model's name and version, such as ``"both 0.1.0"``.
        fingerprint: SHA-256 of the model's configuration and weights, hexadecimal.
        size: dimensions of an embedding.
    """

    kind: str
    window: float | None
    hop: float | None
    model: str
    fingerprint: str
    size: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns before the embedding's."""
        return ("file", "start", "end") if self.kind == "scene" else ("file", "start", "end", "time")

    def to_dict(self) -> dict[str, Any]:
        """The request as plain JSON values."""
        return asdict(self)


def request_for(
    model: ByolaModel, kind: str = "scene", window: float | None = None, hop: float | None = None
) -> Request:
    """Check the settings of an extraction and make a request of them.

    Args:
        model: the network.
        kind: ``"scene"``: one embedding per clip or, with a window, one per window. The windows cover the clip from its
            beginning; the last one ends with the clip. ``"timestamp"``: embeddings along time, each of a window centred
            on its time.
        window: length of sound pooled into an embedding, s; None for the whole clip (scene) or the model's own window
            (timestamp).
        hop: time from one embedding to the next, s; None for the window's length (scene) or the model's own hop
            (timestamp).

    Returns:
        The request.

    Raises:
        ValueError: if the kind is unknown, a number is not positive and finite or is less than one sample at the
            model's rate, or a hop is given without a window for scenes.
    """
    if kind not in ("scene", "timestamp"):
        raise ValueError(f"kind must be 'scene' or 'timestamp', got {kind!r}")
    for name, value in (("window", window), ("hop", hop)):
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, Real) or not 0 < value < float("inf"):
            raise ValueError(f"{name} must be a positive number of seconds, got {value!r}")
        # With less, there would be more rows than samples.
        if value * model.sample_rate < 1:
            raise ValueError(f"{name} must be at least one sample, {1 / model.sample_rate:g} s, got {value!r}")
    if kind == "scene" and hop is not None and window is None:
        raise ValueError(f"a hop between scene embeddings needs a window, got hop={hop!r} alone")
    # Plain Python numbers, because requests are compared and become JSON.
    window, hop = (None if value is None else float(value) for value in (window, hop))
    if kind == "scene" and hop is None:
        hop = window
    label = f"{model.config.name} {model.config.version}"
    return Request(kind, window, hop, label, model.fingerprint(), model.scene_embedding_size)
