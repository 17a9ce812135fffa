"""Devices: what can be computed on, and one line about what can't."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import byola_hear
from byola_hear.finetuning.network import Head
from byola_hear.models.encoders.folded import fold_batch_norm
from byola_hear.models.pooling.clip import ClipPool
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


class OnApple(Tensor):
    """A tensor as on an Apple GPU, which has no float64."""

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        return torch.device("mps")

    def double(self) -> Tensor:
        raise TypeError("Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64.")

    def cpu(self) -> Tensor:  # type: ignore[override]
        return self.as_subclass(Tensor)


def on_apple(module: nn.Module) -> Any:
    """What a module holds, on an Apple GPU."""
    held = {name: value.detach().as_subclass(OnApple) for name, value in module.state_dict().items()}
    return SimpleNamespace(**{**vars(module), **held})


def test_nothing_is_computed_in_float64_on_a_device_without_it() -> None:
    random = torch.Generator().manual_seed(0)
    convolution, norm = nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)
    norm.running_mean, norm.running_var = torch.rand(2, 4, generator=random) + 0.5
    folded = fold_batch_norm(on_apple(convolution), on_apple(norm))
    for found, expected in zip(folded, fold_batch_norm(convolution, norm), strict=True):
        assert torch.equal(found.as_subclass(Tensor), expected)
    features = torch.rand(50, 8, generator=random)
    results = []
    for each in (features, features.as_subclass(OnApple)):
        pool = ClipPool("max+mean")
        pool.add(each)
        results.append(pool.result().as_subclass(Tensor))
    assert torch.equal(*results)
    numbers = {"weight": features, "bias": features[:, 0], "low": features[0], "high": features[1]}
    head = {**numbers, "mean": features[2], "scale": features[3]}
    plain, apples = (
        Head.folded(SimpleNamespace(**{name: value.as_subclass(kind) for name, value in head.items()}))  # type: ignore[arg-type]
        for kind in (Tensor, OnApple)
    )
    assert np.array_equal(plain.weight, apples.weight) and np.array_equal(plain.bias, apples.bias)
