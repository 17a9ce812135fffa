"""The methods of training by name."""

from __future__ import annotations

from collections.abc import Callable

from byola_hear.pretraining.byol.method import Byol
from byola_hear.pretraining.distillation.method import Distillation
from byola_hear.pretraining.masked.method import Masked
from byola_hear.pretraining.training.method import Method
from byola_hear.pretraining.training.recipe import BYOL, DISTIL, MASKED, Recipe

#: What makes a method from a recipe, by the name in :attr:`Recipe.method`.
METHODS: dict[str, Callable[[Recipe], Method]] = {BYOL: Byol, MASKED: Masked, DISTIL: Distillation}


def build_method(recipe: Recipe) -> Method:
    """Make the networks of a recipe with random weights.

    Example:
        >>> sorted(name for name, _ in build_method(Recipe.masked()).online.named_children())
        ['decoder', 'encoder']
    """
    return METHODS[recipe.method](recipe)
