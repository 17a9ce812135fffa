"""The vectors that a teacher makes of a manifest's audio, computed once: one for each segment."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.data.manifest import ManifestClip, read_manifest
from byola_hear.pretraining.data.row_file import (
    MARKER_FILE,
    ROWS_FILE,
    append_rows,
    check_size,
    mapped,
    read_row_lengths,
)
from byola_hear.pretraining.distillation.teachers import Teacher, teach
from byola_hear.utils.files import locked, naming, write_file

DATA_FILE, INFO_FILE = "vectors.f32", "vectors.json"
#: Rows that a teacher gets at a time: one call for many short clips.
ROWS_TOGETHER = 32
#: Vectors whose statistics are computed at a time.
STATISTICS_PIECE = 4096


@dataclass(frozen=True)
class TeacherVectors:
    """A teacher's vectors of the segments of a cache's rows.

    Attributes:
        vectors: ``(n_vectors, size)`` float32, memory-mapped.
        starts: ``(n_rows,)`` int64 first vector of each row.
        counts: ``(n_rows,)`` int64 number of vectors of each row; 0 if the teacher does not teach it.
        mean: ``(size,)`` mean of each dimension.
        std: ``(size,)`` standard deviation of each dimension; 1 where it is constant.
        failed: the errors of rows that could not be read.
    """

    vectors: Tensor
    starts: Tensor
    counts: Tensor
    mean: Tensor
    std: Tensor
    failed: tuple[str, ...] = ()

    def of(self, row: Tensor, segment: Tensor) -> tuple[Tensor, Tensor]:
        """Look up segments of rows.

        Args:
            row: ``(n,)`` rows of the cache.
            segment: ``(n,)`` segments of these rows.

        Returns:
            ``(n, size)`` float32 standardised vectors, 0 for a segment without one, and ``(n,)`` whether it has one.
        """
        there = segment < self.counts[row]
        index = torch.where(there, self.starts[row] + segment, 0)
        values = self.vectors[index] if len(self.vectors) else torch.zeros(len(row), len(self.mean))
        standardised = (values - self.mean) / self.std
        return torch.where(there[:, None], standardised, 0.0), there


def segments_of(lengths: Tensor, segment_frames: int) -> Tensor:
    """Count the whole segments of each row, at least 1.

    Args:
        lengths: ``(n_rows,)`` frames of each row.
        segment_frames: frames of a segment.

    Returns:
        ``(n_rows,)`` int64.
    """
    return (lengths // segment_frames).clamp(min=1)


def teacher_vectors(
    teacher: Teacher,
    manifest: Path,
    cache: LogMelCache,
    cache_folder: Path,
    output: Path,
    segment_frames: int,
    progress: Callable[[int, int], None] | None = None,
) -> TeacherVectors:
    """Compute a teacher's vectors of all rows of a cache, or finish unfinished ones, or open finished ones.

    Args:
        teacher: the teacher.
        manifest: the manifest of the cache.
        cache: the cache.
        cache_folder: its folder.
        output: folder of the vectors of all teachers; each has a folder there.
        segment_frames: frames of a segment.
        progress: called with the number of rows done and of all rows.

    Raises:
        ValueError: if the teacher teaches a kind that the set lacks, or the folder holds vectors of something else, or
            another process is writing there, or none of the teacher's rows could be read.
    """
    if unknown := sorted(set(teacher.kinds) - set(cache.kinds)):
        known = ", ".join(sorted(set(cache.kinds) - {""})) or "none"
        raise ValueError(
            f"expected kinds of the set ({known}) for the teacher {teacher.name}, got {', '.join(unknown)}"
        )
    folder = output / re.sub(r"[^\w@+-]", "_", teacher.name)
    folder.mkdir(parents=True, exist_ok=True)
    identity = {
        "manifest_sha256": cache.info["manifest_sha256"],
        "rows": len(cache.starts),
        "segment_frames": segment_frames,
        "teacher": teacher.facts(),
        "kinds": list(teacher.kinds),
        # Of caches that are older than it, the manifest alone is known.
        **{name: cache.info[name] for name in ("data_sha256",) if name in cache.info},
    }
    if (folder / INFO_FILE).exists():
        return _opened(folder, identity)
    seconds = segment_frames * cache.frontend.hop_length / cache.frontend.sample_rate
    clips, counts = _readable(manifest, cache_folder), segments_of(cache.lengths, segment_frames).tolist()
    with naming(folder / DATA_FILE), open(folder / DATA_FILE, "ab") as data:
        if not locked(data):
            raise ValueError(f"{folder}: another process is computing these vectors; wait for it")
        # Another process may have finished them before it released the lock.
        if (folder / INFO_FILE).exists():
            return _opened(folder, identity)
        compute = partial(_vectors, teacher, clips, manifest.parent, counts, seconds)
        # One thread: a teacher need not bear being called from several.
        failed = append_rows(folder, data, identity, len(clips), compute, teacher.size * 4, 1, ROWS_TOGETHER, progress)
        lengths = read_row_lengths(folder)
        if not lengths.any():
            # The next call tries these rows again, as their files may exist then.
            for name in (ROWS_FILE, MARKER_FILE):
                (folder / name).unlink()
            raise ValueError(f"{manifest}: no vectors of the teacher {teacher.name}; the first error: {failed[0]}")
        mean, std = _statistics(mapped(folder / DATA_FILE, np.float32, teacher.size))
        info = {**identity, "mean": mean.tolist(), "std": std.tolist(), "failed": failed}
        write_file(folder / INFO_FILE, json.dumps(info) + "\n")
        (folder / MARKER_FILE).unlink()
    return _opened(folder, identity)


def _readable(manifest: Path, cache_folder: Path) -> list[ManifestClip]:
    """The rows of a manifest that its cache has."""
    return [clip for clip, length in zip(read_manifest(manifest), read_row_lengths(cache_folder)) if length]


def _vectors(
    teacher: Teacher, clips: list[ManifestClip], folder: Path, counts: list[int], seconds: float, rows: range
) -> list[np.ndarray | str]:
    chosen = slice(rows.start, rows.stop)
    found = teach(teacher, clips[chosen], folder, counts[chosen], seconds)
    return [each if isinstance(each, str) else each.numpy() for each in found]


def _opened(folder: Path, identity: dict[str, Any]) -> TeacherVectors:
    info = json.loads((folder / INFO_FILE).read_text(encoding="utf-8"))
    if any(info.get(key) != value for key, value in identity.items() if key != "data_sha256"):
        raise ValueError(f"{folder}: holds vectors of another manifest or teacher; choose another folder")
    if info.get("data_sha256") not in (None, identity.get("data_sha256")):
        raise ValueError(
            f"{folder}: the audio has changed since its vectors were computed; delete this folder to compute them anew"
        )
    counts = torch.from_numpy(read_row_lengths(folder))
    size = int(identity["teacher"]["size"])
    check_size(folder / DATA_FILE, int(counts.sum()) * size * 4)
    mean, std = (torch.tensor(info[name]) for name in ("mean", "std"))
    return TeacherVectors(
        mapped(folder / DATA_FILE, np.float32, size),
        counts.cumsum(0) - counts,
        counts,
        mean,
        std,
        tuple(info["failed"]),
    )


def _statistics(vectors: Tensor) -> tuple[Tensor, Tensor]:
    """The mean and standard deviation of each dimension, ``(size,)`` float32."""
    total, squares = torch.zeros(2, vectors.shape[1], dtype=torch.float64)
    for piece in vectors.split(STATISTICS_PIECE):
        total += piece.double().sum(dim=0)
        squares += piece.double().square().sum(dim=0)
    mean = total / len(vectors)
    std = (squares / len(vectors) - mean.square()).clamp(min=0).sqrt()
    return mean.float(), torch.where(std > 1e-4 * std.max(), std, 1.0).float()
