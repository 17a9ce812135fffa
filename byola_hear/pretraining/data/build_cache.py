"""Build the log-mel cache of a manifest.

An hour of audio takes 46 MB. If building is interrupted, the same call continues after the last finished row.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from byola_hear.models.frontend import FrontendConfig
from byola_hear.pretraining.data.cache import DATA_FILE, INFO_FILE, LogMelCache, open_cache, open_data
from byola_hear.pretraining.data.changes import changed_row, keep_stamps
from byola_hear.pretraining.data.clip_log_mel import PIECE_FRAMES, cached_log_mel
from byola_hear.pretraining.data.crops import crop_statistics
from byola_hear.pretraining.data.manifest import ManifestClip, hours, read_manifest, summary
from byola_hear.pretraining.data.matching import matching_of
from byola_hear.pretraining.data.notes import partner_rows
from byola_hear.pretraining.data.row_file import MARKER_FILE, ROWS_FILE, append_rows, read_row_lengths
from byola_hear.utils.files import file_hash, locked, naming, write_file

#: Log-mels of silence alone have a smaller standard deviation, which is rounding. Sound has one above 1.
_SILENT = 0.01
#: A manifest's length that differs less from that of the log-mel, which has whole frames, is the same, in s.
_ROUNDED_S = 0.1


def build_cache(
    manifest: str | os.PathLike[str],
    output: str | os.PathLike[str],
    frontend: FrontendConfig | None = None,
    workers: int = 2,
    statistics_crops: int = 10_000,
    crop_frames: int = 96,
    seed: int = 42,
    progress: Callable[[int, int], None] | None = None,
) -> LogMelCache:
    """Build the cache of a manifest, or finish an unfinished one, or open a finished one.

    Args:
        manifest: path of the manifest.
        output: folder of the cache.
        frontend: the front end. None takes that of BYOL-A v2.
        workers: number of decoding threads.
        statistics_crops: number of random crops for the mean and standard deviation; 10 000 in the paper.
        crop_frames: length of these crops, in frames.
        seed: seed of these crops.
        progress: called with the number of rows done and of all rows.

    Returns:
        The opened cache.

    Raises:
        ValueError: if the folder holds the cache of another manifest or front end, of audio that has changed since, or
            less data than its rows need; if another process is building this cache; if no row could be read; or if all
            audio is silent.
    """
    manifest, output = Path(manifest), Path(output)
    frontend = frontend or FrontendConfig()
    clips = read_manifest(manifest)
    identity = {
        "manifest_sha256": file_hash(manifest),
        "frontend": frontend.to_dict(),
    }
    output.mkdir(parents=True, exist_ok=True)
    if (output / INFO_FILE).exists():
        return _described(_opened(output, identity), clips, manifest.parent, output)
    with naming(output / DATA_FILE), open(output / DATA_FILE, "ab") as data:
        if not locked(data):
            raise ValueError(f"{output}: another process is building this cache; wait for it, or choose another folder")
        # Another process may have finished the cache before it released the lock.
        if (output / INFO_FILE).exists():
            return _described(_opened(output, identity), clips, manifest.parent, output)
        if not (output / MARKER_FILE).exists() and not (output / ROWS_FILE).exists():
            keep_stamps(clips, manifest.parent, output)
        failed = append_rows(
            output,
            data,
            identity,
            len(clips),
            partial(_log_mels, clips, manifest.parent, frontend),
            frontend.n_mels * 2,
            workers,
            progress=progress,
        )
        row_lengths = read_row_lengths(output)
        if not row_lengths.any():
            _discard(output)
            raise ValueError(f"{manifest}: no row could be read; the first error: {failed[0]}")
        drawn = LogMelCache(*open_data(output, frontend), frontend, 0.0, 1.0, {})
        mean, std = crop_statistics(drawn, statistics_crops, crop_frames, seed)
        if std < _SILENT:
            _discard(output)
            raise ValueError(f"{manifest}: expected sound, got silence alone")
        read = [_as_decoded(clip, int(length), frontend) for clip, length in zip(clips, row_lengths) if length]
        info = {
            **identity,
            "mean": mean,
            "std": std,
            "rows": len(drawn.starts),
            "hours": hours(read),
            "sources": [asdict(total) for total in summary(read)],
            "matching": matching_of(manifest),
            "failed": failed,
            "data_sha256": _digest(drawn),
        }
        write_file(output / INFO_FILE, json.dumps(info, indent=1, ensure_ascii=False) + "\n")
        (output / MARKER_FILE).unlink()
    return _described(open_cache(output), clips, manifest.parent, output)


def _as_decoded(clip: ManifestClip, n_frames: int, frontend: FrontendConfig) -> ManifestClip:
    """A clip with the length of its log-mel, if the manifest states another: a file may have changed since, for one."""
    seconds = (n_frames - 1) * frontend.hop_length / frontend.sample_rate
    return clip if abs(clip.duration_s - seconds) < _ROUNDED_S else replace(clip, duration_s=seconds)


def _discard(output: Path) -> None:
    """Forget all rows. The next call tries them again, as their files may exist, or be others, then."""
    for name in (ROWS_FILE, MARKER_FILE):
        (output / name).unlink()


def _log_mels(clips: list[ManifestClip], folder: Path, frontend: FrontendConfig, rows: range) -> list[np.ndarray | str]:
    """Compute the log-mels of some rows, or say why that failed."""
    results: list[np.ndarray | str] = []
    for row in rows:
        try:
            results.append(cached_log_mel(clips[row], folder, frontend))
        except ValueError as error:
            results.append(str(error))
    return results


def _digest(cache: LogMelCache) -> str:
    """The SHA-256 of all frames, hexadecimal."""
    digest = hashlib.sha256()
    for piece in cache.frames.split(PIECE_FRAMES):
        digest.update(piece.numpy().tobytes())
    return digest.hexdigest()


def _described(cache: LogMelCache, clips: list[ManifestClip], folder: Path, output: Path) -> LogMelCache:
    """Add what the manifest says of each readable row, whose audio must not have changed."""
    lengths = read_row_lengths(output)
    ends = lengths.cumsum()

    def stored(row: int) -> np.ndarray:
        return cache.frames[ends[row] - lengths[row] : ends[row]].numpy()

    def compute(row: int) -> np.ndarray:
        try:
            return cached_log_mel(clips[row], folder, cache.frontend)
        except ValueError as error:
            raise ValueError(
                f"{error}; it could be read when its log-mel was computed; delete {output} to do without it"
            ) from None

    row = changed_row(clips, folder, output, lengths, stored, compute)
    if row is not None:
        raise ValueError(
            f"{folder / clips[row].path}: has changed since its log-mel was computed; "
            f"delete {output} to compute it anew"
        )
    read = [clip for clip, length in zip(clips, lengths) if length]
    return replace(cache, kinds=tuple(clip.kind for clip in read), partners=torch.from_numpy(partner_rows(read)))


def _opened(output: Path, identity: dict[str, Any]) -> LogMelCache:
    """Open a finished cache of the given identity."""
    cache = open_cache(output)
    if any(cache.info[key] != value for key, value in identity.items()):
        raise ValueError(f"{output}: holds the cache of another manifest or front end; choose another folder")
    return cache
