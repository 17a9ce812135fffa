"""Small sets with all classes of the study: bursts of noise for the sounds, tones for the words."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmark.studies.detection.composition import CLASSES
from tests.benchmark.labelled_sets import RATE, write_set


def _clip(rng: np.random.Generator, seconds: float, place: int, tone: bool) -> np.ndarray:
    """A sound of a third of a second in soft noise; each class has its own pitch or colour."""
    clip = 1e-4 * rng.standard_normal(round(seconds * RATE))
    length = RATE // 3
    first = int(rng.integers(len(clip) - length))
    times = np.arange(length) / RATE
    wave = np.sin(2 * np.pi * 200 * 1.25**place * times) if tone else rng.standard_normal(length) / 3
    clip[first : first + length] += 0.3 * wave * np.sin(np.pi * times / times[-1])
    return clip


def write_sets(folder: Path, per_part: int = 6) -> Path:
    """Write both sets.

    Args:
        folder: a folder; made.
        per_part: clips of a class to learn from; half as many to test on.
    """
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    rows, clips = [], []
    folds = [str(1 + place % 3) for place in range(per_part)] + ["4", "5"] * (per_part // 2)
    for place, label in enumerate((*CLASSES["sounds"], "rain", "wind", "helicopter")):
        for number, fold in enumerate(folds):
            rows.append({"label": label, "fold": fold, "esc10": "False", "source_recording": f"{label}-{number}"})
            steady = label in ("rain", "wind")
            clips.append(0.1 * rng.standard_normal(5 * RATE) if steady else _clip(rng, 5.0, place, False))
    write_set(folder, "esc50", rows, [clip.clip(-1, 1) for clip in clips])
    rows, clips = [], []
    splits = ["train"] * per_part + ["test"] * (per_part // 2)
    for place, label in enumerate((*CLASSES["words"], "unknown")):
        for number, split in enumerate(splits):
            rows.append({"label": label, "speaker": f"{split}-{number}", "split": split})
            clips.append(_clip(rng, 1.0, place, True))
    write_set(folder, "speech_commands_12", rows, [clip.clip(-1, 1) for clip in clips])
    return folder
