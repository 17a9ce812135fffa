"""A pre-training run's recipe: every number that decides what comes out, apart from the audio."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.encoders.protocol import EncoderShape
from byola_hear.models.encoders.registry import DEFAULT_KIND, encoder_from_dict, encoder_to_dict
from byola_hear.pretraining.byol.views import ViewConfig


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes:
        steps: optimisation steps in all; the schedules end there.
        batch_size: crops a step, on each device.
        crop_frames: log-mel frames of a crop; 96 are 0.96 s.
        learning_rate: Adam's, after warming up.
        final_learning_rate: what a cosine lets it fall to.
        warm_up_steps: steps over which the learning rate rises from zero.
        weight_decay: of AdamW, on weights, not on biases or batch norms; 0 makes it Adam.
        ema_decay: of the target network at the beginning; it rises along a cosine.
        final_ema_decay: of the target network at the end.
        projector_hidden: width inside projector and predictor.
        projector_output: size of a projection.
        seed: of everything random.
        views: strengths of the augmentations.
        encoder: shape of the network.
    """

    steps: int = 10_000
    batch_size: int = 128
    crop_frames: int = 96
    learning_rate: float = 3e-4
    final_learning_rate: float = 0.0
    warm_up_steps: int = 200
    weight_decay: float = 0.0
    ema_decay: float = 0.99
    final_ema_decay: float = 1.0
    projector_hidden: int = 4096
    projector_output: int = 256
    seed: int = 42
    views: ViewConfig = field(default_factory=ViewConfig)
    encoder: EncoderShape = field(default_factory=EncoderConfig)

    def __post_init__(self) -> None:
        for name in ("steps", "projector_hidden", "projector_output"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.batch_size < 2:
            raise ValueError(f"batch_size must be at least 2, batch norm needs it, got {self.batch_size}")
        if self.crop_frames < self.encoder.stride or self.crop_frames % self.encoder.stride:
            raise ValueError(
                f"crop_frames must be a multiple of the encoder's stride {self.encoder.stride}, got {self.crop_frames}"
            )
        if self.learning_rate <= 0 or not 0 <= self.final_learning_rate <= self.learning_rate:
            raise ValueError(
                "expected 0 <= final_learning_rate <= learning_rate and learning_rate > 0, "
                f"got {self.final_learning_rate} and {self.learning_rate}"
            )
        if not 0 <= self.ema_decay <= self.final_ema_decay <= 1:
            raise ValueError(
                f"expected 0 <= ema_decay <= final_ema_decay <= 1, got {self.ema_decay} and {self.final_ema_decay}"
            )
        if self.warm_up_steps < 0 or self.weight_decay < 0:
            raise ValueError(
                f"warm_up_steps and weight_decay must not be negative, got {self.warm_up_steps} and {self.weight_decay}"
            )
        # A step's seed is made of it and must fit into 64 bits.
        if not 0 <= self.seed < 2**31:
            raise ValueError(f"seed must be from 0 to {2**31 - 1}, got {self.seed}")

    def learning_rate_at(self, step: int) -> float:
        """Learning rate of a step, counted from 0.

        Example:
            >>> recipe = Recipe(steps=1000, warm_up_steps=10, learning_rate=1e-3)
            >>> recipe.learning_rate_at(9), round(recipe.learning_rate_at(505), 6)
            (0.001, 0.0005)
        """
        if step < self.warm_up_steps:
            return self.learning_rate * (step + 1) / self.warm_up_steps
        progress = (step - self.warm_up_steps) / max(1, self.steps - self.warm_up_steps)
        return _cosine(self.learning_rate, self.final_learning_rate, progress)

    def ema_decay_at(self, step: int) -> float:
        """Decay of the target network's moving average at a step, counted from 0."""
        return _cosine(self.ema_decay, self.final_ema_decay, step / self.steps)

    def to_dict(self) -> dict[str, Any]:
        """The recipe as plain values, for logs, states and checkpoints."""
        return {**asdict(self), "encoder": encoder_to_dict(self.encoder)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Recipe:
        """The recipe that :meth:`to_dict` gave."""
        return cls(**{**data, "views": ViewConfig(**data["views"]), "encoder": encoder_from_dict(data["encoder"])})


def differences(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """What one recipe of :meth:`Recipe.to_dict` has otherwise than another, with both values; empty if nothing.

    Example:
        >>> differences(Recipe(steps=10).to_dict(), Recipe(steps=20).to_dict())
        'steps 10, got 20'
    """
    # Older recipes name no kind of encoder.
    first, second = (
        {**recipe, **recipe["views"], "kind": DEFAULT_KIND, **recipe["encoder"]} for recipe in (stored, wanted)
    )
    names = [name for name in {**first, **second} if name not in ("views", "encoder")]
    changed = [name for name in names if first.get(name) != second.get(name)]
    return ", ".join(f"{name} {first.get(name)}, got {second.get(name)}" for name in changed)


def _cosine(first: float, last: float, progress: float) -> float:
    """Half a cosine from one value to another."""
    return last + (first - last) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
