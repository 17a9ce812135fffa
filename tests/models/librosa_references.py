"""Mel filters and log-mels by librosa, stored because importing librosa takes longer than all tests of the front end.

``python -m tests.models.librosa_references`` writes the file anew.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from byola_hear.models.frontend import FrontendConfig

#: The published front ends of the family.
FRONTENDS = {
    "v1": FrontendConfig(mel_scale="htk", mel_norm="none"),
    "v2": FrontendConfig(),
    "serab": FrontendConfig(window_length=400, mel_scale="htk", mel_norm="none"),
}
#: Results of librosa 0.11.0 by front end: filters ``(n_fft // 2 + 1, n_mels)`` and mel power ``(n_mels, n_frames)``.
FILE = Path(__file__).with_name("librosa_references.npz")


def speech() -> NDArray[np.float32]:
    """The sound of the references: 0.3 s of speech at 16 kHz, with a silence."""
    clip = Path(__file__).parents[1] / "data" / "speech_french_16k.wav"
    samples: NDArray[np.float32] = soundfile.read(clip, dtype="float32")[0][4000:8800].copy()
    samples[3500:] = 0
    return samples


def main() -> None:
    import librosa

    arrays = {}
    for name, config in FRONTENDS.items():
        options = {
            "n_mels": config.n_mels,
            "fmin": config.f_min,
            "fmax": config.f_max,
            "htk": config.mel_scale == "htk",
            "norm": None if config.mel_norm == "none" else config.mel_norm,
        }
        arrays[f"{name}-filters"] = librosa.filters.mel(sr=16000, n_fft=config.n_fft, dtype=np.float64, **options).T
        arrays[f"{name}-mel"] = librosa.feature.melspectrogram(
            y=speech().astype(np.float64),
            sr=16000,
            n_fft=config.n_fft,
            win_length=config.window_length,
            hop_length=config.hop_length,
            pad_mode="reflect",
            **options,
        )
    np.savez_compressed(FILE, **arrays)
    print(librosa.__version__, FILE.stat().st_size)


if __name__ == "__main__":
    main()
