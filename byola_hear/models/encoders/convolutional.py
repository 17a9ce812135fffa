"""The convolutional network: normalised log-mel to frame features, both published shapes from one configuration.

One frame feature covers ``2 ** n_blocks`` log-mel frames, 40 ms in the v2 shape (two blocks) and 80 ms in the
v1 shape (three). Time that is left over at the end still makes a frame, pooled over what there is of it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class EncoderConfig:
    """The network's shape.

    Attributes:
        n_mels: number of mel bands that come in; a multiple of ``2 ** n_blocks``.
        n_blocks: convolution blocks, each halving time and frequency: 2 in BYOL-A v2, 3 in v1.
        channels: channels of each convolution.
        hidden_size: width of both linear layers; 2048 in v2, 512, 1024 or 2048 in v1.
        dropout: probability between the linear layers while training.
        concatenate_local: whether the convolutions' output stands before the linear layers' in a frame feature
            (v2) or is left out (v1).
    """

    n_mels: int = 64
    n_blocks: int = 2
    channels: int = 64
    hidden_size: int = 2048
    dropout: float = 0.3
    concatenate_local: bool = True

    def __post_init__(self) -> None:
        for name in ("n_mels", "n_blocks", "channels", "hidden_size"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a positive integer, got {value!r}")
        # In this order, as the power of a number without bound has no end.
        if self.n_blocks >= self.n_mels.bit_length() or self.n_mels % self.stride:
            raise ValueError(f"n_mels must be a multiple of 2 ** n_blocks = 2 ** {self.n_blocks}, got {self.n_mels}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {self.dropout}")

    @property
    def stride(self) -> int:
        """Log-mel frames to a frame feature; the receptive field overhangs by less than this on either side."""
        return 2**self.n_blocks

    @property
    def local_size(self) -> int:
        """Numbers in the convolutions' output for one frame."""
        return self.channels * (self.n_mels // self.stride)

    @property
    def feature_size(self) -> int:
        """Dimensions of a frame feature, 3072 in the v2 shape."""
        return self.hidden_size + (self.local_size if self.concatenate_local else 0)

    @classmethod
    def v1(cls, hidden_size: int = 512) -> EncoderConfig:
        """The shape of BYOL-A v1 (arXiv 2103.06695): 80 ms frames of 512, 1024 or 2048 numbers."""
        return cls(n_blocks=3, hidden_size=hidden_size, concatenate_local=False)

    @classmethod
    def v2(cls) -> EncoderConfig:
        """The shape of BYOL-A v2 (arXiv 2204.07402): 40 ms frames of 3072 numbers."""
        return cls()

    def to_dict(self) -> dict[str, Any]:
        """The configuration as plain values, for a checkpoint's header."""
        return asdict(self)


def feature_count(n_frames: int, stride: int) -> int:
    """Number of frame features of ``n_frames`` log-mel frames: rounded up, so that no sound is dropped."""
    return -(-n_frames // stride)


def mask_time(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Zero whatever lies beyond each clip's own length, as if nothing had been there.

    Args:
        x: ``(batch, channels, frequency, time)``.
        lengths: ``(batch,)`` true lengths along time, or None for no masking.

    Returns:
        Same shape as ``x``.
    """
    if lengths is None:
        return x
    inside = torch.arange(x.shape[-1], device=x.device)[None, :] < lengths[:, None]
    return x * inside[:, None, None, :].to(x.dtype)


class Encoder(nn.Module):
    """BYOL-A's network. Parameter names are those of published checkpoints of the family.

    Shape:
        - input ``(batch, 1, n_mels, n_frames)`` normalised log-mel, lengths ``(batch,)`` or None
        - output ``(batch, ceil(n_frames / stride), feature_size)``

    Source:
        Niizumi et al., arXiv 2103.06695 (v1) and 2204.07402 (v2).

    Example:
        >>> Encoder(EncoderConfig.v2()).eval()(torch.zeros(1, 1, 64, 96)).shape
        torch.Size([1, 24, 3072])
        >>> Encoder(EncoderConfig.v1()).eval()(torch.zeros(1, 1, 64, 96)).shape
        torch.Size([1, 12, 512])
    """

    def __init__(self, config: EncoderConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or EncoderConfig()
        layers: list[nn.Module] = []
        for block in range(config.n_blocks):
            layers += [
                nn.Conv2d(1 if block == 0 else config.channels, config.channels, 3, padding=1),
                nn.BatchNorm2d(config.channels),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ]
        self.features = nn.Sequential(*layers)
        self.fc = nn.Sequential(
            nn.Linear(config.local_size, config.hidden_size),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden_size, config.hidden_size),
            nn.ReLU(),
        )

    def forward(self, log_mel: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Frame features of normalised log-mels.

        Args:
            log_mel: ``(batch, 1, n_mels, n_frames)``.
            lengths: ``(batch,)`` true number of log-mel frames of each clip, None if all are full. Frame
                features beyond ``ceil(length / stride)`` are meaningless.

        Returns:
            ``(batch, ceil(n_frames / stride), feature_size)``.

        Raises:
            ValueError: if the shape is another.
        """
        config = self.config
        if log_mel.ndim != 4 or log_mel.shape[1] != 1 or log_mel.shape[2] != config.n_mels:
            raise ValueError(
                f"expected log-mels of shape (batch, 1, {config.n_mels}, n_frames), got {tuple(log_mel.shape)}"
            )
        n_frames = log_mel.shape[-1]
        missing = -n_frames % config.stride
        if missing:
            # Pooling must see what there is of the last frame and nothing else: pad, and mask the padding.
            log_mel = nn.functional.pad(log_mel, (0, missing))
            if lengths is None:
                lengths = torch.full((len(log_mel),), n_frames, device=log_mel.device)
        x = mask_time(log_mel, lengths)
        for layer in self.features:
            if isinstance(layer, nn.MaxPool2d):
                # After ReLU nothing is below zero, so a masked place never wins the maximum.
                x = layer(mask_time(x, lengths))
                lengths = None if lengths is None else (lengths + 1) // 2
            else:
                x = layer(x)
        # (batch, channels, frequency, time) -> per frame, frequency-major then channels, as published.
        local = x.permute(0, 3, 2, 1).flatten(2)
        global_ = self.fc(local)
        return torch.cat([local, global_], dim=-1) if config.concatenate_local else global_
