"""Frame features of the encoder in training on a CPU, with the first block computed in cache.

The first convolution turns one channel into many. On a CPU, much of a training step is spent on moving its output to
memory and back: for the convolution, batch norm, ReLU and pooling, and again in the backward pass. Four facts save
that:

- The convolution is linear in 3 × 3 patches of the input. The mean and variance of its output, which batch norm needs,
  follow exactly from the mean and covariance of the patches.
- The affine map of batch norm can be part of the convolution, and ReLU is monotone, so pooling can come before it.
- The four outputs that are pooled into one depend on one 4 × 4 patch. They are one small matrix product, computed piece
  by piece, and computed again for the gradient instead of being kept.
- Numbers from zero up have the order of the integers with the same bits, and numbers below zero are integers below
  zero, which ReLU makes zero. A CPU compares integers several times as fast as bfloat16.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from byola_hear.models.encoders.convolutional import Encoder
from byola_hear.pretraining.byol.fast_dropout import quick_dropout
from byola_hear.pretraining.byol.integers import as_integers

#: Patches per piece and thread. With 64 channels, their products take two megabytes in bfloat16 and fit into a core's
#: cache.
PIECE = 4096


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
        ``(batch * height / 2 * width / 2, 17)``: the patch and a one, whose weight is a bias.
    """
    patches = functional.pad(x, (1, 1, 1, 1)).unfold(2, 4, 2).unfold(3, 4, 2)
    with_one = x.new_ones(*patches.shape[:4], 17)
    with_one[..., :16].unflatten(-1, (4, 4)).copy_(patches)
    return with_one.view(-1, 17)


def four_places(weight: Tensor) -> Tensor:
    """Put 3 × 3 kernels at the four places of a 4 × 4 patch: ``(channels, 3, 3)`` → ``(4 * channels, 16)``."""
    placed = [functional.pad(weight, (j, 1 - j, i, 1 - i)) for i in (0, 1) for j in (0, 1)]
    return torch.cat(placed).flatten(1)


class _LargestOfFour(torch.autograd.Function):
    """ReLU of the largest of four products: ``(n, 17)`` patches, ``(4 * channels, 16)`` kernels, ``(channels,)`` shift
    → ``(n, channels)``.
    """

    @staticmethod
    def forward(ctx: Any, patches: Tensor, kernels: Tensor, shift: Tensor) -> Tensor:
        channels = len(shift)
        kernels = torch.cat([kernels, shift.repeat(4)[:, None]], dim=1).to(patches.dtype)
        largest = patches.new_empty(len(patches), channels)
        for _, first, second, out in _pieces(patches, kernels, as_integers(largest)):
            of_pairs = torch.maximum(first, second, out=first)
            torch.maximum(of_pairs[:, :channels], of_pairs[:, channels:], out=out).clamp_(min=0)
        ctx.save_for_backward(patches, kernels, largest)
        return largest

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor, Tensor]:
        patches, kernels, largest = ctx.saved_tensors
        channels = len(kernels) // 4
        total = torch.zeros(2, patches.shape[1], 2 * channels, dtype=torch.float32)
        pieces = _pieces(patches, kernels, as_integers(largest))
        of_pieces = as_integers(gradients[0].contiguous()).split(_piece_size())
        for (patch, first, second, top), gradient in zip(pieces, of_pieces):
            second_wins = _larger(second, first)
            of_pairs = torch.maximum(first, second)
            left, right = of_pairs[:, :channels], of_pairs[:, channels:]
            # A gradient times 1 or 0, as integers, is itself or zero. Of equal products, the first gets it.
            gradient = gradient * _larger(top, torch.zeros_like(top))
            of_right = gradient * _larger(right, left)
            both = torch.cat([gradient - of_right, of_right], dim=1)
            torch.mul(both, second_wins, out=second)
            torch.sub(both, second, out=first)
            for index, share in enumerate((first, second)):
                total[index] += patch.T @ share.view(patch.dtype)
        of_kernels, of_shift = total.transpose(1, 2).flatten(0, 1).split([16, 1], dim=1)
        return None, of_kernels.contiguous(), of_shift.view(4, -1).sum(dim=0)


def _larger(a: Tensor, b: Tensor) -> Tensor:
    """1 where an integer of ``a`` is larger than that of ``b``, else 0, in their type, which is faster than bool."""
    return torch.gt(a, b, out=torch.empty(a.shape, dtype=a.dtype))


def _piece_size() -> int:
    """Patches per piece. Several threads divide a piece, so that each has as much to do as one thread alone."""
    return PIECE * torch.get_num_threads()


def _pieces(patches: Tensor, kernels: Tensor, rows: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Yield pieces of the patches, their products with both halves of the kernels, as integers, and pieces of ``rows``.

    The products are overwritten by those of the next piece.
    """
    size = _piece_size()
    halves = [half.T.contiguous() for half in kernels.chunk(2)]
    places = [patches.new_empty(size, half.shape[1]) for half in halves]
    for patch, row in zip(patches.split(size), rows.split(size)):
        products = (torch.mm(patch, half, out=place[: len(patch)]) for half, place in zip(halves, places))
        yield patch, *map(as_integers, products), row


def first_block(convolution: nn.Conv2d, norm: nn.BatchNorm2d, *views: Tensor) -> list[Tensor]:
    """Compute convolution, batch norm in training mode, ReLU and 2 × 2 max pooling of one-channel inputs.

    The values and the gradients of the parameters are those of the four layers one after another. The inputs get no
    gradient. The running statistics are updated as usual, by one view after the other. Under autocast the products are
    computed in its dtype.

    Args:
        convolution: 3 × 3 with padding 1 and one input channel.
        norm: its batch norm.
        *views: ``(batch, 1, height, width)`` float32, even height and width.

    Returns:
        For each view ``(batch, channels, height / 2, width / 2)``, channels last in memory.
    """
    if convolution.bias is None or norm.running_mean is None or norm.running_var is None:
        raise ValueError("expected a convolution with a bias and a batch norm with running statistics")
    device = views[0].device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else torch.float32
    with torch.autocast(device, enabled=False):
        # One flat weight for all views. Its gradient gets the weight's memory layout, which may be channels last.
        weight = convolution.weight.float().permute(0, 2, 3, 1).flatten(1)
        found = []
        for view in views:
            pooled, mean, variance = _first_block_of_view(weight, convolution.bias, norm, view, dtype)
            momentum = 0.1 if norm.momentum is None else norm.momentum
            norm.running_mean.lerp_(mean, momentum)
            norm.running_var.lerp_(variance, momentum)
            if norm.num_batches_tracked is not None:
                norm.num_batches_tracked.add_(1)
            found.append(pooled)
    return found


def _first_block_of_view(
    weight: Tensor, bias: Tensor, norm: nn.BatchNorm2d, x: Tensor, dtype: torch.dtype
) -> tuple[Tensor, Tensor, Tensor]:
    """Compute :func:`first_block` of one view.

    Args:
        weight: ``(channels, 9)`` kernels, float32.
        bias: ``(channels,)`` of the convolution.
        norm: the batch norm, of which only the affine map is used.
        x: ``(batch, 1, height, width)`` float32.
        dtype: dtype of the products.

    Returns:
        The block's output, and the mean and the unbiased variance ``(channels,)`` of the convolution's output, without
        gradients.
    """
    batch, _, height, width = x.shape
    with torch.no_grad():
        patch_mean, covariance = patch_moments(x)
        patches = pooled_patches(x.to(dtype))
    # The bias of the convolution cancels with the mean of the batch. Only the running mean contains it.
    mean = weight @ patch_mean
    variance = ((weight @ covariance) * weight).sum(dim=1)
    scale = norm.weight * (variance + norm.eps).rsqrt()
    # Distributed training needs a gradient for every parameter, so the bias gets a gradient of zero.
    shift = norm.bias - mean * scale + 0 * bias
    # The scale and its sign are folded into the weights, so pooling comes first and ReLU after it.
    kernels = four_places((weight * scale[:, None]).view(-1, 3, 3))
    pooled = _LargestOfFour.apply(patches, kernels, shift)
    if not (kernels.isfinite().all() and shift.isfinite().all()):
        pooled = pooled * math.nan  # comparisons of integers may hide it, and training must see that it diverged
    pooled = pooled.view(batch, height // 2, width // 2, -1).permute(0, 3, 1, 2)
    return pooled, (mean + bias).detach(), variance.detach() * (x.numel() / (x.numel() - 1))


def training_features(encoder: Encoder, *views: Tensor) -> list[Tensor]:
    """Compute the parts of ``encoder(view)`` in training mode, by :func:`first_block`, for one or several views.

    Each view has batch norms of its own. The linear layers compute all views together. Pooling over time acts on each
    dimension, so the parts can be joined after it, when they are small.

    Args:
        encoder: an encoder in training mode.
        *views: ``(batch, 1, n_mels, n_frames)`` float32, ``n_frames`` a multiple of the encoder's stride.

    Returns:
        Local features, if the encoder concatenates them, and global features, each ``(views * batch, n_frames / stride,
        n)``.
    """
    convolution, norm = encoder.features[0], encoder.features[1]
    if not isinstance(convolution, nn.Conv2d) or not isinstance(norm, nn.BatchNorm2d):
        raise TypeError("expected an encoder whose first layers are a convolution and its batch norm")
    local = torch.cat([_later_blocks(encoder, x) for x in first_block(convolution, norm, *views)])
    global_ = local
    for layer in encoder.fc:
        global_ = quick_dropout(global_, layer.p) if isinstance(layer, nn.Dropout) else layer(global_)
    return [local, global_] if encoder.config.concatenate_local else [global_]


def _later_blocks(encoder: Encoder, x: Tensor) -> Tensor:
    """Compute all blocks after the first, and make local features ``(batch, n_frames / stride, n)`` of their output."""
    for convolution, norm, relu, pool in zip(*(encoder.features[layer::4] for layer in (4, 5, 6, 7))):
        x = relu(pool(norm(convolution(x))))  # the same values as in the usual order, for a quarter of them
    if x.requires_grad:
        # Pooling takes several times as long for a gradient in another memory layout.
        x.register_hook(lambda gradient: gradient.contiguous(memory_format=torch.channels_last))
    return x.permute(0, 3, 2, 1).flatten(2)
