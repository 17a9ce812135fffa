"""The reference for the package's speed: the same embeddings, computed without any optimisation."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable

import torch
from torch import Tensor

from benchmark.baselines.pretrained import import_torchaudio_without_extension
from byola_hear.models.frontend import LOG_OFFSET, FrontendConfig, mel_filters
from byola_hear.models.model import ByolaModel
from byola_hear.models.pooling.combination import pooled

#: Length of a re-encoded window and distance between windows, s, as BYOL-A was first run in HEAR.
WINDOW_SECONDS, HOP_SECONDS = 1.0, 0.05


def _import_mel_spectrogram() -> type[torch.nn.Module] | None:
    """torchaudio's MelSpectrogram, or None if torchaudio is not installed or does not work with this torch."""
    if importlib.util.find_spec("torchaudio") is None:
        return None
    import_torchaudio_without_extension()  # the transforms don't need its compiled part
    try:
        from torchaudio.transforms import MelSpectrogram
    except (ImportError, OSError, RuntimeError, AttributeError):
        return None
    found: type[torch.nn.Module] = MelSpectrogram
    return found


def plain_log_mel(config: FrontendConfig) -> tuple[Callable[[Tensor], Tensor], str]:
    """A log-mel front end in plain PyTorch or torchaudio.

    Args:
        config: the front end's configuration.

    Returns:
        A function from ``(n_clips, n_samples)`` to ``(n_clips, n_mels, n_frames)``, and what it is.
    """
    mel_spectrogram = _import_mel_spectrogram()
    if mel_spectrogram is not None:
        mel = mel_spectrogram(
            sample_rate=config.sample_rate,
            n_fft=config.n_fft,
            win_length=config.window_length,
            hop_length=config.hop_length,
            n_mels=config.n_mels,
            f_min=config.f_min,
            f_max=config.f_max,
            mel_scale=config.mel_scale,
            norm=None if config.mel_norm == "none" else config.mel_norm,
        )
        return lambda waveforms: (mel(waveforms) + LOG_OFFSET).log(), "torchaudio's MelSpectrogram"
    window, filters = torch.hann_window(config.window_length), mel_filters(config)

    def log_mel(waveforms: Tensor) -> Tensor:
        spectrum = torch.stft(
            waveforms, config.n_fft, config.hop_length, config.window_length, window, return_complex=True
        )
        return (torch.matmul(spectrum.abs().pow(2).transpose(1, 2), filters).transpose(1, 2) + LOG_OFFSET).log()

    return log_mel, "torch.stft and a matmul (torchaudio is not installed)"


class PlainModel:
    """A model's network in float32, without fused layers, over whole padded batches.

    Args:
        model: the model with the weights, statistics and front end.

    Attributes:
        front_end: what the front end is.
    """

    def __init__(self, model: ByolaModel) -> None:
        self.log_mel, self.front_end = plain_log_mel(model.config.frontend)
        self.encoder, self.config = model.encoder, model.config

    @torch.no_grad()
    def scene_embeddings(self, waveforms: Tensor) -> Tensor:
        """``(n_clips, n_samples)`` to ``(n_clips, feature_size)``, pooled over time."""
        normalised = (self.log_mel(waveforms) - self.config.mean) / self.config.std
        features = self.encoder.eval()(normalised[:, None])
        return pooled(features, self.config.pooling)


def windows(waveform: Tensor, sample_rate: int) -> Tensor:
    """Overlapping windows around evenly spaced times: ``(n_samples,)`` to ``(n_windows, window samples)``.

    Example:
        >>> windows(torch.zeros(32000), 16000).shape
        torch.Size([41, 16000])
    """
    size, hop = round(WINDOW_SECONDS * sample_rate), round(HOP_SECONDS * sample_rate)
    padded = torch.nn.functional.pad(waveform, (size // 2, size - size // 2))
    return padded.unfold(0, size, hop)


def windowed_embeddings(
    scene_embeddings: Callable[[Tensor], Tensor], waveform: Tensor, sample_rate: int, batch: int = 64
) -> Tensor:
    """Timestamp embeddings as published: every window of a clip is encoded separately.

    Args:
        scene_embeddings: ``(n_clips, n_samples)`` to ``(n_clips, feature_size)``.
        waveform: ``(n_samples,)``.
        sample_rate: Hz.
        batch: number of windows in a batch.

    Returns:
        ``(n_windows, feature_size)``.
    """
    pieces = windows(waveform, sample_rate).split(batch)
    return torch.cat([scene_embeddings(piece.contiguous()) for piece in pieces])
