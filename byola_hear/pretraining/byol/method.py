"""BYOL as a method of training."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from byola_hear.models.encoders.registry import build_encoder
from byola_hear.pretraining.byol.networks import OnlineNetwork, TargetNetwork, byol_loss
from byola_hear.pretraining.byol.views import make_views
from byola_hear.pretraining.training.method import Method, Precision, Prepared
from byola_hear.pretraining.training.recipe import Recipe


class Byol(Method):
    """The online network predicts the target's projection of another view of the same crop, in both directions."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self.online = OnlineNetwork(build_encoder(recipe.encoder), recipe.projector_hidden, recipe.projector_output)
        self.target = TargetNetwork(self.online)

    def prepare(self, crops: Tensor, memory: Tensor, generator: torch.Generator, precision: Precision) -> Prepared:
        """Make two views of every crop, and compute the target's projections: see :class:`Method`."""
        # Crops of the second views follow, if these are of other crops.
        first, second = crops[: self.recipe.batch_size], crops[-self.recipe.batch_size :]
        made = make_views(first, memory, self.recipe.views, generator, second)
        views = [view.contiguous(memory_format=torch.channels_last) for view in made]
        with torch.no_grad(), precision():
            targets = self.target(*views)
        # Each view's prediction is compared with the target's projection of the other view.
        others = targets.roll(len(first), dims=0)
        return Prepared(tuple(views), partial(byol_loss, target=others), targets[: len(first)])
