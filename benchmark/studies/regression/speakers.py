"""Number of people who speak at once, none to four: the mixtures of the task ``speaker_count``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.datasets.labelled_set import SAMPLE_RATE
from benchmark.studies.regression.measurement import Examples, Measurement
from benchmark.studies.study import set_of_clips
from benchmark.tasks.registry import task_of


def speakers(audio: Path, cache: Path, seed: int) -> Examples:
    """Mixtures with their number of speakers.

    Mixtures of a split can share speakers, two splits never do. So a split is a group, tested as a whole.
    """
    items = list(task_of("speaker_count").items(audio))
    clips = [item.samples() if callable(item.samples) else item.samples for item in items]
    counts = np.array([float(str(item.labels[0])) for item in items])
    splits, files = np.array([item.split for item in items]), np.array([item.file for item in items])
    made = set_of_clips("speakers", pd.DataFrame({"split": splits, "target": counts}), clips, SAMPLE_RATE)
    return Examples(made, np.arange(len(made)), counts, splits, files)


SPEAKERS = Measurement(
    "speakers",
    "speakers",
    "speakers",
    "none to four people who speak at once, with background noise; groups: three splits without common speakers; the "
    "bootstrap draws mixtures",
    speakers,
)
