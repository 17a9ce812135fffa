"""Masked prediction as a method of training."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from byola_hear.models.encoders.registry import build_encoder
from byola_hear.pretraining.masked.masks import draw_spans, features_of_spans
from byola_hear.pretraining.masked.networks import Student, Teacher, targets
from byola_hear.pretraining.training.method import Method, Precision, Prepared
from byola_hear.pretraining.training.recipe import Recipe


class Masked(Method):
    """The student predicts the target's frame features of hidden spans.

    The loss is the mean squared error of standardised targets: the share of their variance that is not predicted. It is
    about 1 at the start.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.online = Student(build_encoder(recipe.encoder), recipe.masking)
        self.target = Teacher(self.online)

    def prepare(self, crops: Tensor, memory: Tensor, generator: torch.Generator, precision: Precision) -> Prepared:
        """Draw masks, and compute the target's frame features once for all of them: see :class:`Method`."""
        config = self.recipe.masking
        n_spans, n_visible = config.spans(crops.shape[-1] // self.recipe.encoder.stride)
        visible, hidden = draw_spans(len(crops) * config.masks, n_spans, n_visible, generator)
        with torch.no_grad(), precision():
            features = self.target(crops).float()
        crop = torch.arange(len(visible), device=crops.device) // config.masks
        wanted = targets(features)[crop[:, None], features_of_spans(hidden, config.span)]

        def loss(predicted: Tensor) -> Tensor:
            return functional.mse_loss(predicted.float(), wanted)

        return Prepared((crops, visible, hidden), loss, features.mean(dim=1))
