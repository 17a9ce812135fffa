"""Label files of any format, and folders, as one DataFrame."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from byola_hear.audio.folders import files_below, suffix_of
from byola_hear.audio.reading import END_TOLERANCE_S, audio_suffixes
from byola_hear.labels import audacity, folders, tables
from byola_hear.labels.annotation import Annotation, to_frame
from byola_hear.labels.columns import is_raven, meanings
from byola_hear.labels.delimited import lines_of
from byola_hear.labels.recordings import Recordings, header_of
from byola_hear.utils.files import PathLike, check_no_content, readable
from byola_hear.utils.text import as_utf8

if TYPE_CHECKING:
    import pandas

#: Names of the formats. In ``"folders"``, the name of a folder is the label of the recordings in it.
FORMATS = ("raven", "audacity", "csv", "parquet", "folders")
#: A file, and where the segment begins and ends, s; None for the file's end.
Segment = tuple[str, float, float | None]
#: Ends of label files' names.
_SUFFIXES = frozenset((".txt", ".csv", ".tsv", ".parquet"))
#: Ends of the names of files next to labels that hold none: what `predict` could not read, and BirdNET's settings.
_NO_LABELS = (".errors.csv", "BirdNET_analysis_params.csv")
_KNOWN = "a Raven selection table, an Audacity label track, or a table with the columns file, start, end and label"


def read(
    paths: PathLike | Iterable[PathLike],
    format: str | None = None,
    *,
    label_column: str | None = None,
    recordings: PathLike | None = None,
    missing: str = "raise",
    columns: Sequence[str] = (),
) -> pandas.DataFrame:
    """Read labels: segments of recordings with a name each.

    A label file is a Raven selection table, an Audacity label track, CSV or Parquet; its content says which. A folder
    with recordings gives each the name of the folder that it is in as its label. A folder with label files alone gives
    all labels in them.

    Text is UTF-8, or UTF-16 with a byte order mark, with line breaks of any system. In CSV, commas, semicolons or
    tabs separate the cells; with semicolons and tabs, numbers may have decimal commas. Times are seconds or
    ``H:MM:SS.s``. A table with the columns ``file`` and ``label`` alone labels whole recordings.

    A recording is the file at the path in the label file: from the working directory if it exists there, else from the
    label file's folder. If there is none, as in a project from another computer, leading folders are taken off the path
    until it is found in one of ``recordings`` and the label file's folder. If the label file names no recording, it is
    about the one that it is named after: ``x.txt`` and ``x.Table.1.selections.txt`` are about ``x.wav``.

    In a Raven table of several files, times count from the beginning of the first; the column ``File Offset (s)`` says
    where a selection begins in its own file.

    Args:
        paths: a label file, a folder, or several of them.
        format: one of :data:`FORMATS`; None to look.
        label_column: name of the column with the labels. None: one with a usual name, such as ``label``, ``Annotation``
            or ``Species``, else the only column with words.
        recordings: a folder with the recordings, also in folders in it; or the only recording.
        missing: what to do about a recording that a label file names and that does not exist: ``"raise"`` an error, or
            ``"keep"`` its path.
        columns: names of further columns to keep, as text.

    Returns:
        A row for each label, in order, with the columns ``file``, ``start`` and ``end`` (s; a missing end is the
        recording's end) and ``label``; where a file gives them, also ``low`` and ``high`` (Hz), ``score``, ``channel``
        (from 1); and ``columns``.

    Raises:
        FileNotFoundError: if a label file or a recording does not exist.
        OSError: if a label file can't be read.
        ValueError: if a label file is empty (other than an Audacity track in a folder), is of no known format or has a
            mistake, or a label is beyond the end of a recording whose duration is known; the message names the file and
            the line.

    Example:
        >>> import tempfile, pathlib
        >>> file = pathlib.Path(tempfile.mkdtemp(), "labels.csv")
        >>> _ = file.write_text("file;start;end;label\\nday.wav;1,5;2;owl\\n")
        >>> read(file, missing="keep")
              file  start  end label
        0  day.wav    1.5  2.0   owl
    """
    if format is not None and format not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, got {format!r}")
    if missing not in ("raise", "keep"):
        raise ValueError(f"missing must be 'raise' or 'keep', got {missing!r}")
    if isinstance(columns, str):
        raise ValueError(f"columns must be a list of names, got {columns!r}")
    place = None if recordings is None else os.fsdecode(recordings)
    finder = Recordings(place, required=missing == "raise")
    wanted = tables.Wanted(label_column, others=tuple(columns))
    check_no_content(paths, "paths of label files")
    several = [paths] if isinstance(paths, (str, bytes, os.PathLike)) else list(paths)
    if not several:
        raise ValueError("expected at least one label file, got none")
    found: list[Annotation] = []
    for path in several:
        for name, kind in _files(os.fsdecode(path), format):
            found += folders.annotations_of(name) if kind == "folders" else _of_file(name, kind, finder, wanted)
    _check_ends(found)
    return to_frame(found, columns)


def read_segments(path: PathLike) -> list[Segment]:
    """Read segments of recordings from a label file; see :func:`read`. Labels are not needed, and not looked at.

    Recordings need not exist: reading them reports what is wrong.

    Args:
        path: the label file.

    Returns:
        File, start and end in s, None for the file's end: one for each label, in order.

    Raises:
        FileNotFoundError: if the label file does not exist.
        OSError: if it can't be read.
        ValueError: if it is not a label file, or a segment has no length; the message names the line.
    """
    segments: list[Segment] = []
    wanted = tables.Wanted(labels=False)
    for each in _of_file(os.fsdecode(path), None, Recordings(required=False), wanted, "table of segments"):
        if each.end == each.start:
            raise ValueError(f"{each.where}: expected an end after the start, got {each.start:g} to {each.end:g}")
        segments.append((each.file, each.start, None if math.isnan(each.end) else each.end))
    return segments


def _files(path: str, format: str | None) -> Iterator[tuple[str, str | None]]:
    """The label files that a path names, and the format of each if it is known."""
    if not os.path.isdir(path):
        if format == "folders":
            raise (ValueError if os.path.exists(path) else FileNotFoundError)(f"expected a folder, got {path}")
        yield path, format
        return
    inside = sorted(files_below(path, folders.unreadable))
    named = [file for file in inside if suffix_of(file) in _SUFFIXES and not file.endswith(_NO_LABELS)]
    if format is None and any(suffix_of(file) in audio_suffixes() for file in inside):
        if mixed := next(filter(_is_track, named), None):
            raise ValueError(
                f"{path}: has recordings and label files, such as {mixed}; name the files, or give the format 'folders'"
            )
        format = "folders"
    if format == "folders":
        yield path, format
    elif named:
        # Predicting writes an empty track for a recording without a detection.
        yield from ((file, format) for file in named if suffix_of(file) != ".txt" or os.path.getsize(file))
    else:
        raise ValueError(f"{path}: expected a folder with recordings or label files, got neither")


def _is_track(path: str) -> bool:
    """Whether a file is one that annotation programs put next to recordings."""
    try:
        return suffix_of(path) == ".txt" and _detected(path, _text(path, Path(path).read_bytes())) != "csv"
    except (OSError, ValueError):
        return False


def _of_file(
    path: str, format: str | None, recordings: Recordings, wanted: tables.Wanted, what: str = "label file"
) -> list[Annotation]:
    with readable(path, what):
        content = Path(path).read_bytes()
    if format == "parquet" or (format is None and content.startswith(b"PAR1")):
        return tables.annotations_of(tables.from_parquet(path), recordings, wanted)
    text = _text(path, content)
    if (format or _detected(path, text)) == "audacity":
        return audacity.annotations_of(path, text, recordings.of(path))
    return tables.annotations_of(tables.from_text(path, text), recordings, wanted)


def _text(path: str, content: bytes) -> str:
    text = as_utf8(content, path).decode("utf-8", "surrogateescape")
    if not text.strip():
        raise ValueError(f"{path}: the file is empty")
    if "\0" in text[:4096]:
        raise ValueError(f"{path}: expected {_KNOWN}, got something else than text")
    return text


def _detected(path: str, text: str) -> str:
    """The format of a text.

    Raises:
        ValueError: if it is of none.
    """
    if audacity.is_audacity(text):
        return "audacity"
    table = tables.from_text(path, text)
    found = meanings(table.names)
    if not {"file", "start"} & found.keys():
        first = next(line for line in lines_of(text) if line.strip())
        raise ValueError(f"{path}, line 1: expected {_KNOWN}, got {first.strip()[:200]!r}")
    return "raven" if is_raven(table.names) else "csv"


def _check_ends(annotations: Sequence[Annotation]) -> None:
    """Refuse labels beyond the end of a recording, where its duration is known.

    BirdNET scores segments of one length and may fill up the last of them, which then ends with the recording.
    """
    lengths: dict[str, set[float]] = {}
    for each in annotations:
        lengths.setdefault(each.file, set()).add(round(each.end - each.start, 3))
    for each in annotations:
        if math.isnan(each.end) and not each.start:
            continue
        header = header_of(each.file)
        if header is None or header.seconds is None:
            continue
        if (each.start and each.start >= header.seconds) or each.end > header.seconds + END_TOLERANCE_S:
            if not math.isnan(each.score) and each.start < header.seconds and len(lengths[each.file]) == 1:
                each.end = header.seconds
                continue
            edge, verb = (each.end, "ends") if each.end > header.seconds else (each.start, "begins")
            label = f"the label {each.label!r} {verb} at {edge:g} s"
            raise ValueError(f"{each.where}: {label}, {each.file} ends at {header.seconds:.3f} s")
