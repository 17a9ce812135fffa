"""An encoder for X-ARES, the eXtensive Audio Representation and Evaluation Suite.

X-ARES imports a file that has one name which ends in ``Encoder``, and calls it without arguments::

    # my_encoder.py
    from byola_hear.leaderboards.xares import ByolaEncoder

The package ``xares`` is not needed here, only to run its tasks.

Source:
    https://github.com/jimbozhang/xares
"""

from __future__ import annotations

import os

import torch
from torch import Tensor, nn

from byola_hear.models.loading import resolve


class ByolaEncoder(nn.Module):
    """Timestamp embeddings in the form that X-ARES asks for.

    Args:
        model: name of a network, path of a checkpoint, or ``hf://`` and a repository.

    Attributes:
        sampling_rate: rate of the audio that it expects, Hz.
        output_dim: dimensions of an embedding.
        hop_size_in_ms: time between two embeddings, ms.

    Example:
        >>> encoder = ByolaEncoder()  # doctest: +SKIP
        >>> encoder(torch.zeros(2, 16000)).shape  # doctest: +SKIP
        torch.Size([2, 25, 3072])
    """

    def __init__(self, model: str | os.PathLike[str] = "both") -> None:
        super().__init__()
        self.model = resolve(model)
        self.sampling_rate = int(self.model.sample_rate)
        self.output_dim = int(self.model.timestamp_embedding_size)
        stride, hop_length = self.model.config.encoder.stride, self.model.config.frontend.hop_length
        self.hop_size_in_ms = 1000 * stride * hop_length / self.sampling_rate

    def forward(self, audio: Tensor) -> Tensor:
        """Embed audio along time.

        Args:
            audio: ``(n_clips, n_samples)`` or ``(n_samples,)`` in [-1, 1] at ``sampling_rate``.

        Returns:
            ``(n_clips, n_timestamps, output_dim)`` float32, on the device of ``audio``.

        Raises:
            ValueError: if the audio has another shape, or values that were never scaled.
        """
        if audio.ndim not in (1, 2):
            raise ValueError(f"expected audio (n_clips, n_samples) or (n_samples,), got {tuple(audio.shape)}")
        with torch.inference_mode():
            embeddings, _ = self.model.timestamp_embeddings(torch.atleast_2d(audio.float()))
        return embeddings.to(audio.device)
