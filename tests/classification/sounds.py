"""Sounds of two classes that are easy to tell, and recordings with them at known times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

RATE = 16000


def beep(seconds: float, seed: int = 0) -> np.ndarray:
    """A tone of about 2 kHz in noise that is hardly there."""
    rng = np.random.default_rng(seed)
    tone = np.sin(2 * np.pi * rng.uniform(1800, 2200) * np.arange(int(seconds * RATE)) / RATE)
    return rng.uniform(0.2, 0.5) * tone + quiet(seconds, seed + 10_000)


def hiss(seconds: float, seed: int = 0) -> np.ndarray:
    """White noise."""
    rng = np.random.default_rng(seed)
    return rng.normal(0, rng.uniform(0.08, 0.2), int(seconds * RATE)).clip(-1, 1)


def quiet(seconds: float, seed: int = 0) -> np.ndarray:
    """Noise that is hardly there."""
    return np.random.default_rng(seed).normal(0, 0.001, int(seconds * RATE))


KINDS = {"beep": beep, "hiss": hiss, "background": quiet}


def write(path: Path, samples: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, RATE)
    return path


def write_clips(folder: Path, count: int = 6, seconds: float = 0.5, kinds: tuple[str, ...] = tuple(KINDS)) -> Path:
    """A folder of clips for each kind."""
    for kind in kinds:
        for number in range(count):
            write(folder / kind / f"{number}.wav", KINDS[kind](seconds, number))
    return folder


def write_recordings(folder: Path, count: int = 3, seconds: float = 20.0) -> pd.DataFrame:
    """Recordings with a sound of a second every four seconds; returns their labels and writes them as labels.csv."""
    rows = []
    for number in range(count):
        samples = quiet(seconds, 100 + number)
        for place, start in enumerate(np.arange(2.0, seconds - 2, 4.0)):
            kind = ("beep", "hiss")[place % 2]
            first = int(start * RATE)
            samples[first : first + RATE] += KINDS[kind](1.0, 1000 * number + place)
            rows.append((f"{number}.wav", start, start + 1.0, kind))
        write(folder / f"{number}.wav", samples.clip(-1, 1))
    labels = pd.DataFrame(rows, columns=["file", "start", "end", "label"])
    labels.to_csv(folder / "labels.csv", index=False)
    return labels
