"""Small labelled sets out of numbers, in the tars that the benchmark reads."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import soundfile


def clip(number: int, n_samples: int = 800) -> np.ndarray:
    """``(n_samples,)`` int16 noise, another for each number."""
    return np.random.default_rng(number).integers(-9000, 9000, n_samples).astype(np.int16)


def write_set(folder: Path, name: str, rows: list[dict[str, str]], clips: list[np.ndarray]) -> Path:
    """``FOLDER/NAME.tar`` of wav files.

    Args:
        folder: where to.
        name: the set's name.
        rows: the manifest's, each with a ``file``.
        clips: int16 samples at 16 kHz, one a row.
    """
    columns = list(rows[0])
    lines = [",".join(columns), *(",".join(row[column] for column in columns) for row in rows)]
    members = {f"{name}/manifest.csv": ("\n".join(lines) + "\n").encode()}
    for row, samples in zip(rows, clips, strict=True):
        stream = io.BytesIO()
        soundfile.write(stream, samples, 16000, format="WAV", subtype="PCM_16")
        members[f"{name}/audio/{row['file']}"] = stream.getvalue()
    path = folder / f"{name}.tar"
    with tarfile.open(path, "w") as tar:
        for member, data in members.items():
            info = tarfile.TarInfo(member)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path
