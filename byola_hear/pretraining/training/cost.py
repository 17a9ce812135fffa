"""What a training step costs, in floating-point operations: the same on every machine and in every precision."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from byola_hear.pretraining.training.method import Method
from byola_hear.pretraining.training.methods import build_method
from byola_hear.pretraining.training.recipe import Recipe

#: Crops that are counted. The operations of a step grow with its crops.
COUNTED = 2


def forward_and_backward(method: Method, crops: torch.Tensor, generator: torch.Generator) -> None:
    """Compute a step's gradients in float32, without an optimiser."""
    prepared = method.prepare(crops, crops[:0], generator, nullcontext)
    prepared.loss(method.online(*prepared.inputs)).backward()


def operations_per_crop(recipe: Recipe) -> float:
    """Count the operations that a training step does for each crop, all networks and both passes included.

    Matrix products, convolutions and attention are counted; a multiplication with its addition counts as two
    operations. Norms, augmentations and the optimiser are not: they are a small part.

    Args:
        recipe: how the network is trained. Its batch size does not matter.

    Returns:
        Floating-point operations per crop.

    Example:
        >>> small = replace(Recipe().encoder, channels=4, hidden_size=8)
        >>> one, double = (operations_per_crop(replace(Recipe(), encoder=small, crop_frames=n)) for n in (96, 192))
        >>> one < double
        True
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        method = build_method(replace(recipe, batch_size=COUNTED))
        crops = torch.randn(COUNTED, 1, recipe.encoder.n_mels, recipe.crop_frames)
        # Without fused kernels, attention consists of matrix products, which are counted on every device.
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            forward_and_backward(method, crops, torch.Generator().manual_seed(0))
    return counter.get_total_flops() / COUNTED
