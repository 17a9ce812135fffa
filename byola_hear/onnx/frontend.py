"""The front end as part of an ONNX graph.

The Fourier transform consists of matrix products. It is as exact as ONNX's own STFT operator and three times as fast in
onnxruntime, and it runs in runtimes without that operator.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from byola_hear.models.frontend import LOG_OFFSET, FrontendConfig, mel_filters
from byola_hear.onnx.graph import Graph, n_samples_of


def log_mel(graph: Graph, waveforms: str, config: FrontendConfig) -> str:
    """Append the front end.

    Args:
        graph: the graph.
        waveforms: name of the waveforms ``(batch, n_samples)``.
        config: the front end.

    Returns:
        Name of the log-mel ``(batch, 1, n_mels, n_frames)``.
    """
    one, half = np.int64(1), np.int64(config.n_fft // 2)
    n_samples = n_samples_of(graph, waveforms)
    # A reflected clip has the period 2 (n - 1), and sample i of a period equals sample 2 (n - 1) - i. A single sample
    # is repeated.
    n_frames = graph.add("Div", n_samples, np.int64(config.hop_length))  # without the first
    stop = graph.add("Add", graph.add("Mul", n_frames, np.int64(config.hop_length)), np.int64(config.n_fft) - half)
    period = graph.add("Max", graph.add("Mul", graph.add("Sub", n_samples, one), np.int64(2)), one)
    index = graph.add("Mod", graph.add("Range", -half, stop, one), period)
    index = graph.add("Min", index, graph.add("Sub", period, index))
    samples = graph.add("Gather", waveforms, index, axis=1)

    # Windows are composed of rows. A row's length divides both the windows' length and their distance.
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
    # Real and imaginary parts have the same filters, so this product also adds their squares.
    mel = graph.add("MatMul", graph.add("Mul", spectrum, spectrum), filters)
    logarithm = graph.add("Log", graph.add("Add", graph.add("ReduceSum", mel, np.array([1])), np.float32(LOG_OFFSET)))
    return graph.add("Transpose", logarithm, perm=[0, 1, 3, 2])


def fourier(config: FrontendConfig, row: int) -> tuple[NDArray[np.float32], ...]:
    """Compute the Fourier transform of windowed frames and the mel filters, as three matrix products.

    A frame of ``row * n`` samples is arranged in ``n`` rows. First, each column is transformed by itself; a real signal
    has ``n // 2 + 1`` frequencies ``k`` there. Then, for each ``k``, the row of results is transformed, which gives the
    frequencies ``k, k + n, k + 2 n...`` of the frame. This is the first step of Cooley and Tukey's algorithm.

    Args:
        config: the front end.
        row: samples in a row, a divisor of ``config.n_fft``.

    Returns:
        The window ``(n, row)``; the columns' transform ``(2 k, n)``, real and imaginary parts in turn; the rows'
        transforms ``(k, 2 row, 2 row)``; the mel filters of the results ``(k, 2 row, n_mels)``.
    """
    n_fft, n = config.n_fft, config.n_fft // row
    start = (n_fft - config.window_length) // 2
    window = np.zeros(n_fft)
    hann = torch.hann_window(config.window_length, dtype=torch.float64, device="cpu").numpy()
    window[start : start + config.window_length] = hann
    k = np.arange(n // 2 + 1)
    # Angles are reduced modulo a turn as integers, so they are exact.
    angle = 2 * np.pi / n * (k[:, None] * np.arange(n) % n)
    outer = np.stack([np.cos(angle), -np.sin(angle)], axis=1).reshape(-1, n)
    frequency = k[:, None] + n * np.arange(row)
    angle = 2 * np.pi / n_fft * (np.arange(row)[None, :, None] * frequency[:, None, :] % n_fft)
    cosine, sine = np.cos(angle), np.sin(angle)
    inner = np.concatenate([np.concatenate([cosine, -sine], 2), np.concatenate([sine, cosine], 2)], 1)
    # Frequencies beyond half the rate mirror those below it. A frequency that occurs twice counts once.
    mirrored = np.minimum(frequency, n_fft - frequency)
    once = np.zeros(frequency.size, bool)
    once[np.unique(mirrored, return_index=True)[1]] = True
    filters = np.where(once.reshape(frequency.shape)[..., None], mel_filters(config).numpy()[mirrored], 0)
    filters = np.concatenate([filters, filters], 1)
    return tuple(matrix.astype(np.float32) for matrix in (window.reshape(n, row), outer, inner, filters))
