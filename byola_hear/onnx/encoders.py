"""Encoders as part of an ONNX graph: one function for each kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from byola_hear.models.encoders.convolutional import Encoder, EncoderConfig
from byola_hear.models.encoders.folded import FoldedEncoder
from byola_hear.models.encoders.transformer import Transformer, TransformerConfig
from byola_hear.onnx.graph import Graph
from byola_hear.onnx.transformer import combined_layers, linear


def convolutional(graph: Graph, normalised: str, encoder: Encoder) -> str:
    """Append a convolutional encoder.

    Args:
        graph: the graph.
        normalised: name of the normalised log-mel ``(batch, 1, n_mels, n_frames)``.
        encoder: the network; its running statistics are used, whatever mode it is in.

    Returns:
        Name of the frame features ``(batch, n_features, feature_size)``.
    """
    network = FoldedEncoder(encoder)
    x = normalised
    for weight, bias in network.convolutions:
        # (out, in, time, frequency) -> (out, in, frequency, time)
        kernel = weight.float().transpose(2, 3).cpu().numpy()
        x = graph.add("Conv", x, kernel, bias.float().cpu().numpy(), pads=[1, 1, 1, 1])
        x = graph.add("Relu", x)
        # ceil_mode: an incomplete last frame is pooled over the values that exist.
        x = graph.add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
    x = graph.add("Transpose", x, perm=[0, 3, 2, 1])
    x = local = graph.add("Reshape", x, np.array([0, 0, network.config.local_size]))
    for weight, bias in network.linears:
        x = graph.add("MatMul", x, weight.float().T.cpu().numpy())
        x = graph.add("Relu", graph.add("Add", x, bias.float().cpu().numpy()))
    return graph.add("Concat", local, x, axis=2) if network.config.concatenate_local else x


def transformer(graph: Graph, normalised: str, encoder: Transformer) -> str:
    """Append a transformer encoder.

    Args:
        graph: the graph.
        normalised: name of the normalised log-mel ``(batch, 1, n_mels, n_frames)``.
        encoder: the network.

    Returns:
        Name of the frame features ``(batch, n_features, feature_size)``.
    """
    config, one, context = encoder.config, np.array([1]), np.array([encoder.config.context])
    frames = graph.add("Transpose", graph.add("Squeeze", normalised, one), perm=[0, 2, 1])
    frames = padded(graph, frames, np.array([config.stride]))
    tokens = graph.add("Reshape", frames, np.array([0, -1, config.stride * config.n_mels]))
    n_tokens = graph.add("Shape", tokens, start=1, end=2)
    # A clip that is shorter than a block is a block of its own length.
    size = graph.add("Min", n_tokens, context)
    tokens = padded(graph, linear(graph, tokens, encoder.embedding), size)
    shape = graph.add("Concat", np.array([0, -1]), size, np.array([config.width]), axis=0)
    blocks = graph.add("Reshape", tokens, shape)
    features = combined_layers(graph, blocks, n_tokens, size, encoder)
    features = graph.add("Reshape", features, np.array([0, -1, config.feature_size]))
    return graph.add("Slice", features, np.array([0]), n_tokens, one)


def padded(graph: Graph, x: str, size: str | np.ndarray) -> str:
    """Fill ``(batch, n, width)`` up with zeros, so that ``n`` is a multiple of a size of shape ``(1,)``."""
    missing = graph.add("Mod", graph.add("Neg", graph.add("Shape", x, start=1, end=2)), size)
    return graph.add("Pad", x, graph.add("Concat", np.array([0, 0, 0, 0]), missing, np.array([0]), axis=0))


#: The function that appends an encoder to a graph, by the encoder's kind. Other kinds cannot be exported.
ENCODERS: dict[str, Callable[[Graph, str, Any], str]] = {
    EncoderConfig.kind: convolutional,
    TransformerConfig.kind: transformer,
}
