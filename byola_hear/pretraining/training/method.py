"""What the training loop expects of a method: two networks, and the losses of a step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

#: Opens the context in which networks compute in the run's precision.
Precision = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True)
class Prepared:
    """What the forward and backward pass of a step need.

    Attributes:
        inputs: arguments of the online network.
        loss: turns its output into the loss, a scalar.
        embeddings: the target's embeddings of the crops ``(batch, size)``, whose standard deviation is logged. None
            takes the output of the online network.
    """

    inputs: tuple[Tensor, ...]
    loss: Callable[[Tensor], Tensor]
    embeddings: Tensor | None


class Method(ABC):
    """A way to train an encoder without labels, by predicting what a slowly moving copy of it computes.

    Attributes:
        online: the network that is trained by gradients. Its ``encoder`` is what comes out of a run.
        target: the network that follows it. Its parameters have the names of those that they follow; none if the method
            needs no such network.
    """

    online: nn.Module
    target: nn.Module

    @abstractmethod
    def prepare(self, crops: Tensor, memory: Tensor, generator: torch.Generator, precision: Precision) -> Prepared:
        """Prepare a step.

        Args:
            crops: ``(batch, 1, n_mels, n_frames)`` normalised log-mel.
            memory: what else the sampler drew: ``(n_past, 1, n_mels, n_frames)`` past crops, as many as
                ``Recipe.memory_size`` asks for; for distillation the teachers' vectors.
            generator: source of all randomness but dropout, on the crops' device.
            precision: opens the context in which networks compute.
        """


@torch.no_grad()
def follow(target: nn.Module, online: nn.Module, decay: float) -> None:
    """Set every parameter of ``target`` to ``decay`` times itself plus ``1 - decay`` times that of the same name."""
    new = dict(online.named_parameters())
    old = dict(target.named_parameters())
    if not old:
        return  # distillation has no target network
    torch._foreach_lerp_(tuple(old.values()), tuple(new[name] for name in old), 1 - decay)
