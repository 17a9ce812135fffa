from __future__ import annotations

import pytest
import torch

from byola_hear.pretraining.byol.fast_dropout import quick_dropout


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_quick_dropout_is_dropout(dtype: torch.dtype) -> None:
    torch.manual_seed(1)
    x = torch.ones(301, 999, dtype=dtype, requires_grad=True)
    dropped = quick_dropout(x, 0.3)
    assert dropped.dtype == dtype
    assert float((dropped == 0).float().mean()) == pytest.approx(0.3, abs=0.004)
    assert float(dropped.detach().max()) == pytest.approx(1 / 0.7, rel=1e-4 if dtype == torch.float32 else 1e-2)
    # No row, column or place among four neighbours is zero more often than others.
    for zeros in ((dropped == 0).float().mean(dim=axis) for axis in (0, 1)):
        assert float(zeros.std()) < 0.04
    by_place = (dropped == 0).flatten()[: 301 * 999 // 4 * 4].view(-1, 4).float().mean(dim=0)
    assert float((by_place - 0.3).abs().max()) < 0.01
    dropped.sum().backward()
    assert x.grad is not None and torch.equal(x.grad, dropped.detach())
    torch.manual_seed(1)
    assert torch.equal(quick_dropout(x, 0.3), dropped)
    assert torch.equal(quick_dropout(x, 0.0), x)


def test_signs_and_layouts_stay() -> None:
    x = torch.randn(7, 11, 5).transpose(0, 1)
    dropped = quick_dropout(x, 0.5)
    kept = dropped != 0
    assert 0.3 < float(kept.float().mean()) < 0.7
    assert torch.equal(dropped[kept], 2 * x[kept])
