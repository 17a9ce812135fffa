"""The recipe of a run: everything but the audio that decides the network that comes out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.encoders.protocol import EncoderShape
from byola_hear.models.encoders.registry import encoder_from_dict, encoder_to_dict
from byola_hear.models.encoders.transformer import AVERAGE, CONCATENATE, TransformerConfig
from byola_hear.pretraining.byol.views import ViewConfig
from byola_hear.pretraining.masked.masks import MaskConfig

#: Names of the methods, and the settings that only one of them has.
BYOL, MASKED, DISTIL = "byol", "masked", "distil"
OWN_SETTINGS = {
    BYOL: ("projector_hidden", "projector_output", "second_view", "views"),
    MASKED: ("masking",),
    DISTIL: ("teachers",),
}

#: What the second view may be made of.
SECOND_VIEWS = ("same", "clip", "note")

#: How a transformer's layers make a frame feature while it is trained, by method. Masked prediction predicts the frame
#: features themselves; all layers side by side would make several times as many.
COMBINED = {BYOL: CONCATENATE, MASKED: AVERAGE, DISTIL: CONCATENATE}


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
        projector_hidden: width inside BYOL's projector and predictor.
        projector_output: dimensions of a projection of BYOL.
        seed: seed of everything random.
        batch_norm_momentum: share of a batch in the running statistics of batch norms.
        second_view: what the second view is made of: the ``same`` crop as the first, another crop of the ``clip``, or
            ``note``: another crop of the clip, or for a note of a SoundFont the same note with another velocity.
        crop_candidates: places that are drawn for each crop, of which the loudest is taken.
        ambience_mix: how often a crop of effects or animals is mixed with one of ambience, from 0 to 1.
        kind_weights: how often kinds of sound are drawn, relative to their hours; see
            :func:`~byola_hear.pretraining.data.crops.kind_factors`.
        views: strengths of BYOL's augmentations.
        encoder: shape of the network.
        method: ``"byol"``, ``"masked"`` or ``"distil"``.
        masking: masks and decoder of masked prediction.
        teachers: facts of each teacher of distillation by its name, with its ``size``; see
            :meth:`~byola_hear.pretraining.distillation.teachers.Teacher.facts`.
        reference_batch: crops in a step, over all devices, for which ``learning_rate`` and the decays are given. With
            ``k`` times as many, the learning rate is multiplied by the root of ``k``, as suits Adam, and a decay is
            raised to the power ``k`` (Busbridge et al., arXiv 2307.13813). 0 takes both as they are.

    Example:
        >>> Recipe.masked().encoder.kind
        'transformer'
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
    batch_norm_momentum: float = 0.1
    second_view: str = "same"
    crop_candidates: int = 1
    ambience_mix: float = 0.0
    kind_weights: dict[str, float] = field(default_factory=dict)
    views: ViewConfig = field(default_factory=ViewConfig)
    encoder: EncoderShape = field(default_factory=EncoderConfig)
    method: str = BYOL
    masking: MaskConfig = field(default_factory=MaskConfig)
    reference_batch: int = 0
    teachers: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def masked(cls) -> Recipe:
        """The usual settings of masked prediction with a transformer."""
        return cls(
            batch_size=32,
            crop_frames=400,
            learning_rate=1e-3,
            weight_decay=0.05,
            ema_decay=0.996,
            encoder=TransformerConfig(combine=COMBINED[MASKED]),
            method=MASKED,
            reference_batch=32,
        )

    @classmethod
    def distil(cls, teachers: dict[str, dict[str, Any]]) -> Recipe:
        """The usual settings of distillation from some teachers."""
        return cls(batch_size=64, learning_rate=1e-3, method=DISTIL, teachers=teachers)

    def __post_init__(self) -> None:
        if self.method not in OWN_SETTINGS:
            raise ValueError(f"method must be one of {', '.join(map(repr, OWN_SETTINGS))}, got {self.method!r}")
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
        for name in ("warm_up_steps", "weight_decay", "reference_batch"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}")
        if self.method == MASKED:
            self._check_masking()
        if self.method == DISTIL and not self.teachers:
            raise ValueError("distillation needs at least one teacher, got none")
        if self.second_view not in SECOND_VIEWS:
            raise ValueError(f"second_view must be one of {', '.join(SECOND_VIEWS)}, got {self.second_view!r}")
        if self.crop_candidates < 1:
            raise ValueError(f"crop_candidates must be at least 1, got {self.crop_candidates}")
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

    def _check_masking(self) -> None:
        """Check that crops consist of whole spans which the student and the target see alike."""
        n_features, block = self.crop_frames // self.encoder.stride, self.encoder.block
        self.masking.spans(n_features)
        if 1 < block < n_features:
            raise ValueError(
                f"masked prediction needs crops no longer than the encoder's context of {block} frame features, "
                f"got {n_features}"
            )

    @property
    def memory_size(self) -> int:
        """Past crops that a step needs: those that BYOL's mixup draws from."""
        return self.views.memory_size if self.method == BYOL else 0

    def batch_ratio(self, crops: int) -> float:
        """How many times ``reference_batch`` a number of crops is; 1 if nothing is to be scaled."""
        return crops / self.reference_batch if self.reference_batch and crops else 1.0

    def learning_rate_at(self, step: int, crops: int = 0) -> float:
        """The learning rate of a step.

        Args:
            step: the step, counted from 0.
            crops: crops in a step, over all devices; as many as ``reference_batch`` if 0.

        Example:
            >>> recipe = Recipe(steps=1000, warm_up_steps=10, learning_rate=1e-3)
            >>> recipe.learning_rate_at(9), round(recipe.learning_rate_at(505), 6)
            (0.001, 0.0005)
            >>> Recipe(warm_up_steps=0, learning_rate=1e-3, reference_batch=32).learning_rate_at(0, crops=128)
            0.002
        """
        return self.batch_ratio(crops) ** 0.5 * self._learning_rate(step)

    def _learning_rate(self, step: int) -> float:
        if step < self.warm_up_steps:
            return self.learning_rate * (step + 1) / self.warm_up_steps
        progress = (step - self.warm_up_steps) / max(1, self.steps - self.warm_up_steps)
        return _cosine(self.learning_rate, self.final_learning_rate, progress)

    def ema_decay_at(self, step: int, crops: int = 0) -> float:
        """The decay of the target network's moving average at a step.

        Args:
            step: the step, counted from 0.
            crops: crops in a step, over all devices; as many as ``reference_batch`` if 0.
        """
        return _cosine(self.ema_decay, self.final_ema_decay, step / self.steps) ** self.batch_ratio(crops)

    def to_dict(self) -> dict[str, Any]:
        """The recipe as plain values, for logs, states and checkpoints. Settings of other methods are left out."""
        data = {**asdict(self), "encoder": encoder_to_dict(self.encoder)}
        others = [name for method, names in OWN_SETTINGS.items() if method != self.method for name in names]
        return {name: value for name, value in data.items() if name not in others}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Recipe:
        """Make the recipe whose values :meth:`to_dict` gave. Older recipes, which name no method, are of BYOL."""
        nested = {"views": ViewConfig, "masking": MaskConfig}
        made = {name: kind(**data[name]) for name, kind in nested.items() if name in data}
        return cls(**{**data, **made, "encoder": encoder_from_dict(data["encoder"])})


#: Settings that recipes before 0.7.0 lack.
_ADDED = {
    name: getattr(Recipe(), name)
    for name in (
        *("batch_norm_momentum", "second_view", "crop_candidates", "ambience_mix", "kind_weights", "reference_batch"),
    )
}


def completed(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Complete a stored recipe by settings that are newer than it, whose defaults are what it did.

    Older recipes do not name the method, have older names of an encoder's settings, and lack settings.

    Example:
        >>> older = {key: value for key, value in Recipe().to_dict().items() if key != "method"}
        >>> completed(older)["method"]
        'byol'
    """
    return {"method": BYOL, **_ADDED, **recipe, "encoder": encoder_to_dict(encoder_from_dict(recipe["encoder"]))}


def differences(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """Name the fields in which two recipes of :meth:`Recipe.to_dict` differ, with both values; empty if none does.

    The order of teachers counts, as that of the outputs of a student's last layer is the same.

    Example:
        >>> differences(Recipe(steps=10).to_dict(), Recipe(steps=20).to_dict())
        'steps 10, got 20'
    """
    nested = ("views", "masking", "encoder", "teachers")
    first, second = (
        {**recipe, **{key: value for part in nested for key, value in recipe.get(part, {}).items()}}
        for recipe in (completed(stored), completed(wanted))
    )
    names = [name for name in {**first, **second} if name not in nested]
    changed = [name for name in names if first.get(name) != second.get(name)]
    ordered, asked = (", ".join(recipe.get("teachers", {})) for recipe in (stored, wanted))
    if not changed and ordered != asked:
        return f"teachers {ordered}, got {asked}"
    return ", ".join(f"{name} {first.get(name)}, got {second.get(name)}" for name in changed)


def _cosine(first: float, last: float, progress: float) -> float:
    """Half a cosine from one value to another, at a progress of 0 to 1."""
    return last + (first - last) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
