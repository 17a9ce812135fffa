"""Published correlations with the 21 timbre spaces, for scale."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

#: The published numbers, whose source is in the README next to them.
TIMBRE_SPACES = Path(__file__).parents[2] / "published" / "timbre_spaces.csv"
#: Their source, and what differs from our measurement.
SOURCE = "timbremetrics (github.com/tiianhk/timbremetrics, c611b3a), measured on sounds at 44.1 kHz"

#: The representations that are shown next to ours, and how they are called there.
SHOWN = {
    "mfcc": "MFCC sequence",
    "clap-laion-music": "CLAP (LAION, music)",
    "clap-2023": "CLAP (Microsoft, 2023)",
    "jtfs": "jTFS sequence",
    "time-avg_jtfs": "jTFS",
    "time-avg_mfcc": "MFCC",
    "time-avg_music2latent": "Music2Latent",
    "time-avg_encodec-emb": "EnCodec",
    "time-avg_dac-44kHz": "DAC",
}


def published_timbre(path: Path = TIMBRE_SPACES) -> dict[str, float]:
    """Published correlations by anchor under the cosine distance, by name, the largest first.

    Raises:
        ValueError: if the table lacks a representation.
    """
    table = pd.read_csv(path)
    cosine = table[table["distance"] == "cosine"].set_index("representation")["spearman"]
    missing = [name for name in SHOWN if name not in cosine.index]
    if missing:
        raise ValueError(f"{path}: expected the representation {missing[0]!r}, found {', '.join(cosine.index)}")
    found = {title: float(cosine[name]) for name, title in SHOWN.items()}
    return dict(sorted(found.items(), key=lambda item: -item[1]))
