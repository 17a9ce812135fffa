"""Devices: what can be computed on, and one line about what can't."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import byola_hear
from byola_hear.utils.device import usable_device


@pytest.mark.parametrize("device", ["cpu", torch.device("cpu")])
def test_a_cpu_is_usable(device: str | torch.device) -> None:
    assert usable_device(device) == torch.device("cpu")


@pytest.mark.parametrize("device", ["toaster", "cuda:99", "meta", torch.device("meta")])
def test_what_can_not_be_used_is_told_in_a_sentence(device: str | torch.device) -> None:
    with pytest.raises(ValueError, match=f"^device '{device}' can't be used: ") as caught:
        usable_device(device)
    assert "\n" not in str(caught.value) and ". " not in str(caught.value).partition(": ")[2]


def test_embedding_on_such_a_device_is_refused() -> None:
    with pytest.raises(ValueError, match="device 'toaster' can't be used"):
        byola_hear.embed([np.zeros(16000, np.float32)], sample_rate=16000, device="toaster")
