"""Manifests: which audio a network is trained on, one row a clip or a segment of one.

A manifest is a CSV file. Paths are relative to the manifest's own folder, so a folder of audio with its
manifest can be moved as a whole.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Clip:
    """One row of a manifest.

    Attributes:
        path: file, relative to the manifest's folder or absolute, with forward slashes.
        start_s: where the segment begins, seconds; None with ``end_s`` None for the whole file.
        end_s: where the segment ends, seconds.
        duration_s: length of the row, seconds.
        sample_rate: the file's, Hz.
        channels: the file's.
        source: package, archive or folder that it came from.
        kind: ``speech``, ``music``, ``effects`` or whatever the collection distinguishes; may be empty.
        group: what keeps dependent material together, such as a speaker or an album; may be empty.
        licence: short name of the licence; may be empty.
    """

    path: str
    duration_s: float
    sample_rate: int
    channels: int = 1
    start_s: float | None = None
    end_s: float | None = None
    source: str = ""
    kind: str = ""
    group: str = ""
    licence: str = ""

    def segment(self, start_s: float, end_s: float) -> Clip:
        """The part of this row between two times, in seconds from the row's own beginning."""
        offset = self.start_s or 0.0
        return replace(self, start_s=offset + start_s, end_s=offset + end_s, duration_s=end_s - start_s)


COLUMNS = ("path", "start_s", "end_s", "duration_s", "sample_rate", "channels", "source", "kind", "group", "licence")


def moved(clip: Clip, folder: Path, to: Path) -> Clip:
    """A row of a manifest in ``folder`` as a row of one in ``to``: its path relative to there."""
    return replace(clip, path=path_from(to, folder / clip.path))


def path_from(folder: Path, path: Path) -> str:
    """A file's path as it stands in a manifest in ``folder``: relative to there, with forward slashes."""
    if path.absolute().is_relative_to(folder.absolute()):
        inside = path.absolute().relative_to(folder.absolute())
        if ".." not in inside.parts:
            return inside.as_posix()
    # From a folder that is a link, ``..`` leads to where its target lies.
    place = os.path.join(os.path.realpath(path.parent), path.name)
    return Path(os.path.relpath(place, os.path.realpath(folder))).as_posix()


def hours(clips: Iterable[Clip]) -> float:
    """Total length of clips in hours."""
    return sum(clip.duration_s for clip in clips) / 3600


def hours_by(clips: Iterable[Clip], field: str) -> dict[str, float]:
    """Hours for each value of a column, most first.

    Example:
        >>> clips = [Clip("a.wav", 3600, 16000, kind="music"), Clip("b.wav", 7200, 16000, kind="effects")]
        >>> hours_by(clips, "kind")
        {'effects': 2.0, 'music': 1.0}
    """
    totals: dict[str, float] = {}
    for clip in clips:
        key = str(getattr(clip, field))
        totals[key] = totals.get(key, 0.0) + clip.duration_s / 3600
    return dict(sorted(totals.items(), key=lambda item: -item[1]))


@dataclass(frozen=True)
class SourceTotal:
    """What a set contains of one source, kind and licence.

    Attributes:
        source: package, archive or folder.
        kind: kind of sound.
        licence: SPDX name of the licence.
        rows: number of clips.
        hours: hours of audio.
    """

    source: str
    kind: str
    licence: str
    rows: int
    hours: float


def summary(clips: Iterable[Clip]) -> list[SourceTotal]:
    """Add up clips by source, kind and licence, for a model's card.

    Returns:
        The totals, most hours first.

    Example:
        >>> summary([Clip("a.wav", 3600, 16000, kind="music"), Clip("b.wav", 1800, 16000, kind="music")])
        [SourceTotal(source='', kind='music', licence='', rows=2, hours=1.5)]
    """
    parts: dict[tuple[str, str, str], list[Clip]] = {}
    for clip in clips:
        parts.setdefault((clip.source, clip.kind, clip.licence), []).append(clip)
    totals = [SourceTotal(*key, rows=len(part), hours=round(hours(part), 4)) for key, part in parts.items()]
    return sorted(totals, key=lambda total: -total.hours)


def read_manifest(path: str | os.PathLike[str]) -> list[Clip]:
    """Read a manifest.

    Args:
        path: CSV file in UTF-8 with a header; ``path`` and ``duration_s`` are required, other columns optional,
            unknown columns are ignored.

    Returns:
        Its rows, paths still relative to the manifest's folder.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no such table, a column is missing or a row cannot be read, naming the line.
    """
    clips = []
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = {"path", "duration_s"} - set(reader.fieldnames or ())
            if missing:
                raise ValueError(f"{path}: expected columns {', '.join(COLUMNS)}; missing {', '.join(sorted(missing))}")
            for row in reader:
                try:
                    clip = _clip_of(row)
                except (ValueError, TypeError) as error:
                    raise ValueError(f"{path}, line {reader.line_num}: {error}") from None
                clips.append(clip)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: expected a CSV table in UTF-8 ({error})") from None
    if not clips:
        raise ValueError(f"{path}: the manifest has no rows")
    return clips


def _clip_of(row: dict[str, str | None]) -> Clip:
    """One CSV row as a clip."""
    path = row.get("path") or ""
    if not path.strip():
        raise ValueError("empty path")
    duration = float(row["duration_s"] or "nan")
    if not 0 < duration < float("inf"):
        raise ValueError(f"duration_s must be a positive number of seconds, got {row['duration_s']!r}")
    start, end = (float(text) if text else None for text in (row.get("start_s"), row.get("end_s")))
    if (start is None) != (end is None):
        raise ValueError("start_s and end_s must both be given or both be empty")
    if start is not None and end is not None and not 0 <= start < end < float("inf"):
        raise ValueError(f"expected 0 <= start_s < end_s, in seconds, got {start} and {end}")
    return Clip(
        path=path,
        duration_s=duration,
        sample_rate=int(row.get("sample_rate") or 0),
        channels=int(row.get("channels") or 1),
        start_s=start,
        end_s=end,
        **{name: row.get(name) or "" for name in ("source", "kind", "group", "licence")},
    )


def write_manifest(clips: Iterable[Clip], path: str | os.PathLike[str]) -> None:
    """Write a manifest, whole or not at all.

    Args:
        clips: rows; their paths should be relative to the folder of ``path``.
        path: CSV file to write; replaced if it exists.
    """
    temporary = Path(f"{os.fspath(path)}.partial")
    with open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for clip in clips:
            writer.writerow([_text(getattr(clip, name)) for name in COLUMNS])
    os.replace(temporary, path)


def _text(value: object) -> str:
    """A cell: seconds with 4 decimals, or 6 where that would leave nothing; None empty."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6f}" if 0 < value < 1e-4 else f"{value:.4f}"
    return str(value)
