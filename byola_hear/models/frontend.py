"""Log-mel front end: waveform to log-mel spectrogram, in plain torch.

Frames are centred: frame ``i`` is centred on sample ``i * hop_length``. Where a window reaches beyond the clip's start
or end, the clip is continued by reflection. A clip of ``n`` samples has ``1 + n // hop_length`` frames, also if it has
a single sample. Any range of frames can be computed by itself (:func:`log_mel_range`), so chunks equal the whole.
"""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

#: Added to the power before the logarithm: the epsilon of float32, as in BYOL-A.
LOG_OFFSET = torch.finfo(torch.float32).eps
#: Frames that are computed together on a CPU. Their spectra use the same memory again and again; those of a long clip
#: would take fresh pages, which cost as much as the computation in a process that has no memory to reuse.
BLOCK_FRAMES = 128


@dataclass(frozen=True)
class FrontendConfig:
    """Settings of the log-mel spectrogram.

    Attributes:
        sample_rate: sampling rate of the audio, Hz.
        n_fft: length of the Fourier transform, samples.
        window_length: length of the Hann window, samples; at most ``n_fft``, within which it is centred.
        hop_length: samples from one frame to the next.
        n_mels: number of mel bands.
        f_min: lower edge of the lowest band, Hz.
        f_max: upper edge of the highest band, Hz.
        mel_scale: ``"slaney"`` (BYOL-A v2) or ``"htk"`` (BYOL-A v1, BYOL-S).
        mel_norm: ``"slaney"`` for bands of equal area, ``"none"`` for bands of equal height.

    Raises:
        ValueError: if a value is not allowed.
    """

    sample_rate: int = 16000
    n_fft: int = 1024
    window_length: int = 1024
    hop_length: int = 160
    n_mels: int = 64
    f_min: float = 60.0
    f_max: float = 7800.0
    mel_scale: str = "slaney"
    mel_norm: str = "slaney"

    def __post_init__(self) -> None:
        for name in ("sample_rate", "n_fft", "window_length", "hop_length", "n_mels"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a positive integer, got {value!r}")
        if self.window_length > self.n_fft:
            raise ValueError(f"window_length must be at most n_fft ({self.n_fft}), got {self.window_length}")
        if not 0 <= self.f_min < self.f_max <= self.sample_rate / 2:
            raise ValueError(
                f"expected 0 <= f_min < f_max <= {self.sample_rate / 2} Hz, got {self.f_min} and {self.f_max}"
            )
        if self.mel_scale not in ("slaney", "htk"):
            raise ValueError(f"mel_scale must be 'slaney' or 'htk', got {self.mel_scale!r}")
        if self.mel_norm not in ("slaney", "none"):
            raise ValueError(f"mel_norm must be 'slaney' or 'none', got {self.mel_norm!r}")

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON values."""
        return asdict(self)


def hz_to_mel(frequency: Tensor, scale: str) -> Tensor:
    """Convert frequencies to mel.

    Args:
        frequency: frequencies in Hz, any shape.
        scale: ``"htk"``: 2595 log10(1 + f/700); ``"slaney"``: linear below 1 kHz, logarithmic above.

    Returns:
        Mel, same shape.

    Source:
        M. Slaney, Auditory Toolbox, 1998.

    Example:
        >>> hz_to_mel(torch.tensor([1000.0]), "slaney")
        tensor([15.])
    """
    if scale == "htk":
        return 2595.0 * torch.log10(1.0 + frequency / 700.0)
    linear = frequency * (3.0 / 200.0)
    logarithmic = 15.0 + torch.log(frequency.clamp(min=1e-9) / 1000.0) * (27.0 / math.log(6.4))
    return torch.where(frequency < 1000.0, linear, logarithmic)


def mel_to_hz(mel: Tensor, scale: str) -> Tensor:
    """Convert mel to frequencies in Hz: the inverse of :func:`hz_to_mel`.

    Args:
        mel: mel, any shape.
        scale: ``"htk"`` or ``"slaney"``.

    Returns:
        Frequencies in Hz, same shape.
    """
    if scale == "htk":
        return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    linear = mel * (200.0 / 3.0)
    logarithmic = 1000.0 * torch.exp((mel - 15.0) * (math.log(6.4) / 27.0))
    return torch.where(mel < 15.0, linear, logarithmic)


def mel_filters(config: FrontendConfig) -> Tensor:
    """Compute the triangular mel filters.

    Args:
        config: the front end.

    Returns:
        ``(n_fft // 2 + 1, n_mels)`` float32, computed in float64: the weight of each frequency bin in each band.
    """
    exact: dict[str, Any] = {"dtype": torch.float64, "device": "cpu"}
    bins = torch.linspace(0, config.sample_rate / 2, config.n_fft // 2 + 1, **exact)
    edges = torch.tensor([config.f_min, config.f_max], **exact)
    low, high = hz_to_mel(edges, config.mel_scale).tolist()
    points = mel_to_hz(torch.linspace(low, high, config.n_mels + 2, **exact), config.mel_scale)
    width = points[1:] - points[:-1]
    distance = points[None, :] - bins[:, None]
    rising = -distance[:, :-2] / width[:-1]
    falling = distance[:, 2:] / width[1:]
    filters = torch.minimum(rising, falling).clamp(min=0)
    if config.mel_norm == "slaney":
        filters = filters * (2.0 / (points[2:] - points[:-2]))
    return filters.float()


@lru_cache(maxsize=16)
def _kept_constants(config: FrontendConfig, device: torch.device) -> tuple[Tensor, Tensor]:
    """Window and mel filters, computed once for each configuration and device.

    They outlive the call, so neither a default type or device of that moment nor inference mode, whose tensors can't be
    trained with later, may shape them.
    """
    with torch.inference_mode(False):
        window = torch.hann_window(config.window_length, periodic=True, dtype=torch.float32, device="cpu")
        return window.to(device), mel_filters(config).to(device)


def _constants(config: FrontendConfig, device: torch.device) -> tuple[Tensor, Tensor]:
    # torch.export runs the program with tensors that have no values; these are not kept.
    constants = _kept_constants.__wrapped__ if torch.compiler.is_compiling() else _kept_constants
    return constants(config, device)


def frame_count(n_samples: int, config: FrontendConfig) -> int:
    """Number of log-mel frames of a clip of ``n_samples`` samples.

    Example:
        >>> frame_count(16000, FrontendConfig())
        101
    """
    return 1 + n_samples // config.hop_length


def reflected(waveform: Tensor, start: int, stop: int) -> Tensor:
    """Take samples ``start`` to ``stop`` of clips that are continued by reflection beyond both ends.

    A clip shorter than the distance is reflected again and again; a single sample is repeated.

    Args:
        waveform: ``(..., n_samples)``, at least one sample.
        start: first sample; may be negative.
        stop: one past the last sample; may be beyond ``n_samples``.

    Returns:
        ``(..., stop - start)``.

    Example:
        >>> reflected(torch.tensor([1.0, 2.0, 3.0]), -2, 5)
        tensor([3., 2., 1., 2., 3., 2., 1.])
    """
    length = waveform.shape[-1]
    if 0 <= start and stop <= length:
        return waveform[..., start:stop]
    inside = waveform[..., max(start, 0) : max(min(stop, length), 0)]
    before = _beyond(waveform, start, min(0, stop), 0)
    after = _beyond(waveform, max(length, start), stop, 2 * (length - 1))
    return torch.cat([before, inside, after], dim=-1)


def _beyond(waveform: Tensor, first: int, last: int, mirrored: int) -> Tensor:
    """Samples ``first`` to ``last`` beyond an end; by one reflection, sample ``i`` is sample ``mirrored - i``."""
    length = waveform.shape[-1]
    if last <= first:
        return waveform[..., :0]
    if 0 <= mirrored - last + 1 and mirrored - first < length:
        # Faster than by indices, which matters for short clips.
        return waveform[..., mirrored - last + 1 : mirrored - first + 1].flip(-1)
    period = max(2 * (length - 1), 1)
    index = torch.arange(first, last, device=waveform.device) % period
    return waveform[..., torch.where(index < length, index, period - index)]


def log_mel_range(waveform: Tensor, config: FrontendConfig, first: int, last: int) -> Tensor:
    """Compute log-mel frames ``first`` to ``last`` (exclusive) of clips, and no others.

    Args:
        waveform: ``(..., n_samples)`` float32 in [-1, 1] at ``config.sample_rate``.
        config: the front end.
        first: first frame, counted from 0.
        last: one past the last frame; at most ``frame_count(n_samples, config)``.

    Returns:
        ``(..., n_mels, last - first)`` float32, natural logarithm of power.
    """
    half = config.n_fft // 2
    start = first * config.hop_length - half
    stop = (last - 1) * config.hop_length - half + config.n_fft
    samples = reflected(waveform, start, stop)
    return log_mel_of_padded(samples, config)


def log_mel_of_padded(samples: Tensor, config: FrontendConfig) -> Tensor:
    """Compute the log-mel of samples that already contain the first and the last window completely.

    Args:
        samples: ``(..., n_fft + (n_frames - 1) * hop_length)``.
        config: the front end.

    Returns:
        ``(..., n_mels, n_frames)`` float32.
    """
    flat = samples.reshape(-1, samples.shape[-1])
    n_frames = max(1, 1 + (flat.shape[-1] - config.n_fft) // config.hop_length)
    in_blocks = flat.device.type == "cpu" and not torch.compiler.is_compiling()
    block = BLOCK_FRAMES if in_blocks else max(1, len(flat)) * n_frames
    blocks = range(0, n_frames, block)
    with _without_autocast(flat.device.type):
        mel = torch.cat(
            [
                torch.cat([_mel_power(clips, each, min(each + block, n_frames), config) for each in blocks], dim=1)
                for clips in flat.split(max(1, block // n_frames))
            ]
        )
    log_mel = mel.add_(LOG_OFFSET).log_().transpose(1, 2)
    return log_mel.reshape(*samples.shape[:-1], config.n_mels, -1)


def _without_autocast(device: str) -> AbstractContextManager[object]:
    """Compute in float32 also within the user's autocast: the power of a loud tone is beyond float16."""
    # Only where autocast is on: exported programs would have a block of their own for it.
    autocast = torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device)
    return torch.autocast(device, enabled=False) if autocast else nullcontext()


def _mel_power(samples: Tensor, first: int, last: int, config: FrontendConfig) -> Tensor:
    """``(batch, last - first, n_mels)`` mel power of frames ``first`` to ``last`` of ``(batch, n_samples)``."""
    window, filters = _constants(config, samples.device)
    spectrum = torch.stft(
        samples[:, first * config.hop_length : (last - 1) * config.hop_length + config.n_fft],
        config.n_fft,
        config.hop_length,
        config.window_length,
        window=window,
        center=False,
        return_complex=True,
    )
    power = spectrum.real.square().addcmul_(spectrum.imag, spectrum.imag)
    return torch.matmul(power.transpose(1, 2), filters)


def log_mel(waveform: Tensor, config: FrontendConfig | None = None) -> Tensor:
    """Compute the log-mel spectrogram of clips: the natural logarithm of mel power plus float32's epsilon.

    Args:
        waveform: ``(..., n_samples)`` float32 in [-1, 1] at ``config.sample_rate``, at least one sample.
        config: the front end; that of BYOL-A v2 if None.

    Returns:
        ``(..., n_mels, 1 + n_samples // hop_length)`` float32.

    Raises:
        ValueError: if the waveform is empty or not float32.

    Source:
        Niizumi et al., BYOL for Audio (arXiv 2103.06695, 2204.07402).

    Example:
        >>> log_mel(torch.zeros(2, 16000)).shape
        torch.Size([2, 64, 101])
    """
    config = config or FrontendConfig()
    if waveform.dtype != torch.float32:
        raise ValueError(f"expected a float32 waveform in [-1, 1], got {waveform.dtype}")
    if waveform.ndim == 0 or waveform.shape[-1] == 0:
        raise ValueError(f"expected a waveform of at least one sample, got shape {tuple(waveform.shape)}")
    return log_mel_range(waveform, config, 0, frame_count(waveform.shape[-1], config))


class LogMel(torch.nn.Module):
    """:func:`log_mel` as a module.

    Args:
        config: the front end; that of BYOL-A v2 if None.

    Shape:
        - input ``(..., n_samples)`` float32
        - output ``(..., n_mels, n_frames)`` float32
    """

    def __init__(self, config: FrontendConfig | None = None) -> None:
        super().__init__()
        self.config = config or FrontendConfig()

    def forward(self, waveform: Tensor) -> Tensor:
        return log_mel(waveform, self.config)
