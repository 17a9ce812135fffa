"""Pooling as part of an ONNX graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from byola_hear.models.config import ModelConfig
from byola_hear.models.pooling.combination import MAX_MEAN, MEAN
from byola_hear.onnx.graph import DOUBLE, FLOAT, Graph, n_samples_of

#: :data:`byola_hear.models.pooling.combination.POOLINGS` as nodes: a function of the maximum's and the mean's names.
COMBINATIONS: dict[str, Callable[[Graph, str, str], str]] = {
    MAX_MEAN: lambda graph, maximum, mean: graph.add("Add", maximum, mean),
    MEAN: lambda _graph, _maximum, mean: mean,
}


def clip_pool(graph: Graph, features: str, config: ModelConfig) -> str:
    """Append the pooling over whole clips.

    Args:
        graph: the graph.
        features: name of the frame features ``(batch, n_features, size)``.
        config: the model's configuration.

    Returns:
        Name of the embeddings ``(batch, size)``.
    """
    size = config.encoder.feature_size
    # Runtimes add in float32, one by one. Sums of 64 frames come first, so minutes are as exact as a second.
    length = graph.add("Shape", features, start=1, end=2)
    missing = graph.add("Mod", graph.add("Neg", length), np.array([64]))
    padding = graph.add("Concat", np.array([0, 0, 0, 0]), missing, np.array([0]), axis=0)
    groups = graph.add("Reshape", graph.add("Pad", features, padding), np.array([0, -1, 64, size]))
    total = graph.add("ReduceSum", graph.add("ReduceSum", groups, np.array([2]), keepdims=0), np.array([1]), keepdims=0)
    mean = graph.add("Div", total, graph.add("Cast", length, to=FLOAT))
    return COMBINATIONS[config.pooling](graph, graph.add("ReduceMax", features, axes=[1], keepdims=0), mean)


def timestamps(graph: Graph, features: str, waveforms: str, config: ModelConfig) -> list[str]:
    """Append the pooling over a sliding window.

    Args:
        graph: the graph.
        features: name of the frame features ``(batch, n_features, size)``.
        waveforms: name of the waveforms ``(batch, n_samples)``.
        config: the model's configuration.

    Returns:
        Names of the embeddings ``(batch, n_timestamps, size)`` and of their times ``(batch, n_timestamps)`` in
        milliseconds.
    """
    stride, hop_length = config.encoder.stride, config.frontend.hop_length
    n_samples = n_samples_of(graph, waveforms)
    # timestamp_count in integers, everything doubled, as a centre may lie between two samples. Max
    # keeps the division away from negative numbers.
    beyond = graph.add("Sub", graph.add("Mul", n_samples, np.int64(2)), np.int64((stride - 1) * hop_length))
    beyond = graph.add("Max", beyond, np.int64(0))
    count = graph.add("Add", graph.add("Div", beyond, np.int64(2 * stride * hop_length)), np.int64(1))

    width, half = config.window_frames, config.window_frames // 2
    window: dict[str, Any] = {"kernel_shape": [width], "pads": [half, half]}
    rows = graph.add("Transpose", features, perm=[0, 2, 1])
    # Padding beyond the clip's ends enters neither the maximum nor the mean.
    mean = graph.add("AveragePool", rows, **window, count_include_pad=0)
    combined = COMBINATIONS[config.pooling](graph, graph.add("MaxPool", rows, **window), mean)
    pooled = graph.add("Transpose", combined, perm=[0, 2, 1])
    last = graph.add("Unsqueeze", count, np.array([0]))
    embeddings = graph.add("Slice", pooled, np.array([0]), last, np.array([1]))

    index = graph.add("Cast", graph.add("Range", np.int64(0), count, np.int64(1)), to=DOUBLE)
    frame = graph.add("Add", graph.add("Mul", index, np.float64(stride)), np.float64((stride - 1) / 2))
    centre = graph.add("Mul", frame, np.float64(hop_length))
    centre = graph.add("Min", centre, graph.add("Cast", n_samples, to=DOUBLE))
    times = graph.add("Div", graph.add("Mul", centre, np.float64(1000)), np.float64(config.frontend.sample_rate))
    batch = graph.add("Shape", waveforms, start=0, end=1)
    times = graph.add("Expand", graph.add("Cast", times, to=FLOAT), graph.add("Concat", batch, last, axis=0))
    return [embeddings, times]
