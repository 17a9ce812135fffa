"""How a network is trained further."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from byola_hear.training.precision import PRECISIONS

#: Folds at most: their numbers seed the steps.
MOST_FOLDS = 100


@dataclass(frozen=True)
class Recipe:
    """How a network is trained further on labelled windows.

    By default, windows are neither mixed nor masked: on ten classes of ESC-50 that are not in ESC-10, even mild masks
    and mixed windows took more than they gave in the first epochs.

    Attributes:
        epochs: largest number of passes through the examples. The schedule of the learning rates ends there.
        folds: largest number of parts of the examples, which are held out in turn.
        learning_rate: highest learning rate of all layers: a tenth of what a new layer would be trained at.
        batch_size: windows per step.
        warm_up_epochs: epochs over which the learning rates rise from zero.
        mixup: largest share of another window that is mixed in; 0 turns it off.
        band_mask: widest band that is masked, as a share of all bands; 0 turns it off.
        time_mask: longest time that is masked, as a share of the window; 0 turns it off.
        patience: epochs without an improvement on held-out windows after which the training of a fold stops.
        precision: ``"auto"``, ``"bfloat16"`` or ``"float32"``, in which the network computes while it is trained.
            ``"auto"`` takes bfloat16 where the device is faster with it.
        seed: of everything random.

    Raises:
        ValueError: if a value is not allowed.
    """

    epochs: int = 10
    folds: int = 3
    learning_rate: float = 1e-4
    batch_size: int = 16
    warm_up_epochs: float = 1.0
    mixup: float = 0.0
    band_mask: float = 0.0
    time_mask: float = 0.0
    patience: int = 3
    precision: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("epochs", 1), ("folds", 2), ("batch_size", 1), ("patience", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")
        if self.folds > MOST_FOLDS:
            raise ValueError(f"folds must be at most {MOST_FOLDS}, got {self.folds}")
        if not 0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate must be a positive number, got {self.learning_rate!r}")
        if not 0 <= self.warm_up_epochs < math.inf:
            raise ValueError(f"warm_up_epochs must not be negative, got {self.warm_up_epochs!r}")
        for name in ("mixup", "band_mask", "time_mask"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in [0, 1], got {getattr(self, name)!r}")
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}, got {self.precision!r}")
        # The seeds of the steps are multiples of it and must fit into 64 bits.
        if not 0 <= self.seed < 2**31:
            raise ValueError(f"seed must be from 0 to {2**31 - 1}, got {self.seed!r}")

    def rate_at(self, progress: float) -> float:
        """The learning rate as a share of the highest one.

        Args:
            progress: epochs done, with the part of the one that is being done.

        Example:
            >>> recipe = Recipe(epochs=10, warm_up_epochs=1)
            >>> recipe.rate_at(0.5), round(recipe.rate_at(5.0), 3), recipe.rate_at(10.0)
            (0.5, 0.587, 0.0)
        """
        if progress < self.warm_up_epochs:
            return progress / self.warm_up_epochs
        done = (progress - self.warm_up_epochs) / max(self.epochs - self.warm_up_epochs, 1e-9)
        return 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON values."""
        return asdict(self)
