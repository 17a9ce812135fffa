"""Distillation as a method of training.

The student predicts the directions of its teachers' standardised vectors, by a linear layer for each teacher, so the
teachers' sizes and scales do not matter.

Source:
    S-SONDO (arXiv 2604.24933) and USAD (arXiv 2506.18843) teach audio encoders by embeddings of several networks.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from byola_hear.models.encoders.protocol import FrameEncoder
from byola_hear.models.encoders.registry import build_encoder
from byola_hear.pretraining.byol.networks import clip_embeddings
from byola_hear.pretraining.training.method import Method, Precision, Prepared
from byola_hear.pretraining.training.recipe import Recipe


class Student(nn.Module):
    """An encoder, and a linear layer for each teacher.

    Args:
        encoder: the encoder.
        sizes: dimensions of each teacher's vectors, by its name.

    Shape:
        - input ``(batch, 1, n_mels, time)`` normalised log-mel
        - output ``(batch, sum of the sizes)``
    """

    def __init__(self, encoder: FrameEncoder, sizes: Mapping[str, int]) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.config.feature_size, sum(sizes.values()))

    def forward(self, crops: Tensor) -> Tensor:
        predicted: Tensor = self.head(clip_embeddings(self.encoder, crops))
        return predicted


def distillation_loss(predicted: Tensor, wanted: Tensor, there: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """The mean over teachers and crops of 1 − cos(prediction, vector).

    Args:
        predicted: ``(batch, sum of sizes)``.
        wanted: ``(batch, sum of sizes)`` the teachers' standardised vectors.
        there: ``(batch, n_teachers)`` 1 where a teacher teaches a crop, else 0.
        sizes: dimensions of each teacher's vectors.

    Returns:
        A scalar in [0, 2]. A teacher counts as often as it teaches a crop of the batch.

    Example:
        >>> vectors = torch.tensor([[1.0, 0.0, 0.0, 2.0]])
        >>> distillation_loss(vectors, vectors, torch.tensor([[1.0, 1.0]]), (2, 2))
        tensor(0.)
    """
    pairs = zip(predicted.float().split(sizes, dim=1), wanted.split(sizes, dim=1))
    cosines = torch.stack([functional.cosine_similarity(first, second, dim=1) for first, second in pairs], dim=1)
    return ((1 - cosines) * there).sum() / there.sum().clamp(min=1)


class Distillation(Method):
    """The student predicts the teachers' vectors of a crop. There is no network that follows it."""

    def __init__(self, recipe: Recipe) -> None:
        self.sizes = {name: int(facts["size"]) for name, facts in recipe.teachers.items()}
        self.online = Student(build_encoder(recipe.encoder), self.sizes)
        self.target = nn.Module()

    def prepare(self, crops: Tensor, memory: Tensor, generator: torch.Generator, precision: Precision) -> Prepared:
        """Prepare a step: see :class:`Method`.

        Args:
            crops: ``(batch, 1, n_mels, n_frames)`` normalised log-mel.
            memory: ``(batch, n_teachers + sum of sizes)`` which teachers teach each crop, and their vectors.
            generator: not used.
            precision: not used; no other network computes.

        Returns:
            The forward and backward pass. What the student predicts is its embeddings: the teachers' vectors can't
            show that it collapses.
        """
        there, wanted = memory.split([len(self.sizes), memory.shape[1] - len(self.sizes)], dim=1)
        sizes = tuple(self.sizes.values())
        views = crops.contiguous(memory_format=torch.channels_last)
        return Prepared((views,), partial(distillation_loss, wanted=wanted, there=there, sizes=sizes), None)
