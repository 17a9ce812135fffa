"""The encoder as inference runs it: batch norm folded into the convolutions, time first, channels last.

It is made anew from the trainable :class:`~byola_hear.models.encoders.convolutional.Encoder` for each call, so that it
can never be stale. That costs a fraction of a millisecond: only the small convolution kernels are computed, and the
linear layers' weights are shared.

What makes it fast on a CPU: time takes the place of height, so that the mel matrix goes in and the local
features come out without a transposing copy; maxima are taken in channels-last memory, more than ten times as
fast as in the usual order; and ReLU, which commutes with the maximum, runs on a quarter of the numbers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from byola_hear.models.encoders.convolutional import Encoder


def fold_batch_norm(convolution: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """One convolution that does what a convolution and the batch norm after it do in evaluation mode.

    Args:
        convolution: with weight ``(channels_out, channels_in, height, width)``.
        norm: over ``channels_out``, with running statistics.

    Returns:
        weight, same shape, and bias ``(channels_out,)``; computed in float64, of the convolution's dtype.
    """
    weight = convolution.weight.detach().double()
    bias = weight.new_zeros(len(weight)) if convolution.bias is None else convolution.bias.detach().double()
    if norm.running_mean is None or norm.running_var is None:
        raise ValueError("a batch norm without running statistics can't be folded")
    scale = torch.rsqrt(norm.running_var.double() + norm.eps)
    shift = -norm.running_mean.double() * scale
    if norm.affine:
        scale = scale * norm.weight.detach().double()
        shift = shift * norm.weight.detach().double() + norm.bias.detach().double()
    dtype = convolution.weight.dtype
    return (weight * scale[:, None, None, None]).to(dtype), (bias * scale + shift).to(dtype)


class FoldedEncoder:
    """Frozen, fast equivalent of an :class:`~byola_hear.models.encoders.convolutional.Encoder` in evaluation mode.

    Whatever mode the encoder is in, its running statistics are what counts here and dropout is off.

    Args:
        encoder: what to fold; it is left as it is.
    """

    def __init__(self, encoder: Encoder) -> None:
        self.config = encoder.config
        convolutions = [layer for layer in encoder.features if isinstance(layer, nn.Conv2d)]
        norms = [layer for layer in encoder.features if isinstance(layer, nn.BatchNorm2d)]
        self.convolutions = []
        for convolution, norm in zip(convolutions, norms, strict=True):
            weight, bias = fold_batch_norm(convolution, norm)
            # (out, in, frequency, time) -> (out, in, time, frequency)
            weight = weight.transpose(2, 3).contiguous(memory_format=torch.channels_last)
            self.convolutions.append((weight, bias))
        linears = [layer for layer in encoder.fc if isinstance(layer, nn.Linear)]
        self.linears = [(linear.weight.detach(), linear.bias.detach()) for linear in linears]

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.linears[0][0].device

    def local(self, frames: Tensor) -> Tensor:
        """The convolutions' output.

        Args:
            frames: ``(batch, n_frames, n_mels)`` float32, normalised log-mel, time first.

        Returns:
            ``(batch, ceil(n_frames / stride), local_size)``, of the weights' dtype.
        """
        x = frames.unsqueeze(1).to(self.linears[0][0].dtype)
        for weight, bias in self.convolutions:
            x = functional.conv2d(x, weight, bias, padding=1).contiguous(memory_format=torch.channels_last)
            # ceil_mode: a partial last frame is pooled over what there is of it.
            x = functional.max_pool2d(x, 2, ceil_mode=True).relu_()
        # (batch, channels, time, frequency), channels last -> per frame, frequency-major, channels: a view.
        return x.permute(0, 2, 3, 1).flatten(2)

    def features(self, local: Tensor) -> Tensor:
        """Frame features out of local ones.

        Args:
            local: ``(..., local_size)``, from :meth:`local`.

        Returns:
            ``(..., feature_size)``, of the weights' dtype.
        """
        x = local
        for weight, bias in self.linears:
            x = functional.linear(x, weight, bias).relu_()
        return torch.cat([local, x], dim=-1) if self.config.concatenate_local else x
