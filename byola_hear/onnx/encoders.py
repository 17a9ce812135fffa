"""Encoders as part of an ONNX graph: one function for each kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from byola_hear.models.encoders.convolutional import Encoder, EncoderConfig
from byola_hear.models.encoders.folded import FoldedEncoder
from byola_hear.onnx.graph import Graph


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


#: The function that appends an encoder to a graph, by the encoder's kind. Other kinds cannot be exported.
ENCODERS: dict[str, Callable[[Graph, str, Any], str]] = {EncoderConfig.kind: convolutional}
