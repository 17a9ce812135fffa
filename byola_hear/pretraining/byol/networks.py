"""Bootstrap your own latent: an online network learns to predict a slowly moving copy of itself.

Source:
    Grill et al., Bootstrap Your Own Latent (arXiv 2006.07733); for audio Niizumi et al. (arXiv 2103.06695).
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional

from byola_hear.models.encoders.convolutional import Encoder
from byola_hear.models.encoders.protocol import FrameEncoder
from byola_hear.models.pooling.combination import MAX_MEAN, pooled
from byola_hear.pretraining.byol.fast_block import training_features


def clip_embeddings(encoder: FrameEncoder, view: Tensor) -> Tensor:
    """Compute clip embeddings in training mode.

    Args:
        encoder: the network, in training mode.
        view: ``(batch, 1, n_mels, n_frames)`` normalised log-mel.

    Returns:
        ``(batch, feature_size)``.
    """
    if isinstance(encoder, Encoder) and view.device.type == "cpu":
        return pooled(training_features(encoder, view), MAX_MEAN)  # the same features, sooner
    return pooled(encoder(view), MAX_MEAN)


def projection_head(input_size: int, hidden_size: int = 4096, output_size: int = 256) -> nn.Sequential:
    """Projector and predictor alike: linear, batch norm, ReLU, linear."""
    return nn.Sequential(
        nn.Linear(input_size, hidden_size),
        nn.BatchNorm1d(hidden_size),
        nn.ReLU(),
        nn.Linear(hidden_size, output_size),
    )


def byol_loss(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean of 2 − 2·cos(prediction, target) over the batch; both ``(batch, size)``. In [0, 4].

    Example:
        >>> byol_loss(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]))
        tensor(2.)
    """
    return (2 - 2 * functional.cosine_similarity(prediction.float(), target.float(), dim=-1)).mean()


def embedding_spread(embeddings: Tensor) -> float:
    """How far a batch of embeddings spreads over the sphere: 0 when all are the same, 1 when they spread evenly.

    The standard deviation over the batch of the normalised embeddings, averaged over dimensions and multiplied by
    the root of their number. A training that collapses shows here first.

    Args:
        embeddings: ``(batch, size)``, a batch of at least two.

    Example:
        >>> embedding_spread(torch.ones(8, 256))
        0.0
    """
    directions = functional.normalize(embeddings.float(), dim=-1)
    return float(directions.std(dim=0).mean() * directions.shape[-1] ** 0.5)


class OnlineNetwork(nn.Module):
    """Encoder, projector and predictor: what the gradient trains.

    Shape:
        - input ``(batch, 1, n_mels, time)`` normalised log-mel
        - output ``(batch, output_size)``
    """

    def __init__(self, encoder: FrameEncoder, hidden_size: int = 4096, output_size: int = 256) -> None:
        super().__init__()
        self.encoder = encoder
        self.projector = projection_head(encoder.config.feature_size, hidden_size, output_size)
        self.predictor = projection_head(output_size, hidden_size, output_size)

    def forward(self, view: Tensor) -> Tensor:
        return self.predictor(self.projector(clip_embeddings(self.encoder, view)))


class TargetNetwork(nn.Module):
    """Encoder and projector that follow the online network as an exponential moving average.

    Shape:
        - input ``(batch, 1, n_mels, time)`` normalised log-mel
        - output ``(batch, output_size)``
    """

    def __init__(self, online: OnlineNetwork) -> None:
        super().__init__()
        self.encoder = copy.deepcopy(online.encoder)
        self.projector = copy.deepcopy(online.projector)
        self.requires_grad_(False)

    def forward(self, view: Tensor) -> Tensor:
        return self.projector(clip_embeddings(self.encoder, view))

    @torch.no_grad()
    def follow(self, online: OnlineNetwork, decay: float) -> None:
        """Move every parameter towards the online network's: ``decay`` of the old, ``1 - decay`` of the new."""
        new = (*online.encoder.parameters(), *online.projector.parameters())
        torch._foreach_lerp_(tuple(self.parameters()), new, 1 - decay)
