"""What the package expects of an encoder, which turns normalised log-mels into frame features.

A kind of encoder has three parts: a configuration (:class:`EncoderShape`), a trainable network (:class:`FrameEncoder`)
and a fast form of it for inference (:class:`InferenceEncoder`). To add a kind, write one file in this folder and one
entry in :data:`byola_hear.models.encoders.registry.KINDS`. Configurations, checkpoints, chunking, embeddings, tables
and model cards then work with it.
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn


class EncoderShape(Protocol):
    """An encoder's configuration: a frozen dataclass whose fields are plain JSON values.

    Clips are computed in segments, and the result must not depend on where the cuts are. Two properties say what a
    frame feature may depend on: ``overlap`` frame features on each side of a segment are computed as context and thrown
    away, and segments begin at multiples of ``block``, counted from the clip's start. ``overlap`` must be a multiple of
    ``block``.
    """

    #: The kind's name in a checkpoint's header.
    kind: ClassVar[str]

    @property
    def n_mels(self) -> int:
        """Number of mel bands of the input."""

    @property
    def stride(self) -> int:
        """Log-mel frames per frame feature."""

    @property
    def overlap(self) -> int:
        """Frame features of context that a segment needs on each side."""

    @property
    def block(self) -> int:
        """Frame features that see each other and nothing else; 1 if there are no such blocks."""

    @property
    def feature_size(self) -> int:
        """Dimensions of a frame feature."""

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON values, without ``kind``."""


class FrameEncoder(nn.Module):
    """Base class of the trainable networks.

    ``state_dict()`` must hold every tensor that the network needs: checkpoints store nothing else. Constants are
    computed in ``forward``, not kept in non-persistent buffers.

    Shape:
        - input ``(batch, 1, n_mels, n_frames)`` normalised log-mel, lengths ``(batch,)`` or None
        - output ``(batch, ceil(n_frames / stride), feature_size)``
    """

    config: EncoderShape

    def forward(self, log_mel: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Compute frame features.

        Args:
            log_mel: ``(batch, 1, n_mels, n_frames)`` normalised log-mel.
            lengths: ``(batch,)`` true number of log-mel frames of each clip; None if no clip is padded. Frame features
                beyond ``ceil(length / stride)`` are meaningless.

        Returns:
            ``(batch, ceil(n_frames / stride), feature_size)``.
        """
        raise NotImplementedError


class InferenceEncoder(Protocol):
    """A frozen, fast form of a network in evaluation mode. It records no gradients and is made anew for each call.

    The work is split in two. :meth:`in_context` runs on segments of equal length and includes the context; the context
    is then cut off, and :meth:`per_frame` runs on the remaining frames of all segments at once.
    """

    @property
    def device(self) -> torch.device:
        """Where the weights are."""

    def in_context(self, frames: Tensor) -> Tensor:
        """Compute the part of the network that sees several frame features.

        Args:
            frames: ``(batch, n_frames, n_mels)`` float32 normalised log-mel, time first. The first frame begins a
                block.

        Returns:
            ``(batch, ceil(n_frames / stride), hidden_size)``.
        """

    def per_frame(self, hidden: Tensor) -> Tensor:
        """Compute the part of the network that sees one frame feature at a time.

        Args:
            hidden: ``(n, hidden_size)`` from :meth:`in_context`.

        Returns:
            ``(n, feature_size)``.
        """


def check_log_mel(log_mel: Tensor, n_mels: int) -> None:
    """Check the input of a network.

    Args:
        log_mel: what should be ``(batch, 1, n_mels, n_frames)``.
        n_mels: number of mel bands.

    Raises:
        ValueError: if it has another shape.
    """
    if log_mel.ndim != 4 or log_mel.shape[1] != 1 or log_mel.shape[2] != n_mels:
        raise ValueError(f"expected log-mels of shape (batch, 1, {n_mels}, n_frames), got {tuple(log_mel.shape)}")
