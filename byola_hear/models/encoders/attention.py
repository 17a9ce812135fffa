"""A layer of a transformer: attention with rotary positions, then two linear layers, each after a layer norm.

Source:
    Vaswani et al., Attention is all you need (arXiv 1706.03762); the norm comes first as in Xiong et al., On layer
    normalization in the transformer architecture (arXiv 2002.04745); rotary positions: Su et al., RoFormer (arXiv
    2104.09864).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

#: Width of a layer's hidden linear layer, as a multiple of the width of a token.
EXPANSION = 4
#: The slowest rotation takes about this many tokens for an angle of 1.
LONGEST_WAVE = 10_000.0


def rotations(positions: Tensor, head_size: int) -> tuple[Tensor, Tensor]:
    """Compute the angles by which a head's queries and keys are turned.

    Args:
        positions: ``(..., n)`` positions of tokens.
        head_size: dimensions of a head, even.

    Returns:
        Cosine and sine of the angles, ``(..., n, head_size / 2)`` float32 each.

    Example:
        >>> [part.shape for part in rotations(torch.arange(5), 8)]
        [torch.Size([5, 4]), torch.Size([5, 4])]
    """
    steps = torch.arange(head_size // 2, device=positions.device, dtype=torch.float32)
    angles = positions[..., None].float() * LONGEST_WAVE ** (-2 * steps / head_size)
    return angles.cos(), angles.sin()


def rotated(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn each pair of dimensions of ``x`` ``(..., n, head_size)`` by its angle, of ``(..., n, head_size / 2)``."""
    first, second = x.chunk(2, dim=-1)
    cosine, sine = cosine.to(x.dtype), sine.to(x.dtype)
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1)


def attention(query: Tensor, key: Tensor, value: Tensor, inside: Tensor | None = None) -> Tensor:
    """Average values with the weights of attention.

    The fused kernel computes it, except in training on a CPU: there, its gradient takes several times as long as that
    of two products and a softmax, above all in bfloat16.

    Args:
        query: ``(batch, n_heads, n, head_size)``.
        key: like ``query``.
        value: like ``query``.
        inside: ``(batch, n)`` bool, the tokens that others may see; None if all may be seen.

    Returns:
        Like ``value``.
    """
    if inside is None and query.requires_grad and query.device.type == "cpu":
        weights = torch.softmax(query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5, dim=-1)
        return weights @ value
    mask = None if inside is None else inside[:, None, None, :]
    return functional.scaled_dot_product_attention(query, key, value, mask)


class TransformerLayer(nn.Module):
    """A layer whose tokens all see each other.

    Args:
        width: dimensions of a token.
        n_heads: heads of the attention; a divisor of ``width``.

    Shape:
        - input ``(batch, n, width)``, the rotations of the tokens' positions, and the tokens that count, or None
        - output ``(batch, n, width)``
    """

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.attention_norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.mixed = nn.Linear(width, width)
        self.hidden_norm = nn.LayerNorm(width)
        self.hidden = nn.Linear(width, EXPANSION * width)
        self.output = nn.Linear(EXPANSION * width, width)

    def forward(self, x: Tensor, turns: tuple[Tensor, Tensor], inside: Tensor | None = None) -> Tensor:
        """Compute the layer.

        Args:
            x: ``(batch, n, width)``.
            turns: from :func:`rotations`, ``(n, head_size / 2)`` or ``(batch, 1, n, head_size / 2)`` each.
            inside: ``(batch, n)`` bool, the tokens that others may see; None if all may be seen.

        Returns:
            ``(batch, n, width)``.
        """
        heads = self.query_key_value(self.attention_norm(x)).unflatten(-1, (3, self.n_heads, -1))
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        seen = attention(rotated(query, *turns), rotated(key, *turns), value, inside)
        x = x + self.mixed(seen.transpose(1, 2).flatten(2))
        return x + self.output(functional.gelu(self.hidden(self.hidden_norm(x))))


def initialise(module: nn.Module) -> None:
    """Draw the weights of all linear layers from a narrow normal distribution, with biases of zero."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            nn.init.trunc_normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)
