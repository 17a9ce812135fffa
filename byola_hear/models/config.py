"""What a model is, apart from its weights."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

from byola_hear.models.encoders.protocol import EncoderShape
from byola_hear.models.encoders.registry import DEFAULT_KIND, encoder_from_dict, encoder_to_dict, is_encoder_config
from byola_hear.models.encoders.transformer import AVERAGE
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.plain import checked_keys
from byola_hear.models.pooling.combination import MAX_MEAN, combination

#: Fields that change no embedding.
_DESCRIPTIVE = ("name", "version", "licence", "training")


@dataclass(frozen=True)
class ModelConfig:
    """Everything about a model except its weights; stored in the checkpoint's header.

    Attributes:
        name: the model's name, ``"speech"`` for instance.
        version: version of the weights.
        frontend: how waveforms become log-mels.
        encoder: the network's kind and shape, for instance an
            :class:`~byola_hear.models.encoders.convolutional.EncoderConfig`.
        mean: mean of the training set's log-mel values.
        std: standard deviation of the training set's log-mel values.
        window_frames: frame features pooled into one timestamp embedding; odd.
        licence: SPDX name of the weights' licence.
        training: how the model was trained (hours by source, recipe, crops seen): any JSON values.
        pooling: how frame features become an embedding: a name from
            :data:`byola_hear.models.pooling.combination.POOLINGS`.

    Raises:
        ValueError: if a value is not allowed.

    Example:
        >>> from byola_hear.models.encoders.convolutional import EncoderConfig
        >>> config = ModelConfig("example", "1.0", FrontendConfig(), EncoderConfig.v2(), mean=-8.0, std=4.5)
        >>> config == ModelConfig.from_dict(config.to_dict())
        True
    """

    name: str
    version: str
    frontend: FrontendConfig
    encoder: EncoderShape
    mean: float
    std: float
    window_frames: int = 9
    licence: str = "Apache-2.0"
    training: dict[str, Any] = field(default_factory=dict, hash=False)
    pooling: str = MAX_MEAN

    def __post_init__(self) -> None:
        for key in ("name", "version", "licence"):
            if not isinstance(getattr(self, key), str) or not getattr(self, key):
                raise ValueError(f"{key} must be a non-empty string, got {getattr(self, key)!r}")
        if not isinstance(self.frontend, FrontendConfig) or not is_encoder_config(self.encoder):
            raise ValueError(
                "frontend and encoder must be a FrontendConfig and the configuration of a known kind of encoder, "
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
        combination(self.pooling)

    @property
    def frame_ms(self) -> float:
        """Milliseconds from one frame feature to the next."""
        return self.encoder.stride * self.frontend.hop_length * 1000 / self.frontend.sample_rate

    def to_dict(self) -> dict[str, Any]:
        """The configuration as plain JSON values, for a checkpoint's header."""
        data = {item.name: getattr(self, item.name) for item in fields(self)}
        return {**data, "frontend": self.frontend.to_dict(), "encoder": encoder_to_dict(self.encoder)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ModelConfig:
        """Read a configuration that :meth:`to_dict` wrote.

        Args:
            data: plain values. Without ``pooling`` it is maximum plus mean, and an encoder without ``kind`` is
                convolutional: older configurations name neither.

        Returns:
            The configuration.

        Raises:
            ValueError: if a key is unknown or missing, or a value is not allowed.
        """
        data = checked_keys(cls, data, "a model configuration", optional=("pooling",))
        frontend = checked_keys(FrontendConfig, data["frontend"], "frontend")
        try:
            data["frontend"], data["encoder"] = FrontendConfig(**frontend), encoder_from_dict(data["encoder"])
            return cls(**data)
        except TypeError as error:  # a string where a number is compared, for instance
            raise ValueError(f"a value of the wrong type in a model configuration: {error}") from error

    def decisive(self) -> dict[str, Any]:
        """The part of :meth:`to_dict` that decides the embeddings.

        :meth:`byola_hear.models.model.ByolaModel.fingerprint` is a hash of it and of the weights.

        Fingerprints are stored in tables and must stay the same. They are older than ``pooling`` and the encoder's
        ``kind``, so these two appear only where they differ from what all models had before. A transformer whose layers
        are averaged has the form of when that was the only way.
        """
        data = {key: value for key, value in self.to_dict().items() if key not in _DESCRIPTIVE}
        if self.pooling == MAX_MEAN:
            del data["pooling"]
        if self.encoder.kind == DEFAULT_KIND:
            data["encoder"] = self.encoder.to_dict()
        if data["encoder"].get("combine") == AVERAGE:
            older = {key: value for key, value in data["encoder"].items() if key not in ("combine", "taken")}
            data["encoder"] = {**older, "averaged": data["encoder"]["taken"]}
        return data


def training_hours(training: dict[str, Any]) -> float | None:
    """Hours of audio that a model was trained on.

    Args:
        training: :attr:`ModelConfig.training`; its ``hours`` is a number, or a dictionary of numbers by source.

    Returns:
        The hours, or their sum over the sources; None if they are not stated.

    Example:
        >>> training_hours({"hours": {"a": 1.5, "b": 0.5}})
        2.0
    """
    hours = training.get("hours")
    parts = list(hours.values()) if isinstance(hours, dict) else [hours]
    values = [value for value in parts if isinstance(value, (int, float))]
    return round(float(sum(values)), 4) if values else None  # sums of floats are not exact
