"""heareval's embeddings, standardised by the training part of each fit, and no other part."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from benchmark.evaluation.standardised import standardise_heareval


class Dataset:
    """What heareval's SplitMemmapDataset has of embeddings, in memory or not."""

    def __init__(self, embedding_path: Path, split_name: str, in_memory: bool) -> None:
        self.embedding_path = embedding_path
        shape = json.loads((embedding_path / f"{split_name}.embedding-dimensions.json").read_text())
        self.embeddings: Any = np.memmap(
            embedding_path / f"{split_name}.embeddings.npy", np.float32, "r", shape=tuple(shape)
        )
        if in_memory:
            self.embeddings = torch.tensor(np.array(self.embeddings))


def heareval_with(datasets: Sequence[tuple[str, bool]]) -> Any:
    """A module whose fits load some splits, and return their embeddings."""
    module: Any = SimpleNamespace(SplitMemmapDataset=Dataset)

    def load(embedding_path: Path, data_splits: dict[str, Sequence[str]]) -> list[torch.Tensor]:
        return [module.SplitMemmapDataset(embedding_path, split, in_memory).embeddings for split, in_memory in datasets]

    module.task_predictions_train = module.task_predictions_test = load
    return module


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for number, split in enumerate("abc"):
        values = (rng.normal(size=(5000, 3)) * [1, 1e5, 0] + [0, 1e3, 7 + number]).astype(np.float32)
        (tmp_path / f"{split}.embedding-dimensions.json").write_text(json.dumps(values.shape))
        values.tofile(tmp_path / f"{split}.embeddings.npy")
    return tmp_path


@pytest.mark.parametrize("in_memory", [True, False])
def test_each_fit_has_the_scales_of_its_own_training_part(folder: Path, in_memory: bool) -> None:
    module = heareval_with([("a", in_memory), ("c", in_memory)])
    standardise_heareval(module)
    raw = {split: np.fromfile(folder / f"{split}.embeddings.npy", np.float32).reshape(-1, 3) for split in "abc"}
    for train in (["a"], ["b"], ["a", "b"]):
        known = np.concatenate([raw[split] for split in train]).astype(float)
        found = module.task_predictions_train(folder, data_splits={"train": train, "valid": ["c"], "test": ["c"]})
        for split, values in zip("ac", found):
            limits = known.min(0) - known.std(0), known.max(0) + known.std(0)
            wanted = (np.clip(raw[split], *limits) - known.mean(0))[:, :2] / known.std(0)[:2]
            np.testing.assert_allclose(values.numpy()[:, :2], wanted, rtol=1e-4, atol=1e-4)
    # What is tested never moves the scales.
    again = module.task_predictions_test(folder, data_splits={"train": ["a"], "valid": ["b"], "test": ["c"]})
    assert abs(float(again[0][:, 1].mean())) < 1e-3 and float(again[0][:, 1].std()) == pytest.approx(1, rel=1e-3)
    assert not again[1][:, 2].any()  # constant where it was trained, so it says nothing


def test_files_stay_as_they_are(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    module = heareval_with([("a", True)])
    standardise_heareval(module)
    module.task_predictions_train(folder, data_splits={"train": ["b"], "valid": ["a"], "test": ["a"]})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
