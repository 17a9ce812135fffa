"""Build the log-mel cache of a manifest.

An hour of audio takes 46 MB. If building is interrupted, the same call continues after the last finished row.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch

from byola_hear.models.frontend import FrontendConfig
from byola_hear.pretraining.data.cache import (
    DATA_FILE,
    INFO_FILE,
    ROWS_FILE,
    LogMelCache,
    check_size,
    open_cache,
    open_data,
    read_row_lengths,
)
from byola_hear.pretraining.data.clip_log_mel import cached_log_mel
from byola_hear.pretraining.data.crops import crop_statistics
from byola_hear.pretraining.data.manifest import ManifestClip, hours, read_manifest, summary
from byola_hear.pretraining.data.matching import matching_of
from byola_hear.pretraining.data.notes import partner_rows
from byola_hear.utils.files import locked, replacing

#: File that names the manifest and front end of an unfinished cache.
MARKER_FILE = "building.json"


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
        ValueError: if the folder holds the cache of another manifest or front end, or less data than its rows need; if
            another process is building this cache; or if no row could be read.
    """
    manifest, output = Path(manifest), Path(output)
    frontend = frontend or FrontendConfig()
    clips = read_manifest(manifest)
    identity = {
        "manifest_sha256": hashlib.sha256(manifest.read_bytes()).hexdigest(),
        "frontend": frontend.to_dict(),
    }
    output.mkdir(parents=True, exist_ok=True)
    if (output / INFO_FILE).exists():
        return _described(_opened(output, identity), clips, output)
    with open(output / DATA_FILE, "ab") as data:
        if not locked(data):
            raise ValueError(f"{output}: another process is building this cache; wait for it, or choose another folder")
        # Another process may have finished the cache before it released the lock.
        if (output / INFO_FILE).exists():
            return _described(_opened(output, identity), clips, output)
        failed = _append_rows(clips, manifest.parent, output, data, frontend, identity, workers, progress)
        row_lengths = read_row_lengths(output)
        if not row_lengths.any():
            # The next call tries these rows again, as their files may exist then.
            (output / ROWS_FILE).unlink()
            (output / MARKER_FILE).unlink()
            raise ValueError(f"{manifest}: no row could be read; the first error: {failed[0]}")
        drawn = LogMelCache(*open_data(output, frontend), frontend, 0.0, 1.0, {})
        mean, std = crop_statistics(drawn, statistics_crops, crop_frames, seed)
        read = [clip for clip, length in zip(clips, row_lengths) if length]
        info = {
            **identity,
            "mean": mean,
            "std": std,
            "rows": len(drawn.starts),
            "hours": hours(read),
            "sources": [asdict(total) for total in summary(read)],
            "matching": matching_of(manifest),
            "failed": failed,
        }
        with replacing(output / INFO_FILE) as file:
            file.write((json.dumps(info, indent=1, ensure_ascii=False) + "\n").encode())
        (output / MARKER_FILE).unlink()
    return _described(open_cache(output), clips, output)


def _described(cache: LogMelCache, clips: list[ManifestClip], output: Path) -> LogMelCache:
    """Add what the manifest says of each readable row."""
    read = [clip for clip, length in zip(clips, read_row_lengths(output)) if length]
    return replace(cache, kinds=tuple(clip.kind for clip in read), partners=torch.from_numpy(partner_rows(read)))


def _opened(output: Path, identity: dict[str, Any]) -> LogMelCache:
    """Open a finished cache of the given identity."""
    cache = open_cache(output)
    if any(cache.info[key] != value for key, value in identity.items()):
        raise ValueError(f"{output}: holds the cache of another manifest or front end; choose another folder")
    return cache


def _append_rows(
    clips: list[ManifestClip],
    folder: Path,
    output: Path,
    data: IO[bytes],
    frontend: FrontendConfig,
    identity: dict[str, Any],
    workers: int,
    progress: Callable[[int, int], None] | None,
) -> list[str]:
    """Decode the missing rows and append them to the data file. Return the errors of the rows that failed."""
    marker = output / MARKER_FILE
    stored = json.loads(marker.read_text(encoding="utf-8")) if marker.exists() else None
    if stored != identity and (stored or (output / ROWS_FILE).exists()):
        raise ValueError(f"{output}: holds an unfinished cache of another manifest or front end; choose another folder")
    with replacing(marker) as file:
        file.write(json.dumps(identity).encode())
    done, failed, size = _rows_done(output, frontend.n_mels * 2)
    check_size(output, size)
    data.truncate(size)
    with open(output / ROWS_FILE, "a", newline="", encoding="utf-8") as rows:
        writer = csv.writer(rows, lineterminator="\n")
        with ThreadPoolExecutor(max(1, workers)) as pool:
            for index, result in _in_order(pool, clips, done, folder, frontend, workers):
                if isinstance(result, str):
                    failed.append(result)
                    writer.writerow([index, 0, result])
                else:
                    data.write(result.tobytes())
                    data.flush()
                    writer.writerow([index, len(result), ""])
                # A row is listed after its data is written, so the data of a listed row is complete.
                rows.flush()
                if progress is not None:
                    progress(index + 1, len(clips))
    return failed


def _in_order(
    pool: ThreadPoolExecutor, clips: list[ManifestClip], done: int, folder: Path, frontend: FrontendConfig, workers: int
) -> Iterator[tuple[int, np.ndarray | str]]:
    """Decode a few rows at a time, and yield them in the manifest's order."""

    def work(clip: ManifestClip) -> np.ndarray | str:
        try:
            return cached_log_mel(clip, folder, frontend)
        except ValueError as error:
            return str(error)

    waiting = iter(range(done, len(clips)))
    queue = [(index, pool.submit(work, clips[index])) for index in islice(waiting, 4 * max(1, workers))]
    while queue:
        index, future = queue.pop(0)
        yield index, future.result()
        for following in islice(waiting, 1):
            queue.append((following, pool.submit(work, clips[following])))


def _rows_done(output: Path, frame_bytes: int) -> tuple[int, list[str], int]:
    """Count the rows of an unfinished cache. Return it with the errors of failed rows and the bytes of their data."""
    path = output / ROWS_FILE
    if not path.exists():
        return 0, [], 0
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        path.write_text(whole, encoding="utf-8")
    entries = list(csv.reader(whole.splitlines()))
    frames = sum(int(entry[1]) for entry in entries)
    return len(entries), [entry[2] for entry in entries if entry[2]], frames * frame_bytes
