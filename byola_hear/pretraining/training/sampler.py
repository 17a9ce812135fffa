"""The crops of a training step. They depend on the seed, the step and the process alone."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from byola_hear.pretraining.data.ambience import AmbienceMixer
from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.data.crops import crops_of_rows, draw_rows, kind_factors, row_weights
from byola_hear.pretraining.training.distributed import Place
from byola_hear.pretraining.training.recipe import BYOL, Recipe
from byola_hear.training.seeds import step_seed


class StepSampler(Protocol):
    """What draws the crops of a step. They depend on the seed, the step and the process alone."""

    def start(self, step: int) -> None:
        """Prepare for the steps from ``step`` on."""

    def next(self, step: int) -> tuple[Tensor, Tensor]:
        """Draw the crops of the next step. Return them and what else the method needs."""


class Sampler:
    """Draws the normalised crops of any step, and keeps those of the steps before it, from which mixup draws.

    Args:
        cache: the audio.
        recipe: gives the batch size, crop length, memory size and seed.
        place: this process. Each process draws other crops.
    """

    def __init__(self, cache: LogMelCache, recipe: Recipe, place: Place) -> None:
        self.cache, self.recipe, self.place = cache, recipe, place
        factors = None
        if recipe.kind_weights:
            factors = kind_factors(cache.kinds, cache.lengths.clamp(min=recipe.crop_frames), recipe.kind_weights)
        self.weights = row_weights(cache.lengths, recipe.crop_frames, factors).to(cache.frames.device)
        self.ambience = AmbienceMixer(cache, recipe.crop_frames) if recipe.ambience_mix > 0 else None
        self.memory: list[Tensor] = []
        self.kept = -(-recipe.memory_size // recipe.batch_size)

    def crops(self, step: int) -> Tensor:
        """Draw a step's crops.

        Args:
            step: the step, counted from 0.

        Returns:
            ``(batch_size, 1, n_mels, crop_frames)`` normalised log-mel on this process's device. If the second view
            is of another crop, these follow: ``(2 * batch_size, …)``.
        """
        recipe = self.recipe
        generator = torch.Generator().manual_seed(step_seed(recipe.seed, step, self.place.rank, purpose=0))
        row = draw_rows(self.weights, recipe.batch_size, generator)
        rows = [row]
        if recipe.method == BYOL and recipe.second_view == "clip":
            rows.append(row)
        elif recipe.method == BYOL and recipe.second_view == "note":
            if self.cache.partners is None:
                raise ValueError("expected a cache that knows its manifest, to find notes; open it with build_cache")
            rows.append(self.cache.partners.to(row.device)[row])
        drawn = []
        for each in rows:
            part = crops_of_rows(self.cache, each, recipe.crop_frames, generator, recipe.crop_candidates)
            drawn.append(part if self.ambience is None else self.ambience(part, each, recipe.ambience_mix, generator))
        crops = torch.cat(drawn)
        return ((crops - self.cache.mean) / self.cache.std).to(self.place.device)

    def start(self, step: int) -> None:
        """Fill the memory with the crops that the steps before ``step`` leave there."""
        past = range(max(0, step - self.kept), step)
        self.memory = [self.crops(earlier)[: self.recipe.batch_size] for earlier in past]

    def next(self, step: int) -> tuple[Tensor, Tensor]:
        """Draw the crops of the next step. Return them and past crops, ``(n_past, 1, n_mels, crop_frames)``."""
        crops = self.crops(step)
        past = torch.cat(self.memory)[-self.recipe.memory_size :] if self.memory else crops[:0]
        if self.kept:
            self.memory = [*self.memory, crops[: self.recipe.batch_size]][-self.kept :]
        return crops, past
