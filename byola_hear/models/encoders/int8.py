"""The convolutional encoder with its linear layers in 8-bit integers, for CPUs.

The linear layers are two thirds of the network's work. Their weights are rounded to 8 bits with one scale per output,
once, and their inputs with one scale per frame feature. So a frame feature depends neither on the rest of its clip nor
on other clips, as in float32, and products of integers are exact: their order changes nothing. That of the convolutions
before changes the last bits, which now and then turns a rounding.

Inputs are rounded to 0 … 127, not to 255. Processors without VNNI add two products in 16 bits, which 127 · 127 · 2 just
fits; with 255 they would saturate, and the results would be wrong without a word.
"""

from __future__ import annotations

import weakref

import torch
from torch import Tensor, nn

from byola_hear.models.encoders.convolutional import Encoder
from byola_hear.models.encoders.folded import FoldedEncoder

#: Largest integer that inputs and weights are rounded to.
LARGEST = 127
#: One row of weights in so many is summed, to notice that they have changed.
SUMMED = 8


class Int8Linear:
    """A linear layer for inputs that are not negative, followed by ReLU.

    Args:
        linear: the layer, on the CPU; its weights as they are now.

    Example:
        >>> layer = Int8Linear(nn.Linear(4, 3))
        >>> layer(torch.rand(5, 4)).shape
        torch.Size([5, 3])
    """

    def __init__(self, linear: nn.Linear) -> None:
        weight = linear.weight.detach().float()
        scale = weight.abs().amax(1).clamp_min(torch.finfo(torch.float32).tiny) / LARGEST
        rounded = (weight / scale[:, None]).round_().to(torch.int8)
        self.packed = torch.ops.onednn.qlinear_prepack(rounded, None)
        self.scale = scale
        self.bias = linear.bias.detach().float()
        self.zeros = torch.zeros(len(weight), dtype=torch.int32, device=weight.device)

    def __call__(self, x: Tensor) -> Tensor:
        """Compute the layer.

        Args:
            x: ``(n, n_inputs)`` float32, not negative.

        Returns:
            ``(n, n_outputs)`` float32, not negative.
        """
        largest = x.amax(1, keepdim=True).clamp_min_(torch.finfo(torch.float32).tiny)
        rounded = (x * (LARGEST / largest)).round_().to(torch.uint8)
        # Scales and zero points of input, weights and output; then the output's type and the operations that follow.
        product = torch.ops.onednn.qlinear_pointwise(
            rounded, 1.0, 0, self.packed, self.scale, self.zeros, None, 1.0, 0, torch.float32, "none", [], ""
        )
        return torch.addcmul(self.bias, product, largest / LARGEST).relu_()


#: The integer form of each layer, with the state and the memory of the weights that it was made of: rounding takes
#: longer than a short clip does. Memory that is kept is not given to other weights, so its address tells them apart.
_made: weakref.WeakKeyDictionary[nn.Linear, tuple[tuple[float, ...], list[Tensor], Int8Linear]] = (
    weakref.WeakKeyDictionary()
)


def int8_linear(linear: nn.Linear) -> Int8Linear:
    """The integer form of a layer, made anew if its weights have changed."""
    state = _state(linear)
    made = _made.get(linear)
    if made is None or made[0] != state:
        made = state, [linear.weight.detach(), linear.bias.detach()], Int8Linear(linear)
        _made[linear] = made
    return made[2]


def _state(linear: nn.Linear) -> tuple[float, ...]:
    """Numbers that change with a layer's weights.

    PyTorch counts changes in place, but neither those through ``.data`` nor new memory. So the address counts, too, and
    a sum of some rows, whose time is a fraction of that of a short clip.
    """
    weight, bias = linear.weight.detach(), linear.bias.detach()
    rows = weight[::SUMMED]
    left, right = (torch.linspace(1, 2, size, dtype=weight.dtype, device=weight.device) for size in rows.shape)
    place = torch.linspace(1, 2, len(bias), dtype=bias.dtype, device=bias.device)
    versions = [0 if each.is_inference() else each._version for each in (linear.weight, linear.bias)]
    return *versions, weight.data_ptr(), bias.data_ptr(), float(left @ (rows @ right)), float(place @ bias)


class Int8Encoder(FoldedEncoder):
    """A :class:`FoldedEncoder` whose linear layers compute in 8-bit integers.

    Args:
        encoder: the network, on the CPU and in float32; it stays as it is.

    Raises:
        ValueError: if the network is on another device, or this PyTorch has no integer products for this processor.
    """

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder)
        if self.device.type != "cpu":
            raise ValueError(f"int8 computes on a CPU only, got a network on {self.device}")
        if not (torch.backends.mkldnn.is_available() and hasattr(torch.ops.onednn, "qlinear_pointwise")):
            raise ValueError("int8 needs a PyTorch with oneDNN, which this one was built without")
        self.integer_linears = [int8_linear(layer) for layer in encoder.fc if isinstance(layer, nn.Linear)]

    def per_frame(self, hidden: Tensor) -> Tensor:
        """Compute the linear layers.

        Args:
            hidden: ``(..., local_size)``, the convolutions' output.

        Returns:
            ``(..., feature_size)`` float32.
        """
        x = hidden.flatten(0, -2)
        for linear in self.integer_linears:
            x = linear(x)
        x = x.unflatten(0, hidden.shape[:-1])
        return torch.cat([hidden, x], dim=-1) if self.config.concatenate_local else x
