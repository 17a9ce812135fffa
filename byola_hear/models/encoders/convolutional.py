"""The convolutional encoder. One configuration covers both published shapes of BYOL-A.

A frame feature covers ``2 ** n_blocks`` log-mel frames: 40 ms in the v2 shape (two blocks), 80 ms in the v1 shape
(three). If the last frame feature is incomplete, it is pooled over the log-mel frames that exist.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from byola_hear.models.encoders.protocol import FrameEncoder, check_log_mel


@dataclass(frozen=True)
class EncoderConfig:
    """The shape of a convolutional encoder.

    Attributes:
        n_mels: number of mel bands of the input; a multiple of ``2 ** n_blocks``.
        n_blocks: convolution blocks, each of which halves time and frequency: 2 in BYOL-A v2, 3 in v1.
        channels: channels of each convolution.
        hidden_size: width of both linear layers: 2048 in v2; 512, 1024 or 2048 in v1.
        dropout: probability of dropout between the linear layers in training.
        concatenate_local: whether a frame feature begins with the convolutions' output (v2) or consists of the linear
            layers' output alone (v1).

    Raises:
        ValueError: if a value is not allowed.

    Example:
        >>> EncoderConfig.v2().feature_size, EncoderConfig.v1(512).feature_size
        (3072, 512)
    """

    kind: ClassVar[str] = "convolutional"

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
        # In this order: 2 ** n_blocks of an unchecked n_blocks may take all memory.
        if self.n_blocks >= self.n_mels.bit_length() or self.n_mels % self.stride:
            raise ValueError(f"n_mels must be a multiple of 2 ** n_blocks = 2 ** {self.n_blocks}, got {self.n_mels}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {self.dropout}")

    @property
    def stride(self) -> int:
        """Log-mel frames per frame feature."""
        return 2**self.n_blocks

    @property
    def overlap(self) -> int:
        """1, as a frame feature sees less than one stride of log-mel frames beyond its own on each side."""
        return 1

    @property
    def block(self) -> int:
        """1, as a frame feature sees the same neighbourhood wherever it stands."""
        return 1

    @property
    def local_size(self) -> int:
        """Dimensions of the convolutions' output for one frame feature."""
        return self.channels * (self.n_mels // self.stride)

    @property
    def feature_size(self) -> int:
        """Dimensions of a frame feature, 3072 in the v2 shape."""
        return self.hidden_size + (self.local_size if self.concatenate_local else 0)

    @classmethod
    def v1(cls, hidden_size: int = 512) -> EncoderConfig:
        """The shape of BYOL-A v1 (arXiv 2103.06695): 80 ms frames of 512, 1024 or 2048 dimensions."""
        return cls(n_blocks=3, hidden_size=hidden_size, concatenate_local=False)

    @classmethod
    def v2(cls) -> EncoderConfig:
        """The shape of BYOL-A v2 (arXiv 2204.07402): 40 ms frames of 3072 dimensions."""
        return cls()

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON values."""
        return asdict(self)


def mask_time(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Set everything beyond each clip's true length to zero.

    Args:
        x: ``(batch, channels, frequency, time)``.
        lengths: ``(batch,)`` true lengths along time; None masks nothing.

    Returns:
        Same shape as ``x``.
    """
    if lengths is None:
        return x
    inside = torch.arange(x.shape[-1], device=x.device)[None, :] < lengths[:, None]
    return x * inside[:, None, None, :].to(x.dtype)


class Encoder(FrameEncoder):
    """BYOL-A's network. Its parameters have the names of published checkpoints of the family.

    Args:
        config: the shape; that of BYOL-A v2 if None.

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

    config: EncoderConfig

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
        n_frames = log_mel.shape[-1]
        missing = -n_frames % config.stride
        if missing:
            # Pooling must see only the frames that exist: pad, then mask the padding.
            log_mel = nn.functional.pad(log_mel, (0, missing))
            if lengths is None:
                lengths = torch.full((len(log_mel),), n_frames, device=log_mel.device)
        x = mask_time(log_mel, lengths)
        for layer in self.features:
            if isinstance(layer, nn.MaxPool2d):
                # After ReLU nothing is below zero, so a masked zero never changes the maximum.
                x = layer(mask_time(x, lengths))
                lengths = None if lengths is None else (lengths + 1) // 2
            else:
                x = layer(x)
        # (batch, channels, frequency, time) -> (batch, time, frequency * channels), the published order.
        local = x.permute(0, 3, 2, 1).flatten(2)
        global_ = self.fc(local)
        return torch.cat([local, global_], dim=-1) if config.concatenate_local else global_
