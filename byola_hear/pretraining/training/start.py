"""A run that begins with a network that exists, and not with random weights.

Encoder and statistics come from the network. Projector and predictor are new. At first, what they pass back to the
encoder means nothing. So the encoder's weights stay as they are while the learning rate warms up, and then warm up
themselves.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from byola_hear.models.config import training_hours
from byola_hear.models.encoders.registry import encoder_to_dict
from byola_hear.models.loading import resolve
from byola_hear.models.model import ByolaModel
from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.training.recipe import Recipe


@dataclass(frozen=True, eq=False)
class Start:
    """The network that a run begins with.

    Attributes:
        model: the network, on the CPU.
    """

    model: ByolaModel

    @classmethod
    def of(cls, name_or_path: str | os.PathLike[str]) -> Start:
        """Load a network by its name, or from a checkpoint.

        Raises:
            ValueError: if there is no such network, or it can't be used.
            FileNotFoundError: if there is no such checkpoint.
        """
        return cls(resolve(name_or_path))

    def facts(self) -> dict[str, Any]:
        """What a run's state and the network's card say about it, as JSON values."""
        config = self.model.config
        return {
            "model": f"{config.name} {config.version}",
            "fingerprint": self.model.fingerprint(),
            "hours": training_hours(config.training),
        }

    def continued(self, recipe: Recipe, options: Mapping[str, Any]) -> Recipe:
        """The recipe with the network's shape.

        Args:
            recipe: with any shape.
            options: values of the options of a command by name; None where the user gave none.

        Raises:
            ValueError: if an option asks for another shape, or the encoder would never be trained.
        """
        config, encoder = self.model.config, self.model.config.encoder
        wanted = {**encoder_to_dict(recipe.encoder), "encoder": recipe.encoder.kind}
        found = {**encoder_to_dict(encoder), "encoder": encoder.kind}
        if options.get("shape") is not None:
            wanted["shape"], found["shape"] = (each.get("n_blocks") for each in (wanted, found))
        given = [name for name, value in options.items() if value is not None and name in wanted]
        for name in given:
            if wanted[name] != found.get(name):
                raise ValueError(
                    f"{config.name} has another shape than the options ask for: expected {name} {found.get(name)}, "
                    f"got {options[name]}"
                )
        if recipe.steps <= recipe.warm_up_steps:
            raise ValueError(
                f"expected more steps than the {recipe.warm_up_steps} of warm-up, in which the weights of "
                f"{config.name} stay as they are, got {recipe.steps}"
            )
        return replace(recipe, encoder=encoder)

    def normalised_as_before(self, cache: LogMelCache) -> LogMelCache:
        """The same audio with the network's statistics; its own stand in ``info`` as ``own_mean`` and ``own_std``.

        Raises:
            ValueError: if the cache has log-mels of another front end than the network's.
        """
        config = self.model.config
        if cache.frontend != config.frontend:
            raise ValueError(
                f"the network {config.name!r} has another front end than the log-mel cache "
                f"({config.frontend} and {cache.frontend})"
            )
        own = {"own_mean": cache.mean, "own_std": cache.std}
        info = {**own, **cache.info, "mean": config.mean, "std": config.std}
        return replace(cache, mean=config.mean, std=config.std, info=info)

    def fill(self, online: nn.Module, target: nn.Module) -> None:
        """Give both networks of a run the encoder's weights. A target begins as a copy of the online network."""
        for network in (online, target):
            if not hasattr(network, "encoder"):
                continue  # distillation has no target network
            network.get_submodule("encoder").load_state_dict(self.model.encoder.state_dict())

    def holds_encoder(self, recipe: Recipe, step: int) -> bool:
        """Whether the encoder's weights stay as they are in a step, counted from 0."""
        return step < recipe.warm_up_steps

    def share_at(self, recipe: Recipe, step: int) -> float:
        """What the learning rate of a step is multiplied by, so that it warms up twice."""
        if step < recipe.warm_up_steps or not recipe.warm_up_steps:
            return 1.0
        return min(1.0, (step - recipe.warm_up_steps + 1) / recipe.warm_up_steps)
