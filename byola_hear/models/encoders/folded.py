"""The convolutional encoder in its inference form: batch norm folded into the convolutions, time first, channels last.

The form is made anew from the trainable :class:`~byola_hear.models.encoders.convolutional.Encoder` for each call, so it
always has the current weights. That takes a fraction of a millisecond: only the small convolution kernels are computed,
and the linear layers' weights are shared.

Three things make it fast on a CPU. Time takes the place of height, so the mel matrix goes in and the local features
come out without a transposing copy. Maxima are taken in channels-last memory, more than ten times as fast as in the
usual order. ReLU, which commutes with the maximum, runs after it, on a quarter of the values.
"""

from __future__ import annotations

from itertools import zip_longest

import torch
from torch import Tensor, nn
from torch.nn import functional

from byola_hear.models.encoders.convolutional import Encoder
from byola_hear.utils.device import in_float64

_Kinds = tuple[type[nn.Module], ...]
#: The layers of a block and of ``fc``, with those that may stand for them because they infer the same.
_BLOCK: tuple[_Kinds, ...] = ((nn.Conv2d,), (nn.BatchNorm2d, nn.SyncBatchNorm), (nn.ReLU,), (nn.MaxPool2d,))
_FC: tuple[_Kinds, ...] = ((nn.Linear,), (nn.ReLU,), (nn.Dropout, nn.Identity), (nn.Linear,), (nn.ReLU,))


def check_layers(encoder: Encoder) -> None:
    """Refuse an encoder of other layers, such as adapters put in their place: the inference form would miss them.

    Raises:
        ValueError: if there is such a layer.
    """
    for part, expected in (("features", _BLOCK * encoder.config.n_blocks), ("fc", _FC)):
        for index, (layer, kinds) in enumerate(zip_longest(getattr(encoder, part), expected)):
            if kinds is None or getattr(type(layer), "forward", None) not in [kind.forward for kind in kinds]:
                wanted = "none" if kinds is None else kinds[0].__name__
                found = f"{type(layer).__module__}.{type(layer).__qualname__}"
                raise ValueError(
                    f"expected {wanted} as layer {part}.{index} of the network, got {found}; only the network's own "
                    "layers can be embedded with, so merge adapters first"
                )


def fold_batch_norm(convolution: nn.Conv2d, norm: nn.BatchNorm2d | nn.SyncBatchNorm) -> tuple[Tensor, Tensor]:
    """Fold a batch norm, as it works in evaluation mode, into the convolution before it.

    Args:
        convolution: the convolution, with weights ``(channels_out, channels_in, height, width)``.
        norm: the batch norm over ``channels_out``, with running statistics.

    Returns:
        Weights of the same shape and biases ``(channels_out,)``, computed in float64, in the convolution's dtype and on
        its device.

    Raises:
        ValueError: if the batch norm has no running statistics.
    """
    weight = in_float64(convolution.weight.detach())
    bias = weight.new_zeros(len(weight)) if convolution.bias is None else in_float64(convolution.bias.detach())
    if norm.running_mean is None or norm.running_var is None:
        raise ValueError("expected a batch norm with running statistics, got one without")
    scale = torch.rsqrt(in_float64(norm.running_var) + norm.eps)
    shift = -in_float64(norm.running_mean) * scale
    if norm.affine:
        scale = scale * in_float64(norm.weight.detach())
        shift = shift * in_float64(norm.weight.detach()) + in_float64(norm.bias.detach())
    return (weight * scale[:, None, None, None]).to(convolution.weight), (bias * scale + shift).to(convolution.weight)


class FoldedEncoder:
    """An :class:`~byola_hear.models.encoders.convolutional.Encoder` in evaluation mode, frozen and fast.

    It uses the running statistics and no dropout, whether the encoder is in training mode or not.

    Args:
        encoder: the network, which stays as it is.

    Raises:
        ValueError: if layers of the network were replaced; see :func:`check_layers`.

    Example:
        >>> from byola_hear.models.encoders.convolutional import EncoderConfig
        >>> folded = FoldedEncoder(Encoder(EncoderConfig.v2()))
        >>> folded.per_frame(folded.in_context(torch.zeros(1, 96, 64))).shape
        torch.Size([1, 24, 3072])
    """

    def __init__(self, encoder: Encoder) -> None:
        check_layers(encoder)
        self.config = encoder.config
        convolutions = [layer for layer in encoder.features if isinstance(layer, nn.Conv2d)]
        norms = [layer for layer in encoder.features if isinstance(layer, (nn.BatchNorm2d, nn.SyncBatchNorm))]
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

    def in_context(self, frames: Tensor) -> Tensor:
        """Compute the convolutions.

        Args:
            frames: ``(batch, n_frames, n_mels)`` float32 normalised log-mel, time first.

        Returns:
            ``(batch, ceil(n_frames / stride), local_size)``, in the weights' dtype.
        """
        x = frames.unsqueeze(1).to(self.linears[0][0].dtype)
        for weight, bias in self.convolutions:
            x = functional.conv2d(x, weight, bias, padding=1).contiguous(memory_format=torch.channels_last)
            # ceil_mode: an incomplete last frame is pooled over the values that exist.
            x = functional.max_pool2d(x, 2, ceil_mode=True).relu_()
        # (batch, channels, time, frequency) -> (batch, time, frequency * channels): channels are last, so it is a view.
        return x.permute(0, 2, 3, 1).flatten(2)

    def per_frame(self, hidden: Tensor) -> Tensor:
        """Compute the linear layers.

        Args:
            hidden: ``(..., local_size)``, the convolutions' output.

        Returns:
            ``(..., feature_size)``, in the weights' dtype.
        """
        x = hidden
        for weight, bias in self.linears:
            x = functional.linear(x, weight, bias).relu_()
        return torch.cat([hidden, x], dim=-1) if self.config.concatenate_local else x
