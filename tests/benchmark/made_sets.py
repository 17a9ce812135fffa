"""Small labelled sets in the form of the public ones, for tests of studies."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.benchmark.labelled_sets import RATE, write_set

#: Columns that the studies look at, beside ``file``.
COLUMNS = {
    "spoken_digits": "label,speaker,split",
    "speech_commands_12": "label,speaker,split",
    "language_id": "label,speaker,split,gender",
    "read_speech_speakers": "speaker,gender,age_group,age,split",
    "vocal_bursts": "label,speaker,split",
    "emodb": "emotion,speaker,gender",
    "esc50": "label,fold,esc10,source_recording",
    "orchestral_notes": "label,midi_pitch,dynamics,split,note",
    "drum_strokes": "label,split,stroke,microphone",
}


def write_all_sets(folder: Path, n_clips: int = 12) -> None:
    """Every set, tones and noises of a quarter of a second, of as many clips."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for name, columns in COLUMNS.items():
        rows = []
        for index in range(n_clips):
            values = {
                "label": "abc"[index % 3],
                "emotion": "abc"[index % 3],
                "split": ("train", "train", "valid", "test")[index // 3 % 4],
                "gender": "fm"[index // 4 % 2],
                "age_group": ("adult", "child")[index % 2],
                "fold": str(index % 5),
                "esc10": "False",
                "microphone": "xy"[index % 2],
                "dynamics": ("piano", "forte")[index % 2],
            }
            rows.append({column: values.get(column, str(index // 2)) for column in columns.split(",")})
        pitch = 150 * 2 ** rng.uniform(0, 3, n_clips)
        tones = [np.sin(2 * np.pi * hertz * np.arange(4000) / RATE) for hertz in pitch]
        clips = [
            10 ** rng.uniform(-2, -0.4) * (tone + rng.uniform(0, 0.5) * rng.standard_normal(4000)) / 3 for tone in tones
        ]
        write_set(folder, name, rows, clips)
