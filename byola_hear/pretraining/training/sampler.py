"""The crops of a training step. They depend on the seed, the step and the process alone."""

from __future__ import annotations

import torch
from torch import Tensor

from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.data.crops import draw_crops, row_weights
from byola_hear.pretraining.training.distributed import Place
from byola_hear.pretraining.training.recipe import Recipe
from byola_hear.training.seeds import step_seed


class Sampler:
    """Draws the normalised crops of any step, and keeps those of the steps before it, from which mixup draws.

    Args:
        cache: the audio.
        recipe: gives the batch size, crop length, memory size and seed.
        place: this process. Each process draws other crops.
    """

    def __init__(self, cache: LogMelCache, recipe: Recipe, place: Place) -> None:
        self.cache, self.recipe, self.place = cache, recipe, place
        self.weights = row_weights(cache.lengths, recipe.crop_frames).to(cache.frames.device)
        self.memory: list[Tensor] = []
        self.kept = -(-recipe.memory_size // recipe.batch_size)

    def crops(self, step: int) -> Tensor:
        """Draw a step's crops, ``(batch_size, 1, n_mels, crop_frames)`` normalised log-mel on this process's device."""
        generator = torch.Generator().manual_seed(step_seed(self.recipe.seed, step, self.place.rank, purpose=0))
        crops = draw_crops(self.cache, self.weights, self.recipe.batch_size, self.recipe.crop_frames, generator)
        return ((crops - self.cache.mean) / self.cache.std).to(self.place.device)

    def start(self, step: int) -> None:
        """Fill the memory with the crops that the steps before ``step`` leave there."""
        self.memory = [self.crops(past) for past in range(max(0, step - self.kept), step)]

    def next(self, step: int) -> tuple[Tensor, Tensor]:
        """Draw the crops of the next step. Return them and past crops, ``(n_past, 1, n_mels, crop_frames)``."""
        crops = self.crops(step)
        past = torch.cat(self.memory)[-self.recipe.memory_size :] if self.memory else crops[:0]
        if self.kept:
            self.memory = [*self.memory, crops][-self.kept :]
        return crops, past
