"""Rows of a manifest that play the same note of a SoundFont, softly and loudly."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from byola_hear.pretraining.data.manifest import ManifestClip

#: The path of a rendered note: SoundFont, preset and key, and the velocity.
_NOTE = re.compile(r"^(?P<note>.*/notes/[^/]+/\d{3})-\d{3}\.")


def partner_rows(clips: Sequence[ManifestClip]) -> np.ndarray:
    """Find for each row the next one that plays the same note of the same instrument, with another velocity.

    Args:
        clips: rows of a manifest.

    Returns:
        ``(n_rows,)`` int64 index of the partner; a row without one is its own partner.

    Example:
        >>> paths = ["gm.sf2/notes/000-000_Piano/060-056.flac", "a.wav", "gm.sf2/notes/000-000_Piano/060-108.flac"]
        >>> partner_rows([ManifestClip(path, 1.0, 16000) for path in paths])
        array([2, 1, 0])
    """
    notes: dict[str, list[int]] = {}
    for index, clip in enumerate(clips):
        match = _NOTE.match(clip.path)
        if match:
            notes.setdefault(match["note"], []).append(index)
    partners = np.arange(len(clips), dtype=np.int64)
    for rows in notes.values():
        # In a circle, so that every row of a note is the partner of another one.
        partners[rows] = rows[1:] + rows[:1]
    return partners
