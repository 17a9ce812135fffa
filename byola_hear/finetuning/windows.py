"""The log-mels of labelled windows, computed once and kept in a file that is mapped into memory."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from byola_hear.audio.reading import read_audio
from byola_hear.classification.examples import Examples
from byola_hear.models.config import ModelConfig
from byola_hear.models.frame_features import feature_count
from byola_hear.models.frontend import frame_count, log_mel_of_padded, reflected
from byola_hear.models.pooling.grid import Grid
from byola_hear.models.pooling.timestamps import timestamp_centre
from byola_hear.utils.files import naming

#: Longest window that is trained on, s: a window goes through the network in one piece, with its gradients.
LONGEST = 30.0
#: Windows of a recording that are at most so far apart are decoded together, up to so much sound, s.
_GAP, _LONGEST_RUN = 1.0, 60.0
#: Sound beyond a window's ends that its outermost frames may see, s. The reader takes it for the end of the file if the
#: file ends there.
_MARGIN = 0.04


@dataclass(frozen=True)
class Windows:
    """Log-mels of windows.

    Attributes:
        frames: ``(total, n_mels)`` float32, all windows one after another; memory-mapped.
        starts: ``(n,)`` first frame of each window.
        lengths: ``(n,)`` frames of each window.
        counts: ``(n,)`` frame features that are centred in each window, and so make its embedding.
    """

    frames: NDArray[np.float32]
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    counts: NDArray[np.int64]

    def batch(self, rows: Sequence[int] | NDArray[np.intp], fill: float) -> tuple[Tensor, Tensor]:
        """Put windows together.

        Args:
            rows: numbers of windows.
            fill: value beyond the ends of shorter ones.

        Returns:
            ``(n, 1, n_mels, longest)`` float32, and the true lengths and the counts, ``(n, 2)``.
        """
        lengths = self.lengths[rows]
        batch = np.full((len(rows), int(lengths.max()), self.frames.shape[1]), fill, np.float32)
        for place, (start, length) in enumerate(zip(self.starts[rows].tolist(), lengths.tolist(), strict=True)):
            batch[place, :length] = self.frames[start : start + length]
        sizes = np.stack([lengths, self.counts[rows]], axis=1)
        return torch.from_numpy(batch).transpose(1, 2)[:, None], torch.from_numpy(sizes)


def check_lengths(examples: Examples) -> None:
    """Refuse windows that are too long to train on.

    Args:
        examples: the windows.

    Raises:
        ValueError: if a window is longer than :data:`LONGEST`.
    """
    if (longest := float((examples.end - examples.start).max())) > LONGEST + 0.5:
        raise ValueError(
            f"expected windows of at most {LONGEST:g} s to fine-tune on, got {longest:g} s; give a shorter --window"
        )


def log_mels(
    examples: Examples,
    config: ModelConfig,
    path: Path,
    workers: int | None = None,
    on_window: Callable[[int], None] | None = None,
) -> Windows:
    """Compute the log-mels of windows, or take them from the file of an earlier call.

    A window's outermost frames see the sound around it.

    Args:
        examples: the windows.
        config: of the network: front end, and log-mel frames per frame feature.
        path: the file. If it exists, it has to be of the same windows.
        workers: number of threads; None for two.
        on_window: called with the number of windows that are done.

    Returns:
        The log-mels.

    Raises:
        ValueError: if the file is not of these windows.
        AudioFileError: if a recording can't be read.
        OSError: if there is not enough space on the disk.
    """
    frontend = config.frontend
    rate = frontend.sample_rate
    firsts = np.round(examples.start * rate).astype(np.int64)
    stops = np.maximum(np.round(examples.end * rate).astype(np.int64), firsts + 1)
    lengths = np.array([frame_count(int(n), frontend) for n in stops - firsts], np.int64)
    counts = np.array([_count(int(n), config) for n in stops - firsts], np.int64)
    shape = (int(lengths.sum()), frontend.n_mels)
    starts = np.cumsum(lengths) - lengths
    n_bytes = shape[0] * shape[1] * 4
    if not path.exists():
        if (free := shutil.disk_usage(path.parent).free) < 1.05 * n_bytes:
            raise OSError(f"{path.parent}: the log-mels take {n_bytes / 1e9:.1f} GB, the disk has {free / 1e9:.1f} GB")
        temporary = path.with_name(f"{path.name}.partial")
        _allocate(temporary, n_bytes)
        frames = np.memmap(temporary, np.float32, "r+", shape=shape)

        def compute(run: tuple[str, list[int]]) -> int:
            file, rows = run
            begin = max(float(examples.start[rows].min()) - _MARGIN, 0.0)
            sound = read_audio(file, rate, begin, float(examples.end[rows].max()) + _MARGIN)
            origin = round(begin * rate)
            for row in rows:
                first = int(firsts[row]) - origin - frontend.n_fft // 2
                last = first + frontend.n_fft + (int(lengths[row]) - 1) * frontend.hop_length
                padded = reflected(torch.from_numpy(sound), first, last)
                log_mel = log_mel_of_padded(padded, frontend).T.numpy()
                frames[starts[row] : starts[row] + lengths[row]] = log_mel
            return len(rows)

        with ThreadPoolExecutor(workers or 2) as pool:
            done = 0
            try:
                for count in pool.map(compute, _runs(examples)):
                    done += count
                    if on_window is not None:
                        on_window(done)
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        frames.flush()
        del frames
        os.replace(temporary, path)
    if path.stat().st_size != n_bytes:
        raise ValueError(
            f"{path}: expected {n_bytes} bytes of log-mels, got {path.stat().st_size}; give --overwrite to begin again"
        )
    return Windows(np.memmap(path, np.float32, "r", shape=shape), starts, lengths, counts)


def _allocate(path: Path, n_bytes: int) -> None:
    """Make a file and reserve its space. If the disk were full later, the system would end the process, with no error.

    Looking at the free space is not enough: a quota may forbid some of it, and others may fill it meanwhile.

    Args:
        path: the file.
        n_bytes: its size, bytes.

    Raises:
        OSError: if the disk lacks room; it names the file, which is removed.
    """
    with naming(path), open(path, "wb") as stream:
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(stream.fileno(), 0, n_bytes)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):  # a file system that can't promise room
                path.unlink()
                raise
        stream.truncate(n_bytes)


def _count(n_samples: int, config: ModelConfig) -> int:
    """Frame features that are centred in a window, as its embedding pools them."""
    stride, hop_length = config.encoder.stride, config.frontend.hop_length
    grid = Grid(n_samples, n_samples, 0.0, timestamp_centre(0, stride, hop_length), float(stride * hop_length))
    first, last = grid.frames(0)
    return max(min(last, feature_count(frame_count(n_samples, config.frontend), stride)) - first, 1)


def _runs(examples: Examples) -> list[tuple[str, list[int]]]:
    """Windows of a recording that are decoded together: next to each other and not too long in all."""
    runs: list[tuple[str, list[int]]] = []
    order = sorted(range(len(examples)), key=lambda row: (str(examples.file[row]), float(examples.start[row])))
    file, begin, end = "", 0.0, 0.0
    for row in order:
        start, stop = float(examples.start[row]), float(examples.end[row])
        if not runs or examples.file[row] != file or start > end + _GAP or stop - begin > _LONGEST_RUN:
            file, begin, end = str(examples.file[row]), start, stop
            runs.append((file, []))
        runs[-1][1].append(row)
        end = max(end, stop)
    return runs
