"""BYOL: an online network learns to predict what a slowly moving copy of itself makes of another view.

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
from byola_hear.models.encoders.transformer import Transformer
from byola_hear.models.pooling.combination import MAX_MEAN, pooled
from byola_hear.pretraining.byol.fast_block import training_features
from byola_hear.pretraining.byol.fast_pooling import maximum_plus_mean


def training_frames(encoder: FrameEncoder, view: Tensor) -> Tensor:
    """Compute frame features in training mode.

    Args:
        encoder: the network, in training mode.
        view: ``(batch, 1, n_mels, n_frames)`` normalised log-mel, ``n_frames`` a multiple of the encoder's stride.

    Returns:
        ``(batch, n_frames / stride, feature_size)``.
    """
    if isinstance(encoder, Encoder) and view.device.type == "cpu":
        return torch.cat(training_features(encoder, view), dim=-1)  # the same values, faster
    return encoder(view)


def clip_embeddings(encoder: FrameEncoder, *views: Tensor) -> Tensor:
    """Compute clip embeddings in training mode. Batch norms take their statistics from each view by itself.

    Args:
        encoder: the network, in training mode.
        *views: ``(batch, 1, n_mels, n_frames)`` normalised log-mel.

    Returns:
        ``(views * batch, feature_size)``, those of the first view first.
    """
    if isinstance(encoder, Transformer):
        return pooled(encoder(torch.cat(views)), MAX_MEAN)  # without batch norms
    if isinstance(encoder, Encoder) and views[0].device.type == "cpu":
        # The same values, faster.
        return torch.cat([maximum_plus_mean(part) for part in training_features(encoder, *views)], dim=-1)
    return torch.cat([pooled(encoder(view), MAX_MEAN) for view in views])


def projection_head(input_size: int, hidden_size: int = 4096, output_size: int = 256) -> nn.Sequential:
    """Make a projector or a predictor: linear, batch norm, ReLU, linear."""
    return nn.Sequential(
        nn.Linear(input_size, hidden_size),
        nn.BatchNorm1d(hidden_size),
        nn.ReLU(),
        nn.Linear(hidden_size, output_size),
    )


def projected(head: nn.Sequential, x: Tensor, n_views: int) -> Tensor:
    """Apply a projector or a predictor to all views together, and its batch norm to each view by itself.

    Args:
        head: from :func:`projection_head`.
        x: ``(n_views * batch, input_size)``.
        n_views: number of views.

    Returns:
        ``(n_views * batch, output_size)``.
    """
    for layer in head:
        # A large matrix is read once for all views.
        apart = n_views > 1 and isinstance(layer, nn.modules.batchnorm._BatchNorm)
        x = torch.cat([layer(view) for view in x.chunk(n_views)]) if apart else layer(x)
    return x


def byol_loss(prediction: Tensor, target: Tensor) -> Tensor:
    """The mean of 2 − 2·cos(prediction, target) over the batch, in [0, 4].

    Args:
        prediction: ``(batch, size)``.
        target: ``(batch, size)``.

    Example:
        >>> import torch
        >>> byol_loss(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]]))
        tensor(2.)
    """
    return (2 - 2 * functional.cosine_similarity(prediction.float(), target.float(), dim=-1)).mean()


def embedding_std(embeddings: Tensor) -> float:
    """The standard deviation of embeddings on the unit sphere: 0 if all are equal, 1 if they are spread evenly.

    It is taken over the batch, averaged over the dimensions, and multiplied by the root of their number. A falling
    value is the first sign that training collapses.

    Args:
        embeddings: ``(batch, size)``, at least two. They are normalised first.

    Example:
        >>> import torch
        >>> embedding_std(torch.ones(8, 256))
        0.0
    """
    directions = functional.normalize(embeddings.float(), dim=-1)
    return float(directions.std(dim=0).mean() * directions.shape[-1] ** 0.5)


def set_momentum(network: nn.Module, momentum: float) -> None:
    """Set the share of a batch in the running statistics of every batch norm of a network."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = momentum


class OnlineNetwork(nn.Module):
    """Encoder, projector and predictor, which are trained by gradients.

    Shape:
        - input one or several views, ``(batch, 1, n_mels, time)`` normalised log-mel
        - output ``(views * batch, output_size)``
    """

    def __init__(self, encoder: FrameEncoder, hidden_size: int = 4096, output_size: int = 256) -> None:
        super().__init__()
        self.encoder = encoder
        self.projector = projection_head(encoder.config.feature_size, hidden_size, output_size)
        self.predictor = projection_head(output_size, hidden_size, output_size)

    def forward(self, *views: Tensor) -> Tensor:
        projections = projected(self.projector, clip_embeddings(self.encoder, *views), len(views))
        return projected(self.predictor, projections, len(views))


class TargetNetwork(nn.Module):
    """Encoder and projector, which follow the online network as an exponential moving average.

    Shape:
        - input one or several views, ``(batch, 1, n_mels, time)`` normalised log-mel
        - output ``(views * batch, output_size)``
    """

    def __init__(self, online: OnlineNetwork) -> None:
        super().__init__()
        self.encoder = copy.deepcopy(online.encoder)
        self.projector = copy.deepcopy(online.projector)
        self.requires_grad_(False)

    def forward(self, *views: Tensor) -> Tensor:
        return projected(self.projector, clip_embeddings(self.encoder, *views), len(views))
