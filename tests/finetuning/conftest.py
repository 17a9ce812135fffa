"""What the tests of fine-tuning share: a small network, and labelled windows that it embedded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

from byola_hear import labels
from byola_hear.classification.examples import Examples, from_audio
from byola_hear.classification.labelled import Labels
from byola_hear.models.model import ByolaModel
from tests.classification.conftest import here, model  # noqa: F401
from tests.classification.sounds import RATE, quiet, write


def sweep(up: bool, seconds: float, seed: int) -> np.ndarray:
    """A tone that rises or falls: the same bands in another order, which statistics over time hardly tell."""
    rng = np.random.default_rng(seed)
    low, high = rng.uniform(600, 900), rng.uniform(2500, 3500)
    first, last = (low, high) if up else (high, low)
    frequency = np.linspace(first, last, int(seconds * RATE))
    return rng.uniform(0.2, 0.5) * np.sin(2 * np.pi * np.cumsum(frequency) / RATE) + quiet(seconds, seed)


def write_sweeps(folder: Path, count: int = 12, seconds: float = 0.4) -> Path:
    """A folder of rising and of falling tones."""
    for up, name in ((True, "rising"), (False, "falling")):
        for number in range(count):
            write(folder / name / f"{number}.wav", sweep(up, seconds, 100 * number + up))
    return folder


@pytest.fixture
def sweeps(here: Path, model: ByolaModel) -> Examples:  # noqa: F811
    """Rising and falling tones, embedded by ``model``."""
    return from_audio(Labels(labels.read([write_sweeps(here / "clips")], "folders")), model, 0.4)
