"""Recordings to put labels on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile


def tone(path: Path, seconds: float, rate: int = 8000) -> Path:
    """Write a tone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * np.sin(np.arange(int(seconds * rate)) * 0.5), rate)
    return path
