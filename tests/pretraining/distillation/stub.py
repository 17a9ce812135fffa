"""A teacher with HEAR's functions: the level and the number of zero crossings."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

#: Shapes of what the teacher got.
heard: list[tuple[int, ...]] = []


@dataclass
class Model:
    sample_rate: int = 8000
    scene_embedding_size: int = 2
    timestamp_embedding_size: int = 2


def load_model(model_file_path: str = "") -> Model:
    if model_file_path == "missing":
        raise RuntimeError("needs the package gone")
    return Model()


def get_scene_embeddings(audio: Tensor, model: Model) -> Tensor:
    heard.append(tuple(audio.shape))
    level = audio.square().mean(dim=1).add(1e-8).log()
    crossings = (audio[:, 1:] * audio[:, :-1] < 0).float().sum(dim=1) / 100
    return torch.stack([level, crossings], dim=1)
