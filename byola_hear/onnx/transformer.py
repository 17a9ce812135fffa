"""The layers of a transformer as part of an ONNX graph."""

from __future__ import annotations

import math
from typing import cast

import numpy as np
import torch
from torch import nn

from byola_hear.models.encoders.attention import TransformerLayer, rotations
from byola_hear.models.encoders.transformer import CONCATENATE, Transformer
from byola_hear.onnx.graph import FLOAT, Graph

#: Added to the scores of tokens that do not exist, so that they get no weight.
FAR_BELOW = -1e30


def linear(graph: Graph, x: str, layer: nn.Linear) -> str:
    """Append a linear layer over the last axis."""
    product = graph.add("MatMul", x, layer.weight.detach().float().T.cpu().numpy())
    return graph.add("Add", product, layer.bias.detach().float().cpu().numpy())


def norm(graph: Graph, x: str, width: int, layer: nn.LayerNorm | None = None) -> str:
    """Append a layer norm over the last axis; without a layer, one that scales and shifts nothing."""
    weight = np.ones(width, np.float32) if layer is None else layer.weight.detach().float().cpu().numpy()
    bias = np.zeros(width, np.float32) if layer is None else layer.bias.detach().float().cpu().numpy()
    return graph.add("LayerNormalization", x, weight, bias, axis=-1, epsilon=1e-5)


def combined_layers(graph: Graph, blocks: str, n_tokens: str, size: str, encoder: Transformer) -> str:
    """Append the layers, and what the configured ones make together.

    Args:
        graph: the graph.
        blocks: name of the tokens ``(batch, n_blocks, size, width)``, the last block filled up.
        n_tokens: name of the number of tokens of a clip, of shape ``(1,)``.
        size: name of the number of tokens in a block, of shape ``(1,)``.
        encoder: the network.

    Returns:
        Name of the frame features ``(batch, n_blocks, size, feature_size)``.
    """
    config = encoder.config
    turns = [
        graph.add("Slice", part.cpu().numpy(), np.array([0]), size, np.array([0]))
        for part in rotations(torch.arange(config.context, device="cpu"), config.width // config.n_heads)
    ]
    # (n_blocks, 1, 1, size): what is added to the scores of a block's tokens.
    count = graph.add("Mul", graph.add("Shape", blocks, start=1, end=2), size)
    index = graph.add("Range", np.int64(0), graph.add("Squeeze", count), np.int64(1))
    beyond = graph.add("Cast", graph.add("Not", graph.add("Less", index, n_tokens)), to=FLOAT)
    shape = graph.add("Concat", np.array([-1, 1, 1]), size, axis=0)
    mask = graph.add("Reshape", graph.add("Mul", beyond, np.float32(FAR_BELOW)), shape)
    x, kept = blocks, []
    for number, layer in enumerate(encoder.layers[: config.layers[-1]], 1):
        x = _layer(graph, x, turns, mask, cast(TransformerLayer, layer), config.width)
        if number in config.layers:
            kept.append(norm(graph, x, config.width))
    if config.combine == CONCATENATE:
        return graph.add("Concat", *kept, axis=3)
    return graph.add("Div", graph.add("Sum", *kept), np.float32(len(kept)))


def _layer(graph: Graph, x: str, turns: list[str], mask: str, layer: TransformerLayer, width: int) -> str:
    """Append a layer: ``(batch, n_blocks, size, width)`` → the same."""
    n_heads = layer.n_heads
    heads = linear(graph, norm(graph, x, width, layer.attention_norm), layer.query_key_value)
    parts = []
    for number in range(3):
        part = graph.add("Slice", heads, np.array([number * width]), np.array([(number + 1) * width]), np.array([3]))
        # (batch, n_blocks, size, width) -> (batch, n_blocks, n_heads, size, head_size)
        part = graph.add("Reshape", part, np.array([0, 0, 0, n_heads, width // n_heads]))
        parts.append(graph.add("Transpose", part, perm=[0, 1, 3, 2, 4]))
    query, key = (_rotated(graph, part, turns, width // n_heads) for part in parts[:2])
    query = graph.add("Mul", query, np.float32(1 / math.sqrt(width // n_heads)))
    scores = graph.add("MatMul", query, graph.add("Transpose", key, perm=[0, 1, 2, 4, 3]))
    weights = graph.add("Softmax", graph.add("Add", scores, mask), axis=-1)
    seen = graph.add("Transpose", graph.add("MatMul", weights, parts[2]), perm=[0, 1, 3, 2, 4])
    x = graph.add("Add", x, linear(graph, graph.add("Reshape", seen, np.array([0, 0, 0, width])), layer.mixed))
    hidden = linear(graph, norm(graph, x, width, layer.hidden_norm), layer.hidden)
    return graph.add("Add", x, linear(graph, _gelu(graph, hidden), layer.output))


def _rotated(graph: Graph, x: str, turns: list[str], head_size: int) -> str:
    """Append the rotation of :func:`byola_hear.models.encoders.attention.rotated`."""
    half, cosine, sine = head_size // 2, *turns
    first = graph.add("Slice", x, np.array([0]), np.array([half]), np.array([4]))
    second = graph.add("Slice", x, np.array([half]), np.array([head_size]), np.array([4]))
    left = graph.add("Sub", graph.add("Mul", first, cosine), graph.add("Mul", second, sine))
    right = graph.add("Add", graph.add("Mul", second, cosine), graph.add("Mul", first, sine))
    return graph.add("Concat", left, right, axis=4)


def _gelu(graph: Graph, x: str) -> str:
    """Append x · (1 + erf(x / √2)) / 2: ONNX has no operator for it in this version."""
    erf = graph.add("Erf", graph.add("Mul", x, np.float32(1 / math.sqrt(2))))
    return graph.add("Mul", graph.add("Mul", x, np.float32(0.5)), graph.add("Add", erf, np.float32(1)))
