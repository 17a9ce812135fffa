"""The recipe of a run: everything but the audio that decides the network that comes out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.encoders.protocol import EncoderShape
from byola_hear.models.encoders.registry import DEFAULT_KIND, encoder_from_dict, encoder_to_dict
from byola_hear.pretraining.byol.views import ViewConfig

#: What the second view may be made of.
SECOND_VIEWS = ("same", "clip", "note")


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes:
        steps: total number of optimisation steps. The schedules end there.
        batch_size: crops per step on each device.
        crop_frames: length of a crop in log-mel frames of 10 ms; 96 frames are 0.96 s.
        learning_rate: learning rate of Adam after warm-up.
        final_learning_rate: learning rate at the last step. A cosine leads there.
        warm_up_steps: steps over which the learning rate rises from zero.
        weight_decay: weight decay of AdamW, on weights but not on biases or batch norms; 0 makes it Adam.
        ema_decay: decay of the target network at the first step. It rises along a cosine.
        final_ema_decay: decay of the target network at the last step.
        projector_hidden: width inside the projector and the predictor.
        projector_output: dimensions of a projection.
        seed: seed of everything random.
        ema_batch: batch size that the decays of the target network are stated for. A decay is raised to the power of
            the batch size over this one, as in arXiv 2307.13813; 0 takes decays as they are.
        batch_norm_momentum: share of a batch in the running statistics of batch norms.
        second_view: what the second view is made of: the ``same`` crop as the first, another crop of the ``clip``, or
            ``note``: another crop of the clip, or for a note of a SoundFont the same note with another velocity.
        crop_candidates: places that are drawn for each crop, of which the loudest is taken.
        ambience_mix: how often a crop of effects is mixed with one of ambience, from 0 to 1.
        kind_weights: how often kinds of sound are drawn, relative to their hours; see
            :func:`~byola_hear.pretraining.data.crops.kind_factors`.
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
    ema_batch: int = 0
    batch_norm_momentum: float = 0.1
    second_view: str = "same"
    crop_candidates: int = 1
    ambience_mix: float = 0.0
    kind_weights: dict[str, float] = field(default_factory=dict)
    views: ViewConfig = field(default_factory=ViewConfig)
    encoder: EncoderShape = field(default_factory=EncoderConfig)

    def __post_init__(self) -> None:
        for name in ("steps", "projector_hidden", "projector_output"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.batch_size < 2:
            raise ValueError(f"batch_size must be at least 2 for batch norm, got {self.batch_size}")
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
        if self.second_view not in SECOND_VIEWS:
            raise ValueError(f"second_view must be one of {', '.join(SECOND_VIEWS)}, got {self.second_view!r}")
        if self.crop_candidates < 1 or self.ema_batch < 0:
            raise ValueError(
                "expected crop_candidates of at least 1 and ema_batch of at least 0, "
                f"got {self.crop_candidates} and {self.ema_batch}"
            )
        if not (0 < self.batch_norm_momentum <= 1 and 0 <= self.ambience_mix <= 1):
            raise ValueError(
                "expected batch_norm_momentum above 0 and ambience_mix from 0, both to 1, "
                f"got {self.batch_norm_momentum} and {self.ambience_mix}"
            )
        if wrong := [kind for kind, weight in self.kind_weights.items() if not 0 <= weight < math.inf]:
            raise ValueError(f"weights of kinds must be 0 or more, got {self.kind_weights[wrong[0]]} for {wrong[0]}")
        # The seeds of the steps are multiples of it and must fit into 64 bits.
        if not 0 <= self.seed < 2**31:
            raise ValueError(f"seed must be from 0 to {2**31 - 1}, got {self.seed}")

    def learning_rate_at(self, step: int) -> float:
        """The learning rate of a step, counted from 0.

        Example:
            >>> recipe = Recipe(steps=1000, warm_up_steps=10, learning_rate=1e-3)
            >>> recipe.learning_rate_at(9), round(recipe.learning_rate_at(505), 6)
            (0.001, 0.0005)
        """
        if step < self.warm_up_steps:
            return self.learning_rate * (step + 1) / self.warm_up_steps
        progress = (step - self.warm_up_steps) / max(1, self.steps - self.warm_up_steps)
        return _cosine(self.learning_rate, self.final_learning_rate, progress)

    def ema_decay_at(self, step: int, world_size: int = 1) -> float:
        """The decay of the target network's moving average at a step, counted from 0.

        Args:
            step: the step.
            world_size: number of processes that train together.

        Example:
            >>> round(Recipe(batch_size=32, ema_batch=256).ema_decay_at(0), 5)
            0.99874
        """
        decay = _cosine(self.ema_decay, self.final_ema_decay, step / self.steps)
        return decay ** (self.batch_size * world_size / self.ema_batch) if self.ema_batch else decay

    def to_dict(self) -> dict[str, Any]:
        """The recipe as plain values, for logs, states and checkpoints."""
        return {**asdict(self), "encoder": encoder_to_dict(self.encoder)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Recipe:
        """Make the recipe whose values :meth:`to_dict` gave."""
        return cls(**{**data, "views": ViewConfig(**data["views"]), "encoder": encoder_from_dict(data["encoder"])})


#: Options that recipes before 0.7.0 lack.
_DEFAULTS = {
    field.name: getattr(Recipe(), field.name) for field in fields(Recipe) if field.name not in ("views", "encoder")
}


def differences(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """Name the fields in which two recipes of :meth:`Recipe.to_dict` differ, with both values; empty if none does.

    Example:
        >>> differences(Recipe(steps=10).to_dict(), Recipe(steps=20).to_dict())
        'steps 10, got 20'
    """
    # Older recipes name no kind of encoder, and lack options whose defaults are what they did.
    first, second = (
        {**_DEFAULTS, **recipe, **recipe["views"], "kind": DEFAULT_KIND, **recipe["encoder"]}
        for recipe in (stored, wanted)
    )
    names = [name for name in {**first, **second} if name not in ("views", "encoder")]
    changed = [name for name in names if first.get(name) != second.get(name)]
    return ", ".join(f"{name} {first.get(name)}, got {second.get(name)}" for name in changed)


def _cosine(first: float, last: float, progress: float) -> float:
    """Half a cosine from one value to another, at a progress of 0 to 1."""
    return last + (first - last) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
