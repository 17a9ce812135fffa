"""Level of a clip, in dB relative to full scale; a random level is set for each clip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.datasets.labelled_set import column, load_set
from benchmark.studies.regression.measurement import Examples, Measurement
from benchmark.studies.study import set_of_clips
from benchmark.tasks.scenes import levels

#: The sets of the clips, and the columns of their groups.
SOURCES = {"language_id": "speaker", "esc50": "source_recording"}

#: Number of clips of each set, longest clip, s, and range of the levels, dB re full scale.
N_CLIPS, SECONDS, QUIETEST, LOUDEST = 400, 3.0, -65.0, -25.0


def scaled(samples: np.ndarray, wanted: float) -> np.ndarray:
    """Scale a clip to a level, or as close as :data:`benchmark.tasks.scenes.levels.PEAK` allows.

    Args:
        samples: ``(n_samples,)``, not all zero.
        wanted: root mean square, dB re full scale.

    Returns:
        ``(n_samples,)`` float32.

    Example:
        >>> round(levels.level(scaled(np.array([0.1, -0.1]), -40.0)), 4)
        -40.0
    """
    gain = 10 ** ((wanted - levels.level(samples)) / 20)
    return (samples * min(gain, levels.PEAK / np.abs(samples).max())).astype(np.float32)


def level(audio: Path, cache: Path, seed: int) -> Examples:
    """Speech and environmental sounds at uniformly distributed levels from ``QUIETEST`` to ``LOUDEST``."""
    rng = np.random.default_rng(seed)
    clips, groups, targets = [], [], []
    for name, together in SOURCES.items():
        source = load_set(audio / f"{name}.tar", cache)
        groups_of_source = column(source, together)
        taken = 0
        for row in rng.permutation(len(source)):
            clip = source.clip(int(row))[: int(SECONDS * source.sample_rate)]
            if not clip.any():  # silence has no level
                continue
            clips.append(scaled(clip, rng.uniform(QUIETEST, LOUDEST)))
            groups.append(f"{name} {groups_of_source[row]}")
            targets.append(levels.level(clips[-1]))
            taken += 1
            if taken == N_CLIPS:
                break
    manifest = pd.DataFrame({"group": groups, "target": targets})
    made = set_of_clips("level", manifest, clips, source.sample_rate)
    return Examples(made, np.arange(len(made)), np.array(targets), np.array(groups))


LEVEL = Measurement(
    "level",
    "level",
    "dB",
    f"speech and environmental sounds scaled to root mean squares of {QUIETEST:g} to {LOUDEST:g} dB re full scale; "
    "groups: speakers or source recordings",
    level,
)
