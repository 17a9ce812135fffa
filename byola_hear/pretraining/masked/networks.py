"""The networks of masked prediction: a student that sees spans of a crop, a decoder, and the target.

The student encodes the visible spans and nothing else, which saves most of its work. A small decoder gets its output
and predicts, for the hidden spans, the frame features that the target network computes of the whole crop.

Source:
    Baevski et al., data2vec 2.0 (arXiv 2212.07525); Niizumi et al., M2D (arXiv 2406.02032); the layout of student and
    decoder: He et al., Masked autoencoders (arXiv 2111.06377).
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from byola_hear.models.encoders.attention import TransformerLayer, initialise, rotations
from byola_hear.models.encoders.protocol import FrameEncoder
from byola_hear.models.encoders.transformer import Transformer, normalised
from byola_hear.pretraining.byol.networks import training_frames
from byola_hear.pretraining.masked.masks import MaskConfig, features_of_spans


def visible_features(encoder: FrameEncoder, crops: Tensor, visible: Tensor, span: int) -> Tensor:
    """Encode the visible spans of crops.

    A transformer's tokens see all visible tokens, at their true positions. Other encoders get each span as a clip by
    itself: they compute neighbouring frames together, and would see hidden ones or silence in their place.

    Args:
        encoder: the network, in training mode.
        crops: ``(batch, 1, n_mels, n_frames)`` normalised log-mel.
        visible: ``(batch * masks, n_visible)`` numbers of the visible spans, all masks of a crop in turn.
        span: frame features in a span.

    Returns:
        ``(batch * masks, n_visible * span, size)``: of a transformer the output of its last layer, of other encoders
        frame features.
    """
    n_masks, n_visible = visible.shape
    crop = torch.arange(n_masks, device=crops.device) // (n_masks // len(crops))
    if isinstance(encoder, Transformer):
        tokens = encoder.tokens(crops[:, 0].transpose(1, 2)).unflatten(1, (-1, span))
        seen = tokens[crop[:, None], visible].flatten(1, 2)
        for output in encoder.outputs(seen, features_of_spans(visible, span)):
            seen = output
        return normalised(seen)
    pieces = crops.unflatten(3, (-1, span * encoder.config.stride)).permute(0, 3, 1, 2, 4)
    features = training_frames(encoder, pieces[crop[:, None], visible].flatten(0, 1))
    return features.unflatten(0, (n_masks, n_visible)).flatten(1, 2)


class Decoder(nn.Module):
    """Fills in what is hidden from visible frame features: a few narrow transformer layers.

    Args:
        size: dimensions of a frame feature.
        wanted: dimensions of what is predicted for each hidden frame feature.
        config: its width and depth.
    """

    def __init__(self, size: int, wanted: int, config: MaskConfig) -> None:
        super().__init__()
        width = config.decoder_width
        self.head_size = width // config.decoder_heads
        self.entry = nn.Linear(size, width)
        self.unknown = nn.Parameter(0.02 * torch.randn(width))
        layers = (TransformerLayer(width, config.decoder_heads) for _ in range(config.decoder_layers))
        self.layers = nn.ModuleList(layers)
        self.norm = nn.LayerNorm(width)
        self.exit = nn.Linear(width, wanted)
        initialise(self)

    def forward(self, features: Tensor, visible: Tensor, hidden: Tensor) -> Tensor:
        """Predict the targets of hidden frame features.

        Args:
            features: ``(n_masks, n_visible, size)``.
            visible: ``(n_masks, n_visible)`` their numbers.
            hidden: ``(n_masks, n_hidden)`` numbers of the features to predict.

        Returns:
            ``(n_masks, n_hidden, wanted)``.
        """
        known = self.entry(features)
        unknown = self.unknown.to(known.dtype).expand(*hidden.shape, -1)
        x = torch.cat([known, unknown], dim=1)
        cosine, sine = rotations(torch.cat([visible, hidden], dim=1), self.head_size)
        for layer in self.layers:
            x = layer(x, (cosine[:, None], sine[:, None]))
        return self.exit(self.norm(x[:, visible.shape[1] :]))


class Student(nn.Module):
    """Encoder and decoder, which are trained by gradients.

    Shape:
        - input: crops ``(batch, 1, n_mels, n_frames)``, numbers of the visible and of the hidden spans
        - output: predicted :func:`targets` of the hidden spans, ``(batch * masks, n_hidden * span, 2 * feature_size)``
    """

    def __init__(self, encoder: FrameEncoder, config: MaskConfig) -> None:
        super().__init__()
        self.encoder = encoder
        self.span = config.span
        size = encoder.config.feature_size
        seen = encoder.config.width if isinstance(encoder, Transformer) else size
        self.decoder = Decoder(seen, 2 * size, config)

    def forward(self, crops: Tensor, visible: Tensor, hidden: Tensor) -> Tensor:
        features = visible_features(self.encoder, crops, visible, self.span)
        numbers = (features_of_spans(spans, self.span) for spans in (visible, hidden))
        return self.decoder(features, *numbers)


class Teacher(nn.Module):
    """The target: an encoder that follows the student's as an exponential moving average.

    Shape:
        - input ``(batch, 1, n_mels, n_frames)`` normalised log-mel
        - output ``(batch, n_frames / stride, feature_size)``
    """

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.encoder = copy.deepcopy(student.encoder)
        self.requires_grad_(False)

    def forward(self, crops: Tensor) -> Tensor:
        return training_frames(self.encoder, crops)


def standardised(x: Tensor, dim: int) -> Tensor:
    """Give ``x`` a mean of 0 and a variance of 1 along a dimension."""
    variance, mean = torch.var_mean(x, dim=dim, keepdim=True, correction=0)
    return (x - mean) * (variance + 1e-5).rsqrt()


def targets(features: Tensor) -> Tensor:
    """What is predicted of the target's frame features: how they change within a crop, and what the crop is like.

    The first half is the frame features, each dimension standardised over the frames of its crop. It says nothing of
    what all frames of a crop have in common. The second half is that: their mean, each dimension standardised over the
    crops of the batch. Both halves weigh the same. Constant features, to which training could collapse, cannot be
    predicted better than others.

    Args:
        features: ``(batch, n, size)``.

    Returns:
        ``(batch, n, 2 * size)`` float32.

    Source:
        Standardised over time: Baevski et al., data2vec (arXiv 2202.03555); clip and frames together: Chen et al., EAT
        (arXiv 2401.03497).
    """
    features = features.float()
    crops = standardised(features.mean(dim=1), dim=0)
    return torch.cat([standardised(features, dim=1), crops[:, None].expand_as(features)], dim=-1)
