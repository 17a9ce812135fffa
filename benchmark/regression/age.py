"""Age of a speaker, in years, from a read sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmark.regression.measurement import Examples, Measurement
from benchmark.sources import load_set

SOURCE = "read_speech_speakers"


def age(audio: Path, cache: Path, seed: int) -> Examples:
    """Years."""
    sentences = load_set(audio / f"{SOURCE}.tar", cache)
    manifest = sentences.manifest
    years = manifest["age"].to_numpy(str).astype(float)
    return Examples(sentences, np.arange(len(sentences)), years, manifest["speaker"].to_numpy(str))


AGE = Measurement("age", "age", "years", "read sentences by children and adults; a speaker is a group", age)
