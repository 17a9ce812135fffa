"""Age of the speaker of a read sentence, in years."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmark.datasets.labelled_set import column, load_set
from benchmark.studies.regression.measurement import Examples, Measurement, numbers_in

SOURCE = "read_speech_speakers"


def age(audio: Path, cache: Path, seed: int) -> Examples:
    """Sentences with their speakers' ages, in years."""
    sentences = load_set(audio / f"{SOURCE}.tar", cache)
    return Examples(sentences, np.arange(len(sentences)), numbers_in(sentences, "age"), column(sentences, "speaker"))


AGE = Measurement("age", "age", "years", "read sentences by children and adults; groups: speakers", age)
