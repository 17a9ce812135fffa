"""The crops of a training step with the teachers' vectors of them. They depend on the seed, step and process alone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.data.crops import crops_at, draw_rows, kind_factors, row_weights
from byola_hear.pretraining.distillation.vectors import TeacherVectors, segments_of
from byola_hear.pretraining.training.distributed import Place
from byola_hear.pretraining.training.recipe import Recipe
from byola_hear.training.seeds import step_seed


class SegmentSampler:
    """Draws segments of rows at random.

    Args:
        cache: the audio.
        recipe: gives the batch size, the length of a segment and the seed.
        place: this process. Each process draws other segments.
        teachers: the vectors of each teacher.
    """

    def __init__(self, cache: LogMelCache, recipe: Recipe, place: Place, teachers: Sequence[TeacherVectors]) -> None:
        self.cache, self.recipe, self.place, self.teachers = cache, recipe, place, teachers
        factors = None
        if recipe.kind_weights:
            factors = kind_factors(cache.kinds, cache.lengths.clamp(min=recipe.crop_frames), recipe.kind_weights)
        self.weights = row_weights(cache.lengths, recipe.crop_frames, factors)
        self.segments = segments_of(cache.lengths, recipe.crop_frames)

    def start(self, step: int) -> None:
        """Nothing is kept from one step to the next."""

    def next(self, step: int) -> tuple[Tensor, Tensor]:
        """Draw a step's segments.

        Args:
            step: the step, counted from 0.

        Returns:
            ``(batch_size, 1, n_mels, crop_frames)`` normalised log-mel; and ``(batch_size, n_teachers + sum of
            sizes)``, which teachers teach each crop, and their standardised vectors. Both are on this process's device.
        """
        generator = torch.Generator().manual_seed(step_seed(self.recipe.seed, step, self.place.rank, purpose=0))
        row = draw_rows(self.weights, self.recipe.batch_size, generator)
        place = torch.rand(len(row), generator=generator, dtype=torch.float64)
        segment = (place * self.segments[row]).floor().long()
        crops = crops_at(self.cache, row, segment * self.recipe.crop_frames, self.recipe.crop_frames)
        found = [teacher.of(row, segment) for teacher in self.teachers]
        there = torch.stack([present for _, present in found], dim=1).float()
        memory = torch.cat([there, *(vectors for vectors, _ in found)], dim=1)
        normalised = (crops - self.cache.mean) / self.cache.std
        return normalised.to(self.place.device), memory.to(self.place.device)
