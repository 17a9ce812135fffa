"""The log-mel cache: every row of a manifest decoded and transformed once, for crops drawn in any order afterwards.

A cache is a folder: ``log_mel.f16`` holds the frames of all rows one after another (frames × bands, float16 without
a header, memory-mapped when read), ``rows.csv`` where each row begins and how long it is, ``cache.json`` the front end,
the statistics and the manifest it was made from.
"""

from __future__ import annotations

import csv
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from byola_hear.models.frontend import FrontendConfig

DATA_FILE, ROWS_FILE, INFO_FILE = "log_mel.f16", "rows.csv", "cache.json"


@dataclass(frozen=True)
class LogMelCache:
    """A finished cache, opened for reading.

    Attributes:
        frames: ``(total_frames, n_mels)`` float16 log-mel, memory-mapped or on a device.
        starts: ``(n_rows,)`` int64, first frame of each row.
        lengths: ``(n_rows,)`` int64, frames of each row.
        frontend: the front end it was made with.
        mean: mean log-mel value over random crops.
        std: standard deviation of the same.
        info: all of ``cache.json``: hours by source, kind and licence, how the set was matched with others, the
            manifest's hash, rows that failed.
    """

    frames: Tensor
    starts: Tensor
    lengths: Tensor
    frontend: FrontendConfig
    mean: float
    std: float
    info: dict[str, Any]

    def to(self, device: torch.device) -> LogMelCache:
        """The same cache with all frames on a device."""
        frames, starts, lengths = (tensor.to(device) for tensor in (self.frames, self.starts, self.lengths))
        return replace(self, frames=frames, starts=starts, lengths=lengths)


def check_size(output: Path, expected: int) -> None:
    """Refuse a data file that is shorter than its rows say; a longer one ends with a row that was being written."""
    size = (output / DATA_FILE).stat().st_size
    if size < expected:
        raise ValueError(f"{output / DATA_FILE}: expected {expected} bytes, got {size}; build it in a new folder")


def read_row_lengths(output: Path) -> np.ndarray:
    """``(n_rows,)`` int64 frames of each of the manifest's rows, 0 for one that could not be read."""
    with open(output / ROWS_FILE, newline="", encoding="utf-8") as file:
        return np.array([int(entry[1]) for entry in csv.reader(file)], dtype=np.int64)


def open_data(output: Path, frontend: FrontendConfig) -> tuple[Tensor, Tensor, Tensor]:
    """The frames, memory-mapped, with each readable row's start and length."""
    lengths = read_row_lengths(output)
    lengths = lengths[lengths > 0]
    check_size(output, int(lengths.sum()) * frontend.n_mels * 2)
    starts = np.cumsum(lengths) - lengths
    # Mode "c" maps privately: torch wants writable memory, and the file must never change.
    data = np.memmap(output / DATA_FILE, dtype=np.float16, mode="c")
    frames = torch.from_numpy(data).reshape(-1, frontend.n_mels)
    return frames, torch.from_numpy(starts), torch.from_numpy(lengths)


def open_cache(folder: str | os.PathLike[str]) -> LogMelCache:
    """Open a finished cache.

    Raises:
        FileNotFoundError: if the folder holds none.
        ValueError: if its data file is shorter than its rows say.
    """
    folder = Path(folder)
    if not (folder / INFO_FILE).exists():
        raise FileNotFoundError(f"{folder}: no finished log-mel cache there ({INFO_FILE} is missing)")
    info = json.loads((folder / INFO_FILE).read_text(encoding="utf-8"))
    frontend = FrontendConfig(**info["frontend"])
    return LogMelCache(*open_data(folder, frontend), frontend, info["mean"], info["std"], info)
