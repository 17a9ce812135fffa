"""The parts of the ONNX graph: a model's steps, node by node.

Each function appends what computes one step of :class:`~byola_hear.models.model.ByolaModel`. It takes and returns names
of values.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.folded import FoldedEncoder
from byola_hear.models.frontend import LOG_OFFSET, FrontendConfig, mel_filters

if TYPE_CHECKING:
    import onnx

#: ONNX's numbers for two types.
_FLOAT, _DOUBLE = 1, 11


class Graph:
    """Nodes and constants in the making. A value is known by its name; an array stands for a constant."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, operator: str, *inputs: str | NDArray[Any] | np.generic, **attributes: Any) -> str:
        """Append a node of one output and give its name."""
        from onnx import helper

        name = f"{operator.lower()}_{len(self.nodes)}"
        names = [value if isinstance(value, str) else self._constant(np.asarray(value)) for value in inputs]
        self.nodes.append(helper.make_node(operator, names, [name], **attributes))
        return name

    def _constant(self, value: NDArray[Any]) -> str:
        from onnx import numpy_helper

        if value.dtype.kind == "i":  # whatever the platform's own integers are
            value = value.astype(np.int64)
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value).reshape(value.shape), name))
        return name


def _n_samples(graph: Graph, waveforms: str) -> str:
    """A clip's length, a scalar."""
    return graph.add("Squeeze", graph.add("Shape", waveforms, start=1, end=2))


def log_mel(graph: Graph, waveforms: str, config: FrontendConfig) -> str:
    """Waveforms ``(batch, n_samples)`` to ``(batch, 1, n_mels, n_frames)``."""
    one, half = np.int64(1), np.int64(config.n_fft // 2)
    n_samples = _n_samples(graph, waveforms)
    # Sample i beyond an end of n samples is that at i modulo 2 (n - 1), counted back from there where that is
    # beyond n; a single sample is repeated.
    n_frames = graph.add("Div", n_samples, np.int64(config.hop_length))  # but the first
    stop = graph.add("Add", graph.add("Mul", n_frames, np.int64(config.hop_length)), np.int64(config.n_fft) - half)
    period = graph.add("Max", graph.add("Mul", graph.add("Sub", n_samples, one), np.int64(2)), one)
    index = graph.add("Mod", graph.add("Range", -half, stop, one), period)
    index = graph.add("Min", index, graph.add("Sub", period, index))
    samples = graph.add("Gather", waveforms, index, axis=1)

    # Windows are put together from rows of as many samples as both they and their distance are multiples of.
    row = math.gcd(config.n_fft, config.hop_length)
    rows = graph.add("Reshape", samples, np.array([0, -1, row]))
    first = graph.add("Range", np.int64(0), graph.add("Add", n_frames, one), one)
    first = graph.add("Unsqueeze", graph.add("Mul", first, np.int64(config.hop_length // row)), np.array([1]))
    frames = graph.add("Gather", rows, graph.add("Add", first, np.arange(config.n_fft // row)[None]), axis=1)
    columns, outer, inner, filters = fourier(config, row)
    # (batch, n_frames, n_fft / row, row) -> (batch, n_frames, 2 k, row) -> (batch, k, n_frames, 2 row)
    half_done = graph.add("MatMul", outer, graph.add("Mul", frames, columns))
    half_done = graph.add("Reshape", half_done, np.array([0, 0, len(inner), 2 * row]))
    spectrum = graph.add("MatMul", graph.add("Transpose", half_done, perm=[0, 2, 1, 3]), inner)
    # Real and imaginary parts have the same filters: their squares are added on the way.
    mel = graph.add("MatMul", graph.add("Mul", spectrum, spectrum), filters)
    logarithm = graph.add("Log", graph.add("Add", graph.add("ReduceSum", mel, np.array([1])), np.float32(LOG_OFFSET)))
    return graph.add("Transpose", logarithm, perm=[0, 1, 3, 2])


def fourier(config: FrontendConfig, row: int) -> tuple[NDArray[np.float32], ...]:
    """The Fourier transform of windowed frames and the mel filters, as three matrix products.

    A frame of ``row * n`` samples is taken as ``n`` rows. First each column is transformed by itself, then, for
    each of the ``n // 2 + 1`` frequencies ``k`` of the columns that a real signal has, the rows of results, which
    gives the frequencies ``k, k + n, k + 2 n...`` of the frame: the first step of Cooley and Tukey's algorithm.

    Returns:
        the window ``(n, row)``; the columns' transform ``(2 k, n)``, real and imaginary parts in turn; the rows'
        transforms ``(k, 2 row, 2 row)``; the mel filters of what comes out, ``(k, 2 row, n_mels)``.
    """
    n_fft, n = config.n_fft, config.n_fft // row
    start = (n_fft - config.window_length) // 2
    window = np.zeros(n_fft)
    window[start : start + config.window_length] = torch.hann_window(config.window_length, dtype=torch.float64).numpy()
    k = np.arange(n // 2 + 1)
    # Angles modulo a turn in whole numbers, so that they are exact.
    angle = 2 * np.pi / n * (k[:, None] * np.arange(n) % n)
    outer = np.stack([np.cos(angle), -np.sin(angle)], axis=1).reshape(-1, n)
    frequency = k[:, None] + n * np.arange(row)
    angle = 2 * np.pi / n_fft * (np.arange(row)[None, :, None] * frequency[:, None, :] % n_fft)
    cosine, sine = np.cos(angle), np.sin(angle)
    inner = np.concatenate([np.concatenate([cosine, -sine], 2), np.concatenate([sine, cosine], 2)], 1)
    # Frequencies beyond half the rate mirror those below. Whatever comes twice counts once.
    mirrored = np.minimum(frequency, n_fft - frequency)
    once = np.zeros(frequency.size, bool)
    once[np.unique(mirrored, return_index=True)[1]] = True
    filters = np.where(once.reshape(frequency.shape)[..., None], mel_filters(config).numpy()[mirrored], 0)
    filters = np.concatenate([filters, filters], 1)
    return tuple(matrix.astype(np.float32) for matrix in (window.reshape(n, row), outer, inner, filters))


def frame_features(graph: Graph, normalised: str, network: FoldedEncoder) -> str:
    """Normalised log-mel ``(batch, 1, n_mels, n_frames)`` to ``(batch, n_features, feature_size)``."""
    x = normalised
    for weight, bias in network.convolutions:
        # (out, in, time, frequency) -> (out, in, frequency, time)
        kernel = weight.float().transpose(2, 3).cpu().numpy()
        x = graph.add("Conv", x, kernel, bias.float().cpu().numpy(), pads=[1, 1, 1, 1])
        x = graph.add("Relu", x)
        # ceil_mode: a partial last frame is pooled over what there is of it.
        x = graph.add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
    x = graph.add("Transpose", x, perm=[0, 3, 2, 1])
    x = local = graph.add("Reshape", x, np.array([0, 0, network.config.local_size]))
    for weight, bias in network.linears:
        x = graph.add("MatMul", x, weight.float().T.cpu().numpy())
        x = graph.add("Relu", graph.add("Add", x, bias.float().cpu().numpy()))
    return graph.add("Concat", local, x, axis=2) if network.config.concatenate_local else x


def clip_pool(graph: Graph, features: str, size: int) -> str:
    """``(batch, n_features, size)`` to ``(batch, size)``."""
    # Runtimes add in float32 one by one: sums of 64 frames first, so that minutes are as exact as a second.
    length = graph.add("Shape", features, start=1, end=2)
    missing = graph.add("Mod", graph.add("Neg", length), np.array([64]))
    padding = graph.add("Concat", np.array([0, 0, 0, 0]), missing, np.array([0]), axis=0)
    groups = graph.add("Reshape", graph.add("Pad", features, padding), np.array([0, -1, 64, size]))
    total = graph.add("ReduceSum", graph.add("ReduceSum", groups, np.array([2]), keepdims=0), np.array([1]), keepdims=0)
    mean = graph.add("Div", total, graph.add("Cast", length, to=_FLOAT))
    return graph.add("Add", graph.add("ReduceMax", features, axes=[1], keepdims=0), mean)


def timestamps(graph: Graph, features: str, waveforms: str, config: ModelConfig) -> list[str]:
    """Embeddings ``(batch, n_timestamps, size)`` and their times ``(batch, n_timestamps)``, ms."""
    stride, hop_length = config.encoder.stride, config.frontend.hop_length
    n_samples = _n_samples(graph, waveforms)
    # timestamp_count in whole numbers, everything twice, since a centre may lie between two samples. The largest
    # that may be taken away keeps the division away from negative numbers.
    beyond = graph.add("Sub", graph.add("Mul", n_samples, np.int64(2)), np.int64((stride - 1) * hop_length))
    beyond = graph.add("Max", beyond, np.int64(0))
    count = graph.add("Add", graph.add("Div", beyond, np.int64(2 * stride * hop_length)), np.int64(1))

    width, half = config.window_frames, config.window_frames // 2
    window: dict[str, Any] = {"kernel_shape": [width], "pads": [half, half]}
    rows = graph.add("Transpose", features, perm=[0, 2, 1])
    # What lies beyond the clip's ends is no part of the maximum, nor counted in the mean.
    mean = graph.add("AveragePool", rows, **window, count_include_pad=0)
    pooled = graph.add("Transpose", graph.add("Add", graph.add("MaxPool", rows, **window), mean), perm=[0, 2, 1])
    last = graph.add("Unsqueeze", count, np.array([0]))
    embeddings = graph.add("Slice", pooled, np.array([0]), last, np.array([1]))

    index = graph.add("Cast", graph.add("Range", np.int64(0), count, np.int64(1)), to=_DOUBLE)
    frame = graph.add("Add", graph.add("Mul", index, np.float64(stride)), np.float64((stride - 1) / 2))
    centre = graph.add("Mul", frame, np.float64(hop_length))
    centre = graph.add("Min", centre, graph.add("Cast", n_samples, to=_DOUBLE))
    times = graph.add("Div", graph.add("Mul", centre, np.float64(1000)), np.float64(config.frontend.sample_rate))
    batch = graph.add("Shape", waveforms, start=0, end=1)
    times = graph.add("Expand", graph.add("Cast", times, to=_FLOAT), graph.add("Concat", batch, last, axis=0))
    return [embeddings, times]
