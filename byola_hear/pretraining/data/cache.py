"""The log-mel cache: every row of a manifest, decoded and transformed once.

A cache is a folder of four files. ``log_mel.f16`` contains the frames of all rows one after another: frames × bands,
float16, without a header, memory-mapped when read. ``rows.csv`` contains the length of each row. ``cache.json``
contains the front end, the statistics, and facts of the manifest. ``stamps.i64`` tells whether audio has changed since.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from byola_hear.models.frontend import FrontendConfig
from byola_hear.pretraining.data.row_file import check_size, mapped, read_row_lengths

DATA_FILE, INFO_FILE = "log_mel.f16", "cache.json"


@dataclass(frozen=True)
class LogMelCache:
    """A finished cache, opened for reading.

    Attributes:
        frames: ``(total_frames, n_mels)`` float16 log-mel, memory-mapped or on a device.
        starts: ``(n_rows,)`` int64 first frame of each row.
        lengths: ``(n_rows,)`` int64 number of frames of each row.
        frontend: front end that computed the frames.
        mean: mean of the log-mel values of random crops.
        std: standard deviation of these values.
        info: the contents of ``cache.json``: hours by source, kind and licence, how the set was matched with others,
            the hashes of the manifest and of the frames, and the rows that failed.
        kinds: kind of sound of each row; empty if the manifest was not read.
        partners: ``(n_rows,)`` int64 row that plays the same note as each row, or the row itself; None if the
            manifest was not read.
    """

    frames: Tensor
    starts: Tensor
    lengths: Tensor
    frontend: FrontendConfig
    mean: float
    std: float
    info: dict[str, Any]
    kinds: tuple[str, ...] = ()
    partners: Tensor | None = None

    def to(self, device: torch.device) -> LogMelCache:
        """The same cache with all its frames on a device."""
        frames, starts, lengths = (tensor.to(device) for tensor in (self.frames, self.starts, self.lengths))
        return replace(self, frames=frames, starts=starts, lengths=lengths)


def open_data(output: Path, frontend: FrontendConfig) -> tuple[Tensor, Tensor, Tensor]:
    """Map the frames into memory, and return them with the start and length of each readable row."""
    lengths = read_row_lengths(output)
    lengths = lengths[lengths > 0]
    check_size(output / DATA_FILE, int(lengths.sum()) * frontend.n_mels * 2)
    starts = np.cumsum(lengths) - lengths
    return mapped(output / DATA_FILE, np.float16, frontend.n_mels), torch.from_numpy(starts), torch.from_numpy(lengths)


def open_cache(folder: str | os.PathLike[str]) -> LogMelCache:
    """Open a finished cache.

    Raises:
        FileNotFoundError: if the folder holds no finished cache.
        ValueError: if its data file is shorter than its rows.
    """
    folder = Path(folder)
    if not (folder / INFO_FILE).exists():
        raise FileNotFoundError(f"{folder}: no finished log-mel cache in this folder ({INFO_FILE} is missing)")
    info = json.loads((folder / INFO_FILE).read_text(encoding="utf-8"))
    frontend = FrontendConfig(**info["frontend"])
    return LogMelCache(*open_data(folder, frontend), frontend, info["mean"], info["std"], info)
