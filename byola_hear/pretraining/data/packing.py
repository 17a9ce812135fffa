"""Pack the log-mel caches of several training sets into pieces that are small enough to carry to another machine.

Sets that share clips share their frames. A value takes 8 bits, a step of about 0.4 dB, and differences from frame to
frame are compressed: an hour takes some 15 MB instead of 46. On the other machine the frames are unpacked to half
precision and stay on its device.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from byola_hear.models.frontend import FrontendConfig
from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.data.manifest import read_manifest
from byola_hear.pretraining.data.row_file import read_row_lengths
from byola_hear.utils.files import file_hash, write_file

INDEX_FILE = "pack.json"
#: Values from 0 to this take 8 bits.
_TOP = 255


@dataclass(frozen=True)
class PackSource:
    """A training set to pack.

    Attributes:
        name: name of the set.
        manifest: its manifest.
        folder: folder of its cache.
        cache: the opened cache.
    """

    name: str
    manifest: Path
    folder: Path
    cache: LogMelCache


def pack(sources: Sequence[PackSource], folder: Path, piece_bytes: int) -> list[Path]:
    """Write the frames of training sets as pieces, and an index.

    Args:
        sources: sets of the same front end.
        folder: folder to write to. It is created.
        piece_bytes: largest size of a piece, in bytes.

    Returns:
        The paths of all files that belong together.

    Raises:
        ValueError: if there is no set, names are not different, front ends differ, or pieces are too small for a row.
    """
    names = [source.name for source in sources]
    if not sources or len(set(names)) < len(names):
        raise ValueError(f"expected one or more sets of different names, got {', '.join(names) or 'none'}")
    frontend = sources[0].cache.frontend
    if any(source.cache.frontend != frontend for source in sources):
        raise ValueError("expected caches of one front end, got several")
    folder.mkdir(parents=True, exist_ok=True)
    low, high = _range(sources)
    places: dict[tuple[str, float, float], int] = {}
    lengths: list[int] = []
    sets: dict[str, Any] = {}
    writer = _PieceWriter(folder, piece_bytes)
    for source in sources:
        rows = []
        for key, (start, length) in zip(_keys(source), _spans(source.cache)):
            if key not in places:
                places[key] = len(lengths)
                lengths.append(length)
                frames = source.cache.frames[start : start + length].float().numpy()
                writer.add(_packed(frames, low, high))
            rows.append(places[key])
        cache, partners = source.cache, source.cache.partners
        sets[source.name] = {
            "rows": rows,
            "mean": cache.mean,
            "std": cache.std,
            "kinds": list(cache.kinds),
            "partners": None if partners is None else partners.tolist(),
            "info": cache.info,
        }
    pieces = writer.finish()
    index = {
        "frontend": frontend.to_dict(),
        "low": low,
        "high": high,
        "lengths": lengths,
        "pieces": [{"file": path.name, "sha256": file_hash(path)} for path in pieces],
        "sets": sets,
    }
    write_file(folder / INDEX_FILE, json.dumps(index))
    return [*pieces, folder / INDEX_FILE]


def unpack(folder: Path, device: torch.device) -> dict[str, LogMelCache]:
    """Read packed training sets.

    Args:
        folder: folder with all pieces and the index.
        device: device that the frames are kept on.

    Returns:
        The cache of each set. They share their frames.

    Raises:
        FileNotFoundError: if the index or a piece is missing.
        ValueError: if a piece is damaged, or the index is not one of packed sets.
    """
    if not (folder / INDEX_FILE).is_file():
        raise FileNotFoundError(f"{folder}: no packed training sets in this folder ({INDEX_FILE} is missing)")
    try:
        index = json.loads((folder / INDEX_FILE).read_text(encoding="utf-8"))
        frontend = FrontendConfig(**index["frontend"])
        lengths = torch.tensor(index["lengths"], dtype=torch.int64)
        paths = [(folder / Path(piece["file"]).name, piece["sha256"]) for piece in index["pieces"]]
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{folder / INDEX_FILE}: not an index of packed training sets ({error})") from None
    if missing := [path.name for path, _ in paths if not path.is_file()]:
        raise FileNotFoundError(f"{folder}: {len(missing)} of {len(paths)} pieces are missing; the first: {missing[0]}")
    starts = lengths.cumsum(0) - lengths
    frames = torch.empty(int(lengths.sum()), frontend.n_mels, dtype=torch.float16, device=device)
    row = 0
    for path, digest in paths:
        if file_hash(path) != digest:
            raise ValueError(f"{path}: damaged: its hash is not the one in {INDEX_FILE}")
        content = np.frombuffer(zlib.decompress(path.read_bytes()), np.uint8).reshape(-1, frontend.n_mels)
        at = 0
        while at < len(content):
            length = int(lengths[row])
            values = _unpacked(content[at : at + length], index["low"], index["high"])
            frames[starts[row] : starts[row] + length] = torch.from_numpy(values).to(device)
            at, row = at + length, row + 1
    if row != len(lengths):
        raise ValueError(f"{folder}: expected {len(lengths)} rows in the pieces, got {row}")
    return {
        name: LogMelCache(
            frames=frames,
            starts=starts[part["rows"]].to(device),
            lengths=lengths[part["rows"]].to(device),
            frontend=frontend,
            mean=part["mean"],
            std=part["std"],
            info=part["info"],
            kinds=tuple(part["kinds"]),
            partners=None if part["partners"] is None else torch.tensor(part["partners"]),
        )
        for name, part in index["sets"].items()
    }


def _keys(source: PackSource) -> Iterator[tuple[str, float, float]]:
    """What identifies each readable row of a set: its file and its segment."""
    for clip, length in zip(read_manifest(source.manifest), read_row_lengths(source.folder)):
        if length:
            yield str((source.manifest.parent / clip.path).resolve()), clip.start_s or 0.0, clip.end_s or -1.0


def _spans(cache: LogMelCache) -> list[tuple[int, int]]:
    """First frame and number of frames of each row."""
    return list(zip(cache.starts.tolist(), cache.lengths.tolist()))


def _range(sources: Sequence[PackSource]) -> tuple[float, float]:
    """The smallest and the largest value of all frames."""
    ends = [part.float().aminmax() for source in sources for part in source.cache.frames.split(1 << 16)]
    low, high = float(min(end.min for end in ends)), float(max(end.max for end in ends))
    return low, max(high, low + 1e-3)


def _packed(frames: np.ndarray, low: float, high: float) -> bytes:
    """Frames in 8 bits, each as its difference from the frame before it."""
    values = np.rint((frames - low) * (_TOP / (high - low))).clip(0, _TOP).astype(np.uint8)
    # Differences wrap around, so that they take 8 bits, too.
    return np.diff(values, axis=0, prepend=np.zeros_like(values[:1])).astype(np.uint8).tobytes()


def _unpacked(differences: np.ndarray, low: float, high: float) -> np.ndarray:
    """The frames of :func:`_packed`, float16."""
    values = np.cumsum(differences, axis=0, dtype=np.uint8).astype(np.float32)
    return (values * ((high - low) / _TOP) + low).astype(np.float16)


class _PieceWriter:
    """Writes rows to files of limited size, each a zlib stream of whole rows."""

    def __init__(self, folder: Path, piece_bytes: int) -> None:
        self._folder, self._limit = folder, piece_bytes
        self._pieces: list[Path] = []
        self._rows: list[bytes] = []
        self._size = 0

    def add(self, row: bytes) -> None:
        """Add a row, to the next piece if this one would grow too large."""
        size = len(zlib.compress(row, 6))
        if size + 64 > self._limit:
            raise ValueError(f"expected pieces that hold the longest row, {size} bytes, got pieces of {self._limit}")
        # Rows compressed together take hardly more than one by one.
        if self._rows and self._size + size + 64 > self._limit:
            self._write()
        self._rows.append(row)
        self._size += size

    def finish(self) -> list[Path]:
        """Write the last piece and return the paths of all."""
        if self._rows:
            self._write()
        return self._pieces

    def _write(self) -> None:
        path = self._folder / f"piece{len(self._pieces):03d}.z"
        write_file(path, zlib.compress(b"".join(self._rows), 6))
        self._pieces.append(path)
        self._rows, self._size = [], 0
