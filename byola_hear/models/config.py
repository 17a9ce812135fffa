"""What a model is, apart from its weights."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig


def _checked_keys(kind: type, data: object, what: str) -> dict[str, Any]:
    """``data`` as a dictionary whose keys are exactly the fields of the dataclass ``kind``."""
    if not isinstance(data, dict):
        raise ValueError(f"expected {what} as a dictionary, got {type(data).__name__}")
    known = [item.name for item in fields(kind)]
    unknown = sorted(str(key) for key in data if key not in known)
    missing = [name for name in known if name not in data]
    if unknown or missing:
        listed = f"unknown: {', '.join(unknown) or 'none'}; missing: {', '.join(missing) or 'none'}"
        raise ValueError(f"expected {what} with the keys {', '.join(known)}; {listed}")
    return data


@dataclass(frozen=True)
class ModelConfig:
    """Everything about a model except its weights; lives in the checkpoint's header.

    Attributes:
        name: what the model is called, ``"speech"`` for instance.
        version: version of these weights.
        frontend: waveform to log-mel.
        encoder: the network's shape.
        mean: mean of the training set's log-mel values.
        std: standard deviation of the training set's log-mel values.
        window_frames: frame features pooled into one timestamp embedding; odd.
        licence: SPDX name of the weights' licence.
        training: how it was trained (hours by source, recipe, crops seen), free-form JSON values.
    """

    name: str
    version: str
    frontend: FrontendConfig
    encoder: EncoderConfig
    mean: float
    std: float
    window_frames: int = 9
    licence: str = "Apache-2.0"
    training: dict[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for key in ("name", "version", "licence"):
            if not isinstance(getattr(self, key), str) or not getattr(self, key):
                raise ValueError(f"{key} must be a non-empty string, got {getattr(self, key)!r}")
        if not isinstance(self.frontend, FrontendConfig) or not isinstance(self.encoder, EncoderConfig):
            raise ValueError(
                "frontend and encoder must be a FrontendConfig and an EncoderConfig, "
                f"got {type(self.frontend).__name__} and {type(self.encoder).__name__}"
            )
        if self.frontend.n_mels != self.encoder.n_mels:
            raise ValueError(
                "front end and encoder disagree about the number of mel bands: "
                f"{self.frontend.n_mels} and {self.encoder.n_mels}"
            )
        for key in ("mean", "std"):
            value = getattr(self, key)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                raise ValueError(f"{key} must be a finite number, got {value!r}")
        if self.std <= 0:
            raise ValueError(f"std must be positive, got {self.std}")
        if type(self.window_frames) is not int or self.window_frames < 1 or self.window_frames % 2 == 0:
            raise ValueError(f"window_frames must be an odd positive integer, got {self.window_frames!r}")
        if not isinstance(self.training, dict):
            raise ValueError(f"training must be a dictionary, got {type(self.training).__name__}")

    def to_dict(self) -> dict[str, Any]:
        """The configuration as plain JSON values, for a checkpoint's header."""
        data = {item.name: getattr(self, item.name) for item in fields(self)}
        return {**data, "frontend": self.frontend.to_dict(), "encoder": self.encoder.to_dict()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ModelConfig:
        """The configuration that :meth:`to_dict` gave.

        Raises:
            ValueError: if a key is unknown or missing, or a value is not allowed.
        """
        data = dict(_checked_keys(cls, data, "a model configuration"))
        frontend = _checked_keys(FrontendConfig, data["frontend"], "frontend")
        encoder = _checked_keys(EncoderConfig, data["encoder"], "encoder")
        try:
            data["frontend"], data["encoder"] = FrontendConfig(**frontend), EncoderConfig(**encoder)
            return cls(**data)
        except TypeError as error:  # a string where a number is compared, for instance
            raise ValueError(f"a value of the wrong type in a model configuration: {error}") from error


def training_hours(training: dict[str, Any]) -> float | None:
    """Hours of audio out of a configuration's ``training``: ``hours`` itself, or the sum of it by source.

    Example:
        >>> training_hours({"hours": {"a": 1.5, "b": 0.5}})
        2.0
    """
    hours = training.get("hours")
    parts = list(hours.values()) if isinstance(hours, dict) else [hours]
    values = [value for value in parts if isinstance(value, (int, float))]
    return round(float(sum(values)), 4) if values else None  # to a third of a second: sums are not exact
