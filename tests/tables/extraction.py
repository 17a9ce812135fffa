"""A make-believe extraction: what a network would yield, out of the clips' names."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from byola_hear.extraction.clips import Clip
from byola_hear.extraction.request import Request
from byola_hear.extraction.rows import Done, Event, Failed, Rows
from byola_hear.utils.files import stamp_of

SIZE = 5


def request(kind: str = "scene", **changes: object) -> Request:
    """What is asked of every clip."""
    values = {"window": None, "hop": None, "model": "both 0.1.0", "fingerprint": "ab" * 32, "size": SIZE}
    return Request(kind=kind, **{**values, **changes})  # type: ignore[arg-type]


def rows_of(clip: Clip, kind: str = "scene", n_rows: int = 1, n_blocks: int = 1) -> list[Rows]:
    """A clip's rows, in blocks; the numbers are of all magnitudes that float32 has."""
    rng = np.random.default_rng(zlib.crc32(repr(clip).encode("utf-8", "surrogateescape")))
    numbers = rng.standard_normal((n_rows, SIZE)) * 10.0 ** rng.integers(-37, 38, (n_rows, SIZE))
    start: np.ndarray = clip.start + np.arange(n_rows) * 0.04
    time = start + 0.02 if kind == "timestamp" else None
    return [
        Rows(clip, start[part], start[part] + 0.04, None if time is None else time[part], numbers[part].astype("f4"))
        for part in np.array_split(np.arange(n_rows), n_blocks)
    ]


def events(clips: Iterable[Clip], kind: str = "scene", n_rows: int = 1, n_blocks: int = 1) -> Iterator[Event]:
    """All clips' rows and verdicts; one with "broken" in its name fails after its first block."""
    for clip in clips:
        blocks = rows_of(clip, kind, n_rows, n_blocks)
        if "broken" in Path(clip.file).name:
            yield blocks[0]
            yield Failed(clip, f"{clip.file} is no sound")
        else:
            yield from blocks
            yield Done(clip, n_rows * 0.04, stamp_of(clip.file))


def files_in(folder: Path, names: Iterable[str]) -> list[Clip]:
    """Whole files that are there, as clips."""
    clips = []
    for name in names:
        (folder / name).write_bytes(name.encode())
        clips.append(Clip(str(folder / name)))
    return clips
