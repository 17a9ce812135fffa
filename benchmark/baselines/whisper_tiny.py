"""The encoder of Whisper tiny.en (Radford et al. 2022, arXiv 2212.04356): 384 dimensions every 20 ms.

Whisper is a transformer for speech recognition. Clips are not padded to the 30 s that it was trained on, which is four
times as fast, but to a multiple of 20 ms and at least 40 ms; longer clips are processed in pieces of 30 s. As in
Whisper, the log-mel spectrogram is limited to 80 dB below the maximum of each piece. Timestamps are the centres of the
second convolution's windows, 20 k ms; a clip embedding is the mean.

OpenAI, MIT: openai/whisper-tiny.en. Needs the package transformers.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from benchmark.baselines.contract import Baseline, get_scene_embeddings, get_timestamp_embeddings
from benchmark.baselines.pretrained import from_folder_or_hub, need_transformers, settings_of
from benchmark.baselines.weights import fill, weights_in_folder
from byola_hear.models.frontend import FrontendConfig, mel_filters

__all__ = ["get_scene_embeddings", "get_timestamp_embeddings", "load_model"]

DEFAULT = "openai/whisper-tiny.en"
FOLDER = "whisper-tiny.en-encoder"
FRONTEND = FrontendConfig(n_fft=400, window_length=400, hop_length=160, n_mels=80, f_min=0.0, f_max=8000.0)

#: Clips of one length that are computed together. Short ones take half the time.
TOGETHER = 8


class WhisperEncoder(Baseline):
    """Whisper's encoder on clips of any length.

    Args:
        encoder: a ``WhisperEncoder`` of transformers.
        identity: see :class:`~benchmark.baselines.contract.Baseline`.
        note: see :class:`~benchmark.baselines.contract.Baseline`.
    """

    embedding_version = 1
    hop = 2 * FRONTEND.hop_length
    centre = 0.0
    encoder: Any
    positions: Tensor
    window: Tensor
    filters: Tensor

    def __init__(self, encoder: nn.Module, identity: str = "", note: str = "") -> None:
        super().__init__(identity, note)
        self.encoder = encoder
        self.scene_embedding_size = self.timestamp_embedding_size = int(self.encoder.config.d_model)
        #: ``(n_positions, d_model)``, one for each of 1500 frames or 30 s.
        self.register_buffer("positions", self.encoder.embed_positions.weight.detach().clone(), persistent=False)
        self.register_buffer("window", torch.hann_window(FRONTEND.n_fft), persistent=False)
        self.register_buffer("filters", mel_filters(FRONTEND), persistent=False)

    def log_mel(self, clips: Tensor) -> Tensor:
        """Log-mel spectrograms, ``(n_clips, n_samples)``, a multiple of 160 and at least 320, to ``(n_clips, 80,
        n_samples // 160)``.
        """
        spectrum = torch.stft(clips, FRONTEND.n_fft, FRONTEND.hop_length, window=self.window, return_complex=True)
        power = self.filters.T @ spectrum[..., :-1].abs().square()
        logarithm = power.clamp(min=1e-10).log10()
        return (torch.maximum(logarithm, logarithm.amax(dim=(1, 2), keepdim=True) - 8) + 4) / 4

    def frames(self, clip: Tensor) -> Tensor:
        return self._frames(clip[None])[0]

    def scenes(self, clips: Tensor) -> Tensor:
        return torch.cat([self._frames(some).mean(1) for some in clips.split(TOGETHER)])

    def _frames(self, clips: Tensor) -> Tensor:
        try:
            pieces = [self._piece(piece) for piece in clips.split(len(self.positions) * self.hop, dim=1)]
            return torch.cat(pieces, dim=1)
        finally:
            self._use_positions(len(self.positions))  # the fingerprint includes all of them

    def _piece(self, clips: Tensor) -> Tensor:
        n_frames = max(-(-clips.shape[1] // self.hop), 2)
        self._use_positions(n_frames)
        whole = nn.functional.pad(clips, (0, n_frames * self.hop - clips.shape[1]))
        hidden: Tensor = self.encoder(self.log_mel(whole)).last_hidden_state
        return hidden

    def _use_positions(self, n_frames: int) -> None:
        """Give the encoder as many positions as there are frames, since it requires equal numbers."""
        self.encoder.config.max_source_positions = n_frames
        self.encoder.embed_positions = nn.Embedding.from_pretrained(self.positions[:n_frames])


def load_model(model_file_path: str = "") -> WhisperEncoder:
    """Load Whisper's encoder.

    Args:
        model_file_path: name on the Hub, or a folder with ``config.json`` and ``model.safetensors`` of the encoder or
            of the whole Whisper. If empty, ``whisper-tiny.en-encoder`` in the folder that the environment variable
            ``BYOLA_BENCHMARK_MODELS`` names, else ``DEFAULT``.

    Raises:
        FileNotFoundError: if the folder does not exist.
        ValueError: if it contains another model.
        Unavailable: if transformers is missing, or the model can't be downloaded from the Hub.
    """
    version = need_transformers()
    name = model_file_path or str(weights_in_folder(FOLDER) or DEFAULT)
    encoder = from_folder_or_hub(name, _encoder)
    note = "Whisper's encoder (tiny.en by OpenAI, MIT), supervised on speech; every 20 ms, their mean"
    return WhisperEncoder(encoder, f"transformers-{version}-{settings_of(encoder.config)}", note).eval()


def _encoder(name: str) -> nn.Module:
    from safetensors.torch import load_file
    from transformers import WhisperConfig
    from transformers.models.whisper.modeling_whisper import WhisperEncoder as Encoder
    from transformers.utils.hub import cached_file

    config = WhisperConfig.from_pretrained(name)
    if config.model_type != "whisper" or config.num_mel_bins != FRONTEND.n_mels:
        raise ValueError(f"it is a {config.model_type} of {getattr(config, 'num_mel_bins', 'no')} mel bands")
    weights = load_file(str(cached_file(name, "model.safetensors")))
    inside = {key.rpartition("encoder.")[0] + "encoder." for key in weights if key.endswith("encoder.conv1.weight")}
    if len(inside) != 1:
        raise ValueError("its weights have no encoder")
    prefix = inside.pop()
    encoder: nn.Module = Encoder(config)
    fill(encoder, {key[len(prefix) :]: value for key, value in weights.items() if key.startswith(prefix)}, name)
    return encoder.float()
