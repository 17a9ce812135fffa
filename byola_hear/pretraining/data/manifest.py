"""Manifests: lists of audio to train on, with one row per file or segment of a file.

A manifest is a CSV file. Its paths are relative to its own folder, so a folder of audio can be moved with its manifest.
"""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from byola_hear.utils.csv_file import write_csv

#: Most that a stated length of a segment may differ from its end minus its start, which other programs round, in s.
_ROUNDED_S = 0.05


@dataclass(frozen=True)
class ManifestClip:
    """One row of a manifest.

    Attributes:
        path: path of the file, relative to the manifest's folder or absolute, with forward slashes.
        duration_s: length of the file or segment, in seconds.
        sample_rate: sample rate of the file, in Hz; 0 if unknown.
        channels: channels of the file.
        start_s: where the segment begins, in seconds. None, together with ``end_s``, for the whole file.
        end_s: where the segment ends, in seconds.
        source: package, archive or folder that the file came from.
        kind: kind of sound, for instance ``speech``, ``music`` or ``effects``; may be empty.
        group: name shared by clips that depend on each other, such as a speaker or an album; may be empty.
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

    def segment(self, start_s: float, end_s: float) -> ManifestClip:
        """The part of this clip between two times, in seconds from its own beginning."""
        offset = self.start_s or 0.0
        return replace(self, start_s=offset + start_s, end_s=offset + end_s, duration_s=end_s - start_s)


COLUMNS = ("path", "start_s", "end_s", "duration_s", "sample_rate", "channels", "source", "kind", "group", "licence")


def moved(clip: ManifestClip, folder: Path, to: Path) -> ManifestClip:
    """Rewrite the path of a clip from a manifest in ``folder`` for a manifest in ``to``."""
    return replace(clip, path=path_from(to, folder / clip.path))


def path_from(folder: Path, path: Path) -> str:
    """The path of a file in a manifest in ``folder``: with forward slashes; relative, unless it is on another drive."""
    if path.absolute().is_relative_to(folder.absolute()):
        inside = path.absolute().relative_to(folder.absolute())
        if ".." not in inside.parts:
            return inside.as_posix()
    # If the folder is a link, ``..`` leads to the parent of its target.
    place = os.path.join(os.path.realpath(path.parent), path.name)
    try:
        return Path(os.path.relpath(place, os.path.realpath(folder))).as_posix()
    except ValueError:  # on another drive
        return Path(place).as_posix()


def hours(clips: Iterable[ManifestClip]) -> float:
    """The total length of clips, in hours."""
    return sum(clip.duration_s for clip in clips) / 3600


def hours_by(clips: Iterable[ManifestClip], field: str) -> dict[str, float]:
    """The hours of each value of a field, most hours first.

    Example:
        >>> music = ManifestClip("a.wav", 3600, 16000, kind="music")
        >>> effects = ManifestClip("b.wav", 7200, 16000, kind="effects")
        >>> hours_by([music, effects], "kind")
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


def summary(clips: Iterable[ManifestClip]) -> list[SourceTotal]:
    """Count clips and hours by source, kind and licence, for a model's card.

    Returns:
        The totals, most hours first.

    Example:
        >>> clips = [ManifestClip(name, 1800, 16000, kind="music") for name in ("a.wav", "b.wav", "c.wav")]
        >>> summary(clips)
        [SourceTotal(source='', kind='music', licence='', rows=3, hours=1.5)]
    """
    parts: dict[tuple[str, str, str], list[ManifestClip]] = {}
    for clip in clips:
        parts.setdefault((clip.source, clip.kind, clip.licence), []).append(clip)
    # Not rounded: where each file is a source, what is rounded may be larger than the hours.
    totals = [SourceTotal(*key, rows=len(part), hours=hours(part)) for key, part in parts.items()]
    return sorted(totals, key=lambda total: -total.hours)


def read_manifest(path: str | os.PathLike[str]) -> list[ManifestClip]:
    """Read a manifest.

    Args:
        path: CSV file in UTF-8 with a header. ``path`` and ``duration_s`` are required, the other columns are optional,
            and unknown columns are ignored.

    Returns:
        Its clips. Their paths stay relative to the manifest's folder.

    Raises:
        FileNotFoundError: if the file does not exist.
        ValueError: if it is not such a table, a column is missing, or a row can't be read; the message names the line.
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


def _clip_of(row: dict[str, str | None]) -> ManifestClip:
    """Parse a row of the CSV file."""
    path = row.get("path") or ""
    if not path.strip():
        raise ValueError("empty path")
    duration = _number(row, "duration_s") or 0.0
    if duration <= 0:
        raise ValueError(f"duration_s must be a positive number of seconds, got {row['duration_s']!r}")
    start, end = (_number(row, name) for name in ("start_s", "end_s"))
    if (start is None) != (end is None):
        raise ValueError("start_s and end_s must both be given or both be empty")
    if start is not None and end is not None and not 0 <= start < end:
        raise ValueError(f"expected 0 <= start_s < end_s, in seconds, got {start} and {end}")
    if start is not None and end is not None and abs(end - start - duration) > _ROUNDED_S:
        raise ValueError(
            f"expected the length of the segment from {start:g} to {end:g} s as duration_s, got {duration:g}"
        )
    return ManifestClip(
        path=path,
        duration_s=duration,
        sample_rate=int(_number(row, "sample_rate") or 0),
        channels=int(_number(row, "channels") or 1),
        start_s=start,
        end_s=end,
        **{name: row.get(name) or "" for name in ("source", "kind", "group", "licence")},
    )


def _number(row: dict[str, str | None], name: str) -> float | None:
    """The number in a cell; None if it is empty. Other programs write whole numbers as ``16000.0``."""
    text = row.get(name)
    try:
        number = float(text) if text else None
    except ValueError:
        number = math.nan
    if number is not None and not math.isfinite(number):
        raise ValueError(f"expected a finite number as {name}, got {text!r}")
    return number


def check_replaceable(path: str | os.PathLike[str]) -> None:
    """Refuse to replace anything but a manifest, such as a collection's own table, by a manifest.

    Args:
        path: where it would be written.

    Raises:
        ValueError: if something else is there.
    """
    if not os.path.isfile(path):
        return
    try:
        with open(path, newline="", encoding="utf-8-sig", errors="replace") as file:
            found = next(csv.reader(file), [])
    except csv.Error:
        found = ["no table"]
    if found and not {"path", "duration_s"} <= set(found):
        raise ValueError(f"{path} exists and is no manifest, and would be lost; choose another name, or move it")


def write_manifest(clips: Iterable[ManifestClip], path: str | os.PathLike[str]) -> None:
    """Write a manifest, completely or not at all.

    Args:
        clips: clips whose paths are relative to the folder of ``path``.
        path: CSV file to write. It is replaced if it exists.
    """
    rows = ([_text(getattr(clip, name)) for name in COLUMNS] for clip in clips)
    write_csv(Path(path), [COLUMNS, *rows])


def _text(value: object) -> str:
    """Format a cell: seconds with 4 decimals, or 6 if 4 would round them to 0; None as an empty cell."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6f}" if 0 < value < 1e-4 else f"{value:.4f}"
    return str(value)
