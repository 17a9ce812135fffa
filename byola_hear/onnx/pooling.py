"""Pooling as part of an ONNX graph."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from byola_hear.models.config import ModelConfig
from byola_hear.models.pooling.combination import MAX_MEAN, MEAN
from byola_hear.models.pooling.timestamps import timestamp_centre
from byola_hear.onnx.graph import DOUBLE, FLOAT, INTEGER, Graph, n_samples_of

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


def windows(
    graph: Graph, features: str, waveforms: str, config: ModelConfig, window: float, hop: float
) -> tuple[str, str, str]:
    """Append the pooling over windows of any length, as :class:`byola_hear.models.pooling.grid.GridPool` does it.

    Args:
        graph: the graph.
        features: name of the frame features ``(batch, n_features, size)``.
        waveforms: name of the waveforms ``(batch, n_samples)``.
        config: the model's configuration.
        window: length of a window, in samples; at least that of a frame.
        hop: distance from one window to the next, in samples.

    Returns:
        Names of the embeddings ``(batch, n_windows, size)``, and of the windows' starts and ends ``(n_windows,)`` in
        seconds.

    Raises:
        ValueError: if the window is shorter than a frame.
    """
    stride, rate = config.encoder.stride, config.frontend.sample_rate
    frame = float(stride * config.frontend.hop_length)
    if window < frame:
        raise ValueError(f"expected a window of at least a frame, {frame / rate:g} s, got {window / rate:g} s")
    first_centre = timestamp_centre(0, stride, config.frontend.hop_length)
    last = np.array([0])
    n_samples = graph.add("Cast", n_samples_of(graph, waveforms), to=DOUBLE)
    # Grid.count: as many windows as cover the clip, none of which begins after its end.
    beyond = graph.add("Div", graph.add("Sub", n_samples, np.float64(window)), np.float64(hop))
    covering = graph.add("Add", graph.add("Ceil", graph.add("Sub", beyond, np.float64(1e-9))), np.float64(1))
    begun = graph.add("Div", n_samples, np.float64(hop))
    begun = graph.add("Ceil", graph.add("Sub", begun, np.float64(1e-9)))
    count = graph.add("Max", graph.add("Min", covering, begun), np.float64(1))
    index = graph.add("Range", np.int64(0), graph.add("Cast", count, to=INTEGER), np.int64(1))
    starts = graph.add("Mul", graph.add("Cast", index, to=DOUBLE), np.float64(hop))

    def frame_after(place: str) -> str:
        """The first frame feature whose centre is not before a place."""
        away = graph.add("Div", graph.add("Sub", place, np.float64(first_centre)), np.float64(frame))
        return graph.add("Cast", graph.add("Ceil", away), to=INTEGER)

    length = graph.add("Squeeze", graph.add("Shape", features, start=1, end=2), last)
    final = graph.add("Sub", length, np.int64(1))
    # A window beyond the last frame takes the last frame.
    first = graph.add("Min", graph.add("Max", frame_after(starts), np.int64(0)), final)
    stop = graph.add("Min", frame_after(graph.add("Add", starts, np.float64(window))), length)
    stop = graph.add("Max", stop, graph.add("Add", first, np.int64(1)))
    offsets = np.arange(math.ceil(window / frame), dtype=np.int64)[None]
    frames = graph.add("Add", graph.add("Unsqueeze", first, np.array([1])), offsets)
    inside = graph.add("Less", frames, graph.add("Unsqueeze", stop, np.array([1])))
    inside = graph.add("Unsqueeze", inside, np.array([2]))
    taken = graph.add("Gather", features, graph.add("Min", frames, final), axis=1)
    total = graph.add("ReduceSum", graph.add("Where", inside, taken, np.float32(0)), np.array([2]), keepdims=0)
    number = graph.add("Cast", graph.add("Sub", stop, first), to=FLOAT)
    mean = graph.add("Div", total, graph.add("Unsqueeze", number, np.array([1])))
    lowest = np.float32(np.finfo(np.float32).min)
    maximum = graph.add("ReduceMax", graph.add("Where", inside, taken, lowest), axes=[2], keepdims=0)
    ends = graph.add("Min", graph.add("Add", starts, np.float64(window)), n_samples)

    def seconds(place: str) -> str:
        return graph.add("Cast", graph.add("Div", place, np.float64(rate)), to=FLOAT)

    return COMBINATIONS[config.pooling](graph, maximum, mean), seconds(starts), seconds(ends)


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
