"""The precision in which a device is faster."""

from __future__ import annotations

import time

import pytest
import torch
from torch.nn import functional

from byola_hear.training import precision
from byola_hear.training.precision import precision_for


@pytest.mark.parametrize("faster", [torch.float32, torch.bfloat16])
def test_the_faster_precision_is_measured(faster: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 0.0

    def linear(x: torch.Tensor, weight: torch.Tensor) -> None:
        nonlocal clock
        clock += 1.0 if x.dtype == faster else 2.0

    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    monkeypatch.setattr(functional, "linear", linear)
    monkeypatch.setattr(time, "thread_time", lambda: clock)
    precision._cpu_is_faster_in_bfloat16.cache_clear()
    chosen = precision_for("auto", torch.device("cpu"))
    precision._cpu_is_faster_in_bfloat16.cache_clear()
    assert chosen == (None if faster == torch.float32 else torch.bfloat16)


def test_precision_names_are_checked() -> None:
    cpu = torch.device("cpu")
    assert precision_for("float32", cpu) is None
    assert precision_for("bfloat16", cpu) is torch.bfloat16
    with pytest.raises(ValueError, match="float16"):
        precision_for("float16", cpu)
