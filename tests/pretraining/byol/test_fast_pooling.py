from __future__ import annotations

import pytest
import torch

from byola_hear.models.pooling.combination import pooled
from byola_hear.pretraining.byol import fast_pooling
from byola_hear.pretraining.byol.fast_pooling import maximum_plus_mean


@pytest.mark.parametrize("piece", [1, 700, 2**18])
@pytest.mark.parametrize("n_frames", [1, 6])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_values_and_gradients_are_the_plain_ones(
    monkeypatch: pytest.MonkeyPatch, piece: int, n_frames: int, dtype: torch.dtype
) -> None:
    monkeypatch.setattr(fast_pooling, "PIECE", piece)
    # Few different values, so that some maxima are reached more than once.
    inputs = (torch.randn(5, n_frames, 50, generator=torch.Generator().manual_seed(0)) * 3).round() / 3
    direction = torch.randn(5, 50, generator=torch.Generator().manual_seed(1)).to(dtype)
    found = []
    for pool in (lambda features: pooled(features, "max+mean"), maximum_plus_mean):
        leaf = inputs.to(dtype).requires_grad_()
        output = pool(leaf.relu())
        output.backward(direction)
        assert leaf.grad is not None
        found.append((output, leaf.grad))
    (expected, gradient), (actual, of_fast) = found
    assert actual.dtype == dtype and of_fast.count_nonzero() > 0
    assert torch.equal(actual, expected)
    tolerance = 1e-6 if dtype == torch.float32 else 0.01
    torch.testing.assert_close(of_fast, gradient, atol=tolerance, rtol=tolerance)


def test_nothing_is_computed_for_inputs_without_gradients() -> None:
    with torch.no_grad():
        assert torch.equal(maximum_plus_mean(torch.ones(2, 3, 4)), torch.full((2, 4), 2.0))
