"""Baselines whose packages and weights are available, and input for them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from benchmark.baselines import baseline
from benchmark.baselines.contract import Baseline
from benchmark.baselines.weights import Unavailable


def noise(n_samples: int) -> Tensor:
    """``(n_samples,)``, the same at every call."""
    return 0.1 * torch.randn(n_samples, generator=torch.Generator().manual_seed(n_samples))


def available(name: str) -> Baseline:
    """A baseline; the test is skipped if it is not available."""
    try:
        model: Baseline = baseline(name).load_model()
    except Unavailable as error:
        pytest.skip(str(error))
    return model
