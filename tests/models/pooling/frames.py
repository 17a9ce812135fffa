"""Frame features for the tests of pooling."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor


def cut(frames: Tensor, edges: list[int]) -> list[Tensor]:
    """Pieces between the edges; empty where two edges are equal."""
    places = [0, *sorted(edge % (len(frames) + 1) for edge in edges), len(frames)]
    return [frames[first:last] for first, last in pairwise(places)]


def frames_of(n_frames: int, seed: int, size: int = 3) -> Tensor:
    """Whole numbers, positive and negative, so that sums are exact."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-1000, 1000, (n_frames, size), generator=generator).float()
