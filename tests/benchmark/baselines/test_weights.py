"""Packages and weights that baselines need."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from benchmark.baselines.weights import Unavailable, fill, package_file, read_weights


def test_a_package_without_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    assert package_file("numpy", "__init__.py", how="").is_file()
    with pytest.raises(Unavailable, match="needs weights/none.pth of the package numpy"):
        package_file("numpy", "weights", "none.pth", how="pip install numpy")


def test_weights_are_filled_in_whole(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 3).state_dict(), tmp_path / "linear.pth")
    fill(nn.Linear(2, 3), read_weights(tmp_path / "linear.pth"), "x")
    with pytest.raises(ValueError, match="x: expected the weights of Linear"):
        fill(nn.Linear(2, 4), read_weights(tmp_path / "linear.pth"), "x")
