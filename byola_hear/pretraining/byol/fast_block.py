"""Frame features of the encoder in training on a CPU, with the first block computed in cache.

The first convolution turns one channel into many. On a CPU, much of a training step is spent on moving its output to
memory and back: for the convolution, batch norm, ReLU and pooling, and again in the backward pass. Three facts save
that:

- The convolution is linear in 3 × 3 patches of the input. The mean and variance of its output, which batch norm needs,
  follow exactly from the mean and covariance of the patches.
- ReLU and the affine map of batch norm are monotone, so pooling can come first. They then act on a quarter of the
  values.
- The four outputs that are pooled into one depend on one 4 × 4 patch. They are one small matrix product, computed piece
  by piece, and computed again for the gradient instead of being kept.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from byola_hear.models.encoders.convolutional import Encoder

#: Patches per piece. With 64 channels, the products of a piece take half a megabyte in bfloat16 and fit into a cache.
PIECE = 1024


def patch_moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the mean and covariance of the 3 × 3 patches of a batch, with zeros beyond the edges.

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
    """Cut out the 4 × 4 patch that each 2 × 2 pool of a 3 × 3 convolution depends on.

    Args:
        x: ``(batch, 1, height, width)``, even height and width.

    Returns:
        ``(batch * height / 2 * width / 2, 16)``.
    """
    return functional.pad(x, (1, 1, 1, 1)).unfold(2, 4, 2).unfold(3, 4, 2).reshape(-1, 16)


def four_places(weight: Tensor) -> Tensor:
    """Put 3 × 3 kernels at the four places of a 4 × 4 patch: ``(channels, 3, 3)`` → ``(4 * channels, 16)``."""
    placed = [functional.pad(weight, (j, 1 - j, i, 1 - i)) for i in (0, 1) for j in (0, 1)]
    return torch.cat(placed).flatten(1)


class _LargestOfFour(torch.autograd.Function):
    """The largest of four products: ``(n, 16)`` patches and ``(4 * channels, 16)`` kernels → ``(n, channels)``."""

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
            # Several products may be equally large, which is frequent in bfloat16. They share the gradient.
            share *= (gradient / share.sum(dim=1))[:, None]
            total += share.flatten(1).T @ patch
        return None, total.to(kernels.dtype)


def first_block(convolution: nn.Conv2d, norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """Compute convolution, batch norm in training mode, ReLU and 2 × 2 max pooling of a one-channel input.

    The values and the gradients of the parameters are those of the four layers one after another. The input gets no
    gradient. The running statistics are updated as usual. Under autocast the products are computed in its dtype.

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
        # The gradient gets the weight's memory layout, which may be channels last.
        weight = convolution.weight.float().permute(0, 2, 3, 1).flatten(1)
        # The bias of the convolution cancels with the mean of the batch. Only the running mean contains it.
        mean = weight @ patch_mean
        variance = ((weight @ covariance) * weight).sum(dim=1)
        scale = norm.weight * (variance + norm.eps).rsqrt()
        # Distributed training needs a gradient for every parameter, so the bias gets a gradient of zero.
        shift = norm.bias - mean * scale + 0 * convolution.bias
        with torch.no_grad():
            momentum = 0.1 if norm.momentum is None else norm.momentum
            norm.running_mean.lerp_(mean + convolution.bias, momentum)
            norm.running_var.lerp_(variance * (x.numel() / (x.numel() - 1)), momentum)
            if norm.num_batches_tracked is not None:
                norm.num_batches_tracked.add_(1)
        # The scale and its sign are folded into the weights, so pooling comes first and ReLU after it.
        kernels = four_places((weight * scale[:, None]).view(-1, 3, 3)).to(dtype)
        largest = _LargestOfFour.apply(patches, kernels)
        pooled = functional.relu(largest + shift.to(dtype))
    return pooled.view(batch, height // 2, width // 2, -1).permute(0, 3, 1, 2)


def quick_dropout(x: Tensor, probability: float) -> Tensor:
    """Set values to zero at random and scale the others, as :func:`torch.nn.functional.dropout` does in training.

    On a CPU most of the time of dropout goes into its random numbers. Here one draw of 64 bits decides on four values,
    so the probability is exact to 1/65536.

    Args:
        x: any shape.
        probability: probability of zero, from 0 to below 1.

    Returns:
        The same shape.
    """
    n_zero = round(probability * 65536)
    draws = torch.empty((x.numel() + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
    kept = (draws.view(torch.int16)[: x.numel()] >= n_zero - 32768).view(x.shape)
    return x * kept.to(x.dtype).mul_(65536 / (65536 - n_zero))


def training_features(encoder: Encoder, x: Tensor) -> list[Tensor]:
    """Compute the parts of ``encoder(x)`` in training mode, by :func:`first_block`.

    Pooling acts on each dimension, so the parts can be joined after it, when they are small.

    Args:
        encoder: an encoder in training mode.
        x: ``(batch, 1, n_mels, n_frames)`` float32, ``n_frames`` a multiple of the encoder's stride.

    Returns:
        Local features, if the encoder concatenates them, and global features, each ``(batch, n_frames / stride, n)``.
    """
    convolution, norm = encoder.features[0], encoder.features[1]
    if not isinstance(convolution, nn.Conv2d) or not isinstance(norm, nn.BatchNorm2d):
        raise TypeError("expected an encoder whose first layers are a convolution and its batch norm")
    features = encoder.features[4:](first_block(convolution, norm, x))
    local = features.permute(0, 3, 2, 1).flatten(2)
    global_ = local
    for layer in encoder.fc:
        global_ = quick_dropout(global_, layer.p) if isinstance(layer, nn.Dropout) else layer(global_)
    return [local, global_] if encoder.config.concatenate_local else [global_]
