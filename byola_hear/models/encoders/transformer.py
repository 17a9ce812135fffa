"""The transformer encoder: a token for every 40 ms of log-mel, and attention within blocks of fixed length.

The log-mel frames of a clip are cut into tokens of four, and the tokens into blocks of some seconds, counted from the
clip's start. A token sees its block and nothing else, so neither the cuts of a long clip nor the other clips of a batch
change anything. Only the last block of a clip may be shorter. If the last token is incomplete, the missing log-mel
frames are zero, which is the mean of the training audio.

A frame feature is made of the outputs of several layers, one after the other or averaged. Each is normalised first, so
that all count alike: later layers have larger outputs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from byola_hear.models.encoders.attention import TransformerLayer, initialise, rotations
from byola_hear.models.encoders.convolutional import mask_time
from byola_hear.models.encoders.protocol import FrameEncoder, check_log_mel

#: How the outputs of several layers make a frame feature.
CONCATENATE, AVERAGE = COMBINATIONS = ("concatenate", "average")


@dataclass(frozen=True)
class TransformerConfig:
    """The shape of a transformer encoder.

    Attributes:
        n_mels: number of mel bands of the input.
        stride: log-mel frames per token.
        width: dimensions of a token.
        n_layers: number of layers.
        n_heads: heads of each attention; ``width / n_heads`` is even.
        context: tokens in a block.
        taken: numbers of the layers, from 1, whose outputs make a frame feature; empty for all layers.
        combine: how they make it: ``"concatenate"`` or ``"average"``.

    Raises:
        ValueError: if a value is not allowed.

    Example:
        >>> config = TransformerConfig(taken=[4, 5, 6])
        >>> config.feature_size, config.block, config.layers
        (576, 100, (4, 5, 6))
        >>> TransformerConfig(combine="average").feature_size
        192
    """

    kind: ClassVar[str] = "transformer"

    n_mels: int = 64
    stride: int = 4
    width: int = 192
    n_layers: int = 6
    n_heads: int = 3
    context: int = 100
    taken: tuple[int, ...] = ()
    combine: str = CONCATENATE

    def __post_init__(self) -> None:
        for name in ("n_mels", "stride", "width", "n_layers", "n_heads", "context"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ValueError(f"{name} must be a positive integer, got {value!r}")
        if self.width % (2 * self.n_heads):
            raise ValueError(
                f"width must be a multiple of 2 * n_heads = {2 * self.n_heads}, as pairs of a head's dimensions are "
                f"rotated, got {self.width}"
            )
        if not isinstance(self.taken, (tuple, list)):
            raise ValueError(f"taken must be a list of layers' numbers, got {self.taken!r}")
        taken = tuple(self.taken)
        if any(type(number) is not int or not 1 <= number <= self.n_layers for number in taken):
            raise ValueError(f"taken must be layers from 1 to {self.n_layers}, got {list(taken)}")
        if list(taken) != sorted(set(taken)):
            raise ValueError(f"taken must be layers in ascending order, got {list(taken)}")
        object.__setattr__(self, "taken", taken)
        if self.combine not in COMBINATIONS:
            raise ValueError(f"combine must be {' or '.join(map(repr, COMBINATIONS))}, got {self.combine!r}")

    @property
    def overlap(self) -> int:
        """0, as a frame feature sees nothing beyond its block."""
        return 0

    @property
    def block(self) -> int:
        """Frame features that see each other and nothing else."""
        return self.context

    @property
    def feature_size(self) -> int:
        """Dimensions of a frame feature."""
        return self.width * (len(self.layers) if self.combine == CONCATENATE else 1)

    @property
    def layers(self) -> tuple[int, ...]:
        """Numbers of the layers, from 1, whose outputs make a frame feature."""
        return self.taken or tuple(range(1, self.n_layers + 1))

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON values."""
        return {**asdict(self), "taken": list(self.taken)}


def normalised(x: Tensor) -> Tensor:
    """Give every token ``(..., width)`` a mean of 0 and a variance of 1."""
    return functional.layer_norm(x, x.shape[-1:])


class Transformer(FrameEncoder):
    """A transformer over tokens of log-mel.

    Args:
        config: the shape; that of the package's networks if None.

    Shape:
        - input ``(batch, 1, n_mels, n_frames)`` normalised log-mel, lengths ``(batch,)`` or None
        - output ``(batch, ceil(n_frames / stride), feature_size)``

    Example:
        >>> Transformer()(torch.zeros(1, 1, 64, 405)).shape
        torch.Size([1, 102, 1152])
    """

    config: TransformerConfig

    def __init__(self, config: TransformerConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or TransformerConfig()
        self.embedding = nn.Linear(config.stride * config.n_mels, config.width)
        self.layers = nn.ModuleList(TransformerLayer(config.width, config.n_heads) for _ in range(config.n_layers))
        initialise(self)

    def forward(self, log_mel: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Compute frame features.

        Args:
            log_mel: ``(batch, 1, n_mels, n_frames)`` normalised log-mel.
            lengths: ``(batch,)`` true number of log-mel frames of each clip; None if no clip is padded. Frame features
                beyond ``ceil(length / stride)`` are meaningless.

        Returns:
            ``(batch, ceil(n_frames / stride), feature_size)``.

        Raises:
            ValueError: if ``log_mel`` has another shape.
        """
        config = self.config
        check_log_mel(log_mel, config.n_mels)
        tokens = self.tokens(mask_time(log_mel, lengths)[:, 0].transpose(1, 2))
        if lengths is None:
            return self.features(tokens)
        inside = torch.arange(tokens.shape[1], device=tokens.device) * config.stride < lengths[:, None]
        # A block of padding alone would have nothing to see.
        inside[:, :: config.context] = True
        return self.features(tokens, inside)

    def tokens(self, frames: Tensor) -> Tensor:
        """Embed log-mel frames as tokens.

        Args:
            frames: ``(batch, n_frames, n_mels)`` normalised log-mel, time first.

        Returns:
            ``(batch, ceil(n_frames / stride), width)``.
        """
        stride = self.config.stride
        frames = functional.pad(frames, (0, 0, 0, -frames.shape[1] % stride))
        return self.embedding(frames.unflatten(1, (-1, stride)).flatten(2))

    def features(self, tokens: Tensor, inside: Tensor | None = None) -> Tensor:
        """Compute the frame features of tokens, block by block.

        Args:
            tokens: ``(batch, n, width)``, the first of which begins a block.
            inside: ``(batch, n)`` bool, the tokens that others may see; None if all may be seen.

        Returns:
            ``(batch, n, feature_size)``.
        """
        context = self.config.context
        whole = tokens.shape[1] // context * context
        pieces = []
        for first, last in ((0, whole), (whole, tokens.shape[1])):
            if first == last:
                continue
            size = min(context, last - first)
            blocks = tokens[:, first:last].unflatten(1, (-1, size)).flatten(0, 1)
            seen = None if inside is None else inside[:, first:last].unflatten(1, (-1, size)).flatten(0, 1)
            piece = self.combined(self.outputs(blocks, torch.arange(size, device=tokens.device), seen))
            pieces.append(piece.unflatten(0, (len(tokens), -1)).flatten(1, 2))
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces, dim=1)

    def outputs(self, tokens: Tensor, positions: Tensor, inside: Tensor | None = None) -> Iterator[Tensor]:
        """Compute layer after layer of tokens that all see each other.

        Args:
            tokens: ``(batch, n, width)``.
            positions: ``(n,)`` or ``(batch, n)`` positions of the tokens.
            inside: ``(batch, n)`` bool, the tokens that others may see; None if all may be seen.

        Yields:
            The output of each layer, ``(batch, n, width)``.
        """
        cosine, sine = rotations(positions, self.config.width // self.config.n_heads)
        if positions.ndim == 2:
            cosine, sine = cosine[:, None], sine[:, None]
        for layer in self.layers:
            tokens = layer(tokens, (cosine, sine), inside)
            yield tokens

    def combined(self, outputs: Iterator[Tensor]) -> Tensor:
        """Make frame features of the normalised outputs of the configured layers; none beyond the last is computed."""
        chosen = self.config.layers
        numbered = enumerate(islice(outputs, chosen[-1]), 1)
        kept = [normalised(output) for number, output in numbered if number in chosen]
        if len(kept) != len(chosen):
            raise ValueError(f"expected the outputs of at least {chosen[-1]} layers, got fewer")
        return torch.cat(kept, dim=-1) if self.config.combine == CONCATENATE else torch.stack(kept).mean(dim=0)


class FrozenTransformer:
    """A :class:`Transformer` for inference: the same computation without gradients.

    Args:
        network: the network, which stays as it is.

    Example:
        >>> frozen = FrozenTransformer(Transformer())
        >>> frozen.per_frame(frozen.in_context(torch.zeros(1, 96, 64))).shape
        torch.Size([1, 24, 1152])
    """

    def __init__(self, network: Transformer) -> None:
        self.network = network

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.network.embedding.weight.device

    def in_context(self, frames: Tensor) -> Tensor:
        """Compute the frame features.

        Args:
            frames: ``(batch, n_frames, n_mels)`` float32 normalised log-mel, time first. The first frame begins a
                block.

        Returns:
            ``(batch, ceil(n_frames / stride), feature_size)``, in the weights' dtype.
        """
        with torch.no_grad():
            return self.network.features(self.network.tokens(frames.to(self.network.embedding.weight.dtype)))

    def per_frame(self, hidden: Tensor) -> Tensor:
        """Return the frame features as they are: every part of the network sees several of them."""
        return hidden
