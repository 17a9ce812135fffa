"""What is asked of every clip of an extraction."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from numbers import Real
from typing import Any

from byola_hear.models.model import ByolaModel


@dataclass(frozen=True)
class Request:
    """What is asked of every clip; two tables of equal requests belong together.

    Attributes:
        kind: ``"scene"`` or ``"timestamp"``.
        window: seconds pooled into an embedding; None for the whole clip (scene) or the model's own (timestamp).
        hop: seconds from one embedding to the next; None for the window's length (scene) or the model's own
            (timestamp).
        model: the model's name and version, ``"both 0.1.0"``.
        fingerprint: SHA-256 of the model's configuration and weights, hexadecimal.
        size: numbers in an embedding.
    """

    kind: str
    window: float | None
    hop: float | None
    model: str
    fingerprint: str
    size: int

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that say what a row is of; those of the embedding come after them."""
        return ("file", "start", "end") if self.kind == "scene" else ("file", "start", "end", "time")

    def to_dict(self) -> dict[str, Any]:
        """The request as plain JSON values."""
        return asdict(self)


def request_for(
    model: ByolaModel, kind: str = "scene", window: float | None = None, hop: float | None = None
) -> Request:
    """What is asked of each clip.

    Args:
        model: the network.
        kind: ``"scene"``: an embedding a clip or, with a window, one for each of the windows that cover the clip
            from its beginning, the last one as long as the clip lasts. ``"timestamp"``: embeddings along time, each
            of a window centred on its time.
        window: seconds of sound to an embedding; None for the whole clip (scene) or the model's own (timestamp).
        hop: seconds from one embedding to the next; None for the window's length (scene) or the model's own
            frames (timestamp).

    Returns:
        The request.

    Raises:
        ValueError: if the kind is unknown, a number is not positive and finite or is less than one sample at the
            model's rate, or a hop is given for whole clips.
    """
    if kind not in ("scene", "timestamp"):
        raise ValueError(f"kind must be 'scene' or 'timestamp', got {kind!r}")
    for name, value in (("window", window), ("hop", hop)):
        if value is None:
            continue
        if not isinstance(value, Real) or not 0 < value < float("inf"):
            raise ValueError(f"{name} must be a positive number of seconds, got {value!r}")
        # From here on downwards there would be more rows than samples, without end.
        if value * model.sample_rate < 1:
            raise ValueError(f"{name} must be at least one sample, {1 / model.sample_rate:g} s, got {value!r}")
    if kind == "scene" and hop is not None and window is None:
        raise ValueError(f"a hop between scene embeddings needs a window, got hop={hop!r} alone")
    if kind == "scene" and window is not None:
        hop = window if hop is None else hop
    label = f"{model.config.name} {model.config.version}"
    return Request(kind, window, hop, label, model.fingerprint(), model.scene_embedding_size)
