"""Write small labelled sets for tests."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

RATE = 16000


def write_set(
    folder: Path, name: str, rows: Sequence[Mapping[str, str]], clips: Sequence[np.ndarray], rate: int = RATE
) -> Path:
    """Write ``FOLDER/NAME.tar`` with WAV files.

    Args:
        folder: an existing folder.
        name: the set's name.
        rows: the manifest's rows; without a column ``file``, the files are named by their numbers.
        clips: ``(n_samples,)`` each, int16 or floats in [-1, 1].
        rate: of the clips, Hz.
    """
    named = [{"file": f"{number}.wav", **row} for number, row in enumerate(rows)]
    files = [row["file"] for row in named]
    members = {"manifest.csv": pd.DataFrame(named).to_csv(index=False).encode()}
    for file, samples in zip(files, clips, strict=True):
        stream = io.BytesIO()
        soundfile.write(stream, samples, rate, format="WAV", subtype="PCM_16")
        members[f"audio/{file}"] = stream.getvalue()
    path = folder / f"{name}.tar"
    with tarfile.open(path, "w") as tar:
        for member, content in members.items():
            info = tarfile.TarInfo(f"{name}/{member}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path
