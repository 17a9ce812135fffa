"""Which crops a step of training sees: the same ones each time it is asked, in each process its own."""

from __future__ import annotations

import torch
from torch import Tensor

from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.data.crops import draw_crops, row_weights
from byola_hear.pretraining.training.distributed import Place
from byola_hear.pretraining.training.recipe import Recipe


class Sampler:
    """Normalised crops of any step, and the crops of the steps before it as mixup's memory.

    Args:
        cache: the audio.
        recipe: batch size, crop length, memory size, seed.
        place: each process draws its own crops.
    """

    def __init__(self, cache: LogMelCache, recipe: Recipe, place: Place) -> None:
        self.cache, self.recipe, self.place = cache, recipe, place
        self.weights = row_weights(cache.lengths, recipe.crop_frames).to(cache.frames.device)
        self.memory: list[Tensor] = []
        self.kept = -(-recipe.views.memory_size // recipe.batch_size)

    def crops(self, step: int) -> Tensor:
        """``(batch_size, 1, n_mels, crop_frames)`` normalised log-mel of a step, on this process's device."""
        generator = torch.Generator().manual_seed(step_seed(self.recipe.seed, step, self.place.rank, purpose=0))
        crops = draw_crops(self.cache, self.weights, self.recipe.batch_size, self.recipe.crop_frames, generator)
        return ((crops - self.cache.mean) / self.cache.std).to(self.place.device)

    def start(self, step: int) -> None:
        """Fill the memory with what the steps before ``step`` would have left there."""
        self.memory = [self.crops(past) for past in range(max(0, step - self.kept), step)]

    def next(self, step: int) -> tuple[Tensor, Tensor]:
        """A step's crops and the memory of past ones ``(n_past, 1, n_mels, crop_frames)``; steps come in order."""
        crops = self.crops(step)
        past = torch.cat(self.memory)[-self.recipe.views.memory_size :] if self.memory else crops[:0]
        self.memory = [*self.memory, crops][-self.kept :]
        return crops, past


def step_seed(seed: int, step: int, rank: int, purpose: int) -> int:
    """A seed of its own for each step, process and purpose."""
    return ((seed * 1_000_003 + step) * 1_009 + rank) * 7 + purpose
