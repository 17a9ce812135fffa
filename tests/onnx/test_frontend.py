"""The front end's matrix products against the front end itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from byola_hear.models.frontend import log_mel
from byola_hear.onnx.frontend import fourier
from tests.onnx.models import SHAPES


@pytest.mark.parametrize("shape", SHAPES)
def test_the_fourier_transform_is_the_front_ends(shape: str) -> None:
    config = SHAPES[shape][0]
    row = np.gcd(config.n_fft, config.hop_length)
    columns, outer, inner, filters = (matrix.astype(np.float64) for matrix in fourier(config, int(row)))
    waveform = torch.rand(5 * config.hop_length, generator=torch.Generator().manual_seed(1)) - 0.5
    expected = log_mel(waveform, config)[:, 2].numpy()
    start = 2 * config.hop_length - config.n_fft // 2
    index = np.abs(np.arange(start, start + config.n_fft))  # reflected at the beginning
    frame = waveform.numpy()[np.minimum(index, 2 * (len(waveform) - 1) - index)].reshape(-1, row) * columns
    half_done = (outer @ frame).reshape(len(inner), 1, -1)
    np.testing.assert_allclose(
        np.log(((half_done @ inner) ** 2 @ filters).sum((0, 1)) + torch.finfo(torch.float32).eps), expected, atol=2e-5
    )
