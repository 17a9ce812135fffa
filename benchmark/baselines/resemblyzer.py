"""Resemblyzer: a speaker encoder that was trained to distinguish voices (GE2E, Wan et al. 2018, arXiv 1710.10467).

Three LSTM layers map 1.6 s of a 40-band mel spectrogram (power, no logarithm) to 256 dimensions with norm 1, one window
every 0.8 s; the last one is padded with zeros. **A hop of 800 ms is far over HEAR's 50 ms.** Timestamps are the
windows' centres, 800 + 800 k ms. A clip embedding is the mean of the windows, scaled to norm 1. Like in the package,
softer clips are amplified to -30 dBFS; unlike in the package, pauses are not removed, because nothing would remain of
other sounds.

Only the weights of the package resemblyzer (Apache-2.0) are used, not its code, so its requirements are not needed:
``pip install --no-deps resemblyzer``.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from benchmark.baselines.contract import Baseline, get_scene_embeddings, get_timestamp_embeddings, padded
from benchmark.baselines.weights import fill, need_package, package_file, read_weights
from byola_hear.models.frontend import FrontendConfig, mel_filters

__all__ = ["get_scene_embeddings", "get_timestamp_embeddings", "load_model"]

FRONTEND = FrontendConfig(n_fft=400, window_length=400, hop_length=160, n_mels=40, f_min=0.0, f_max=8000.0)
#: Mel frames in a window, and from one to the next.
WINDOW_FRAMES, HOP_FRAMES = 160, 80
#: Root mean square that softer clips are amplified to: -30 dB relative to full scale.
TARGET_LEVEL = 10 ** (-30 / 20)
HOW = "pip install --no-deps resemblyzer"


def amplified(clip: Tensor) -> Tensor:
    """Amplify a clip to a root mean square of at least -30 dB relative to full scale; silence stays as it is."""
    level = clip.square().mean().sqrt()
    return clip * (TARGET_LEVEL / level) if 0 < level < TARGET_LEVEL else clip


class Resemblyzer(Baseline):
    """The speaker encoder."""

    embedding_version = 1
    scene_embedding_size = 256
    timestamp_embedding_size = 256
    hop = HOP_FRAMES * FRONTEND.hop_length
    centre = WINDOW_FRAMES * FRONTEND.hop_length / 2
    window: Tensor
    filters: Tensor

    def __init__(self, identity: str = "", note: str = "") -> None:
        super().__init__(identity, note)
        self.lstm = nn.LSTM(FRONTEND.n_mels, 256, 3, batch_first=True)
        self.linear = nn.Linear(256, 256)
        self.register_buffer("window", torch.hann_window(FRONTEND.n_fft), persistent=False)
        self.register_buffer("filters", mel_filters(FRONTEND), persistent=False)

    def mel(self, clip: Tensor) -> Tensor:
        """Mel power, ``(n_samples,)`` to ``(1 + n_samples // 160, 40)``; frames are centred, with zeros beyond the
        ends.
        """
        spectrum = torch.stft(
            clip,
            FRONTEND.n_fft,
            FRONTEND.hop_length,
            window=self.window,
            pad_mode="constant",
            return_complex=True,
        )
        return spectrum.abs().square().T @ self.filters

    def frames(self, clip: Tensor) -> Tensor:
        size = WINDOW_FRAMES * FRONTEND.hop_length
        n_windows = 1 + max(0, -(-(len(clip) - size) // self.hop))
        mel = self.mel(padded(amplified(clip), size + (n_windows - 1) * self.hop))
        windows = mel.unfold(0, WINDOW_FRAMES, HOP_FRAMES)[:n_windows].transpose(1, 2)
        _, (hidden, _) = self.lstm(windows.contiguous())
        return nn.functional.normalize(self.linear(hidden[-1]).relu(), dim=1)

    def scene(self, clip: Tensor) -> Tensor:
        return nn.functional.normalize(self.frames(clip).mean(0), dim=0)


def load_model(model_file_path: str = "") -> Resemblyzer:
    """Load the speaker encoder.

    Args:
        model_file_path: a file of weights in the package's format. If empty, the package's own.

    Raises:
        FileNotFoundError: if the file does not exist.
        ValueError: if it contains other weights.
        Unavailable: if the package is missing.
    """
    path = model_file_path or str(package_file("resemblyzer", "pretrained.pt", how=HOW))
    version = "" if model_file_path else need_package("resemblyzer", HOW)
    model = Resemblyzer("weights", f"Resemblyzer {version} (Apache-2.0), a speaker encoder; every 0.8 s, their mean")
    weights = read_weights(path).get("model_state")
    if not isinstance(weights, dict):
        raise ValueError(f"{path}: expected Resemblyzer's weights under 'model_state', found no such key")
    # The other two weights scale similarities in training.
    fill(model, {name: values for name, values in weights.items() if not name.startswith("similarity_")}, path)
    return model.eval()
