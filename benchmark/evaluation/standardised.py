"""Let heareval train and test its probes on embeddings that are standardised by the training part of each fit."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmark.probes.standardising import Standardiser


def stored_embeddings(folder: Path, split: str) -> np.ndarray:
    """heareval's array of a split's embeddings, ``(n_embeddings, n_features)``, on disk."""
    shape = tuple(json.loads((folder / f"{split}.embedding-dimensions.json").read_text(encoding="utf-8")))
    return np.memmap(folder / f"{split}.embeddings.npy", np.float32, "r", shape=shape)


def standardise_heareval(module: Any = None) -> None:
    """Make heareval standardise in this process. Embeddings on disk stay as they are.

    Each fit has its own statistics: with folds, those of the folds that it trains on. Its validation and test parts are
    scaled by them.

    Args:
        module: ``heareval.predictions.task_predictions``; imported if None.
    """
    module = importlib.import_module("heareval.predictions.task_predictions") if module is None else module
    trained_on: list[Sequence[str]] = []
    known: dict[tuple[Path, tuple[str, ...]], Standardiser] = {}

    def standardiser(folder: Path) -> Standardiser:
        splits = tuple(trained_on[-1])
        if (folder, splits) not in known:
            known.clear()  # one at a time is enough, since fits do not alternate
            known[folder, splits] = Standardiser.of_parts([stored_embeddings(folder, split) for split in splits])
        return known[folder, splits]

    class StandardisedDataset(module.SplitMemmapDataset):
        embeddings: Any  # in memory, or mapped from disk

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.embeddings = standardiser(Path(self.embedding_path))(torch.as_tensor(np.array(self.embeddings)))

    def noting_its_splits(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def wrapped(*args: Any, data_splits: dict[str, Sequence[str]], **options: Any) -> Any:
            trained_on.append(data_splits["train"])
            return function(*args, data_splits=data_splits, **options)

        return wrapped

    module.SplitMemmapDataset = StandardisedDataset
    for name in ("task_predictions_train", "task_predictions_test"):
        setattr(module, name, noting_its_splits(getattr(module, name)))
