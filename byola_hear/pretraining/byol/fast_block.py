"""The encoder's frame features in training on a CPU, with the first block computed in cache.

The first convolution turns one channel into many, and on a CPU much of a training step goes into moving what comes out
of it to memory and back: for the convolution, for batch norm, ReLU and pooling, and again backwards. Three facts save
that. The convolution is linear in 3 × 3 patches of the input, so the mean and variance of its output, which batch norm
needs, follow exactly from the mean and covariance of nine numbers. The affine map of batch norm and ReLU are
monotone, so they may follow the pooling, on a quarter of the numbers. And the four convolution outputs that are
pooled into one depend on one 4 × 4 patch: they are one small matrix product, made a piece at a time, and made
again for the gradient instead of being kept.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from byola_hear.models.encoders.convolutional import Encoder

#: Patches in a piece: with 64 channels its products are half a megabyte in bfloat16 and stay in a core's cache.
PIECE = 1024


def patch_moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and covariance of the 3 × 3 patches of a batch, zeros beyond the edges.

    Args:
        x: ``(batch, 1, height, width)``.

    Returns:
        ``(9,)`` mean and ``(9, 9)`` covariance over all ``batch * height * width`` patches, float32.
    """
    height, width = x.shape[-2:]
    padded = functional.pad(x.float(), (1, 1, 1, 1))
    shifted = [padded[:, 0, i : i + height, j : j + width].flatten() for i in range(3) for j in range(3)]
    patches = torch.stack(shifted)
    mean = patches.mean(dim=1)
    patches -= mean[:, None]
    return mean, patches @ patches.T / patches.shape[1]


def pooled_patches(x: Tensor) -> Tensor:
    """The 4 × 4 patch that each 2 × 2 pool of a 3 × 3 convolution depends on.

    Args:
        x: ``(batch, 1, height, width)``, even height and width.

    Returns:
        ``(batch * height / 2 * width / 2, 16)``.
    """
    return functional.pad(x, (1, 1, 1, 1)).unfold(2, 4, 2).unfold(3, 4, 2).reshape(-1, 16)


def four_places(weight: Tensor) -> Tensor:
    """3 × 3 kernels at each of the four places of a 4 × 4 patch: ``(channels, 3, 3)`` → ``(4 * channels, 16)``."""
    placed = [functional.pad(weight, (j, 1 - j, i, 1 - i)) for i in (0, 1) for j in (0, 1)]
    return torch.cat(placed).flatten(1)


class _LargestOfFour(torch.autograd.Function):
    """``(n, 16)`` patches and ``(4 * channels, 16)`` kernels to ``(n, channels)``, the largest of four products."""

    @staticmethod
    def forward(ctx: Any, patches: Tensor, kernels: Tensor) -> Tensor:
        channels = len(kernels) // 4
        largest = patches.new_empty(len(patches), channels)
        transposed = kernels.T.contiguous()
        for piece, out in zip(patches.split(PIECE), largest.split(PIECE)):
            a, b, c, d = (piece @ transposed).split(channels, dim=1)
            torch.maximum(torch.maximum(a, b), torch.maximum(c, d), out=out)
        ctx.save_for_backward(patches, kernels, largest)
        return largest

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor]:
        patches, kernels, largest = ctx.saved_tensors
        transposed = kernels.T.contiguous()
        total = torch.zeros(kernels.shape, dtype=torch.float32, device=kernels.device)
        pieces = (tensor.split(PIECE) for tensor in (patches, largest, gradients[0].contiguous()))
        for patch, top, gradient in zip(*pieces):
            products = (patch @ transposed).view(len(patch), 4, -1)
            share = (products == top[:, None]).to(patch.dtype)
            # Where several are largest, which rounding makes frequent in bfloat16, they share the gradient.
            share *= (gradient / share.sum(dim=1))[:, None]
            total += share.flatten(1).T @ patch
        return None, total.to(kernels.dtype)


def first_block(convolution: nn.Conv2d, norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """Convolution, batch norm in training mode, ReLU and 2 × 2 max pooling of a one-channel input.

    The same numbers as the four layers one after another give, and the same gradients of the layers' parameters; none
    for the input. The running statistics are updated likewise. Under autocast the products are made in its dtype.

    Args:
        convolution: 3 × 3 with padding 1 and one input channel.
        norm: its batch norm.
        x: ``(batch, 1, height, width)`` float32, even height and width.

    Returns:
        ``(batch, channels, height / 2, width / 2)``, channels last in memory.
    """
    if convolution.bias is None or norm.running_mean is None or norm.running_var is None:
        raise ValueError("expected a convolution with a bias and a batch norm with running statistics")
    device = x.device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else torch.float32
    batch, _, height, width = x.shape
    with torch.autocast(device, enabled=False):
        with torch.no_grad():
            patch_mean, covariance = patch_moments(x)
            patches = pooled_patches(x).to(dtype)
        # With the one channel last, as the weight may lie in memory: its gradient then lies there likewise.
        weight = convolution.weight.float().permute(0, 2, 3, 1).flatten(1)
        # The convolution's bias and the batch's mean cancel: the bias enters the running mean alone.
        mean = weight @ patch_mean
        variance = ((weight @ covariance) * weight).sum(dim=1)
        scale = norm.weight * (variance + norm.eps).rsqrt()
        # Distributed training wants a gradient for every parameter: the bias takes part with a gradient of zero.
        shift = norm.bias - mean * scale + 0 * convolution.bias
        with torch.no_grad():
            momentum = 0.1 if norm.momentum is None else norm.momentum
            norm.running_mean.lerp_(mean + convolution.bias, momentum)
            norm.running_var.lerp_(variance * (x.numel() / (x.numel() - 1)), momentum)
            if norm.num_batches_tracked is not None:
                norm.num_batches_tracked.add_(1)
        # With the scale folded into the weights, sign included, pooling comes first and ReLU after it.
        kernels = four_places((weight * scale[:, None]).view(-1, 3, 3)).to(dtype)
        largest = _LargestOfFour.apply(patches, kernels)
        pooled = functional.relu(largest + shift.to(dtype))
    return pooled.view(batch, height // 2, width // 2, -1).permute(0, 3, 1, 2)


def training_features(encoder: Encoder, x: Tensor) -> Tensor:
    """What ``encoder(x)`` gives in training mode, by way of :func:`first_block`.

    Args:
        encoder: in training mode.
        x: ``(batch, 1, n_mels, n_frames)`` float32, ``n_frames`` a multiple of the encoder's stride.

    Returns:
        ``(batch, n_frames / stride, feature_size)``.
    """
    convolution, norm = encoder.features[0], encoder.features[1]
    if not isinstance(convolution, nn.Conv2d) or not isinstance(norm, nn.BatchNorm2d):
        raise TypeError("expected an encoder whose first layers are a convolution and its batch norm")
    features = encoder.features[4:](first_block(convolution, norm, x))
    local = features.permute(0, 3, 2, 1).flatten(2)
    global_ = encoder.fc(local)
    return torch.cat([local, global_], dim=-1) if encoder.config.concatenate_local else global_
