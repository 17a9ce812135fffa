"""Labels as files that annotation programs open."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from byola_hear.labels import audacity
from byola_hear.labels.annotation import COLUMNS, OPTIONAL, Annotation
from byola_hear.labels.recordings import header_of, seconds_of_recording
from byola_hear.utils.files import write_file
from byola_hear.utils.text import as_bytes, as_text, is_text, same_anywhere, shortened

if TYPE_CHECKING:
    import pandas

#: Formats that can be written, and the ends of the files' names in a folder.
ENDINGS = {"raven": ".Table.1.selections.txt", "audacity": ".txt", "csv": ".csv", "parquet": ".parquet"}
#: Line breaks would end a label. In a Raven table, so would a tab.
_BREAKS = "\n\r\0"


def write(frame: pandas.DataFrame, path: str | os.PathLike[str], format: str | None = None) -> list[Path]:
    """Write labels to one file, or to a folder with one file for each recording.

    - A Raven selection table of several recordings counts the times from the beginning of the first, as Raven does, and
      has the columns ``Begin Path`` and ``File Offset (s)``. Labels without frequencies get the whole band.
    - An Audacity label track belongs to one recording. It has no place for scores and channels.
    - CSV and Parquet hold all columns. In Parquet, paths or labels are bytes if one of them is not UTF-8.

    In Raven and Audacity files, times have six decimals. Files that exist are replaced.

    Args:
        frame: labels with the columns that :func:`byola_hear.labels.read` returns, some of which may be the index. A
            missing end is the recording's end.
        path: the file; or a folder, one that exists or with a slash at the end. There, each file has the name of its
            recording, of a very long name the beginning, and recordings in different folders have files in different
            folders.
        format: ``"raven"``, ``"audacity"``, ``"csv"`` or ``"parquet"``; None for the one that the file's ending says.

    Returns:
        The files that were written.

    Raises:
        ValueError: if the format is not clear or can't hold the labels, a column is missing, a label has a line break,
            or a start or end is not a time; nothing is written.
        OSError: if a file can't be written.

    Example:
        >>> import pandas, tempfile, pathlib
        >>> labels = pandas.DataFrame({"file": ["day.wav"], "start": [1.5], "end": [2.0], "label": ["owl"]})
        >>> (file,) = write(labels, pathlib.Path(tempfile.mkdtemp(), "day.txt"), "audacity")
        >>> file.read_text()
        '1.500000\\t2.000000\\towl\\n'
    """
    target, in_folder, format = chosen_format(path, format)
    annotations, table = _annotations(frame)
    if not in_folder:
        contents = {target: _content(format, annotations, table)}
    else:
        rows: dict[str, list[int]] = {}
        for row, each in enumerate(annotations):
            rows.setdefault(os.path.abspath(each.file), []).append(row)
        contents = {
            target / name: _content(format, [annotations[row] for row in rows[file]], table.iloc[rows[file]])
            for file, name in _names(list(rows), ENDINGS[format]).items()
        }
    for file, content in contents.items():
        if in_folder:
            file.parent.mkdir(parents=True, exist_ok=True)
        write_file(file, content)
    return list(contents)


def text_of(frame: pandas.DataFrame, format: str) -> str:
    """Format labels as the text of a file; see :func:`write`.

    Args:
        frame: labels.
        format: ``"raven"``, ``"audacity"`` or ``"csv"``.

    Returns:
        The text.

    Raises:
        ValueError: as :func:`write`.
    """
    annotations, table = _annotations(frame)
    return _TEXTS[format](annotations, table)


def chosen_format(path: str | os.PathLike[str], format: str | None = None) -> tuple[Path, bool, str]:
    """Choose the format of labels.

    Args:
        path: as in :func:`write`.
        format: as there.

    Returns:
        The path, whether it is a folder, and the format.

    Raises:
        ValueError: if the format is not clear, or there is no such format.
    """
    target = Path(path)
    in_folder = target.is_dir() or os.fspath(path).endswith(("/", os.sep))
    if format is None and not in_folder:
        is_raven = target.name.lower().endswith((".selections.txt", ".selection.table.txt"))
        format = "raven" if is_raven else {".csv": "csv", ".parquet": "parquet"}.get(target.suffix.lower())
    if format is None:
        raise ValueError(f"expected the name of a format among {', '.join(ENDINGS)} for {target}")
    if format not in ENDINGS:
        raise ValueError(f"expected a format among {', '.join(ENDINGS)}, got {format!r}")
    return target, in_folder, format


def _annotations(frame: pandas.DataFrame) -> tuple[list[Annotation], pandas.DataFrame]:
    """The labels in a DataFrame, and all of its columns."""
    import pandas as pd

    table = frame.reset_index() if any(name is not None for name in frame.index.names) else frame
    if missing := [name for name in COLUMNS if name not in table]:
        raise ValueError(f"expected labels with the columns {', '.join(COLUMNS)}; no {', '.join(missing)} among them")
    found = []
    values = [table[name] if name in table else [math.nan] * len(table) for name in (*COLUMNS, *OPTIONAL)]
    for row, (file, start, end, label, *optional) in enumerate(zip(*values, strict=True)):
        where = f"row {row} of the labels, {file}"
        try:
            begin, stop = (math.nan if pd.isna(value) else float(value) for value in (start, end))
        except (TypeError, ValueError):  # a Timedelta, or text
            begin = stop = math.nan
        if not 0 <= begin < math.inf or stop < begin or stop == math.inf:
            raise ValueError(f"{where}: expected a start and an end after it in seconds, got {start} to {end}")
        low, high, score, channel = (math.nan if pd.isna(value) else float(value) for value in optional)
        text = "" if pd.isna(label) else as_text(label) if isinstance(label, bytes) else str(label)
        found.append(Annotation(where, os.fsdecode(file), begin, stop, text, low, high, score, channel))
    return found, table


def _names(files: Sequence[str], ending: str) -> dict[str, str]:
    """The label file in a folder of each recording, by absolute path, with the folders that recordings do not share."""
    try:
        top = os.path.commonpath([os.path.dirname(file) for file in files]) if files else ""
    except ValueError:
        raise ValueError("the recordings are on several drives, so their label files can't be in one folder") from None
    names: dict[str, str] = {}
    taken: set[str] = set()
    for file in files:
        below = PurePath(os.path.relpath(file, top))
        stem, whole = (shortened(name, 255 - len(ending)) + ending for name in (below.stem, below.name))
        short = str(below.with_name(stem))
        names[file] = str(below.with_name(whole)) if same_anywhere(short) in taken else short
        taken.add(same_anywhere(names[file]))
    if len(taken) < len(files):
        raise ValueError(f"two of the recordings would have the same label file; the first of all is {files[0]}")
    return names


def _content(format: str, annotations: Sequence[Annotation], table: pandas.DataFrame) -> bytes:
    if format == "parquet":
        stream = io.BytesIO()
        _storable(annotations, table).to_parquet(stream, index=False)
        return stream.getvalue()
    return _TEXTS[format](annotations, table).encode("utf-8", "surrogateescape")


def _storable(annotations: Sequence[Annotation], table: pandas.DataFrame) -> pandas.DataFrame:
    """The same labels in columns that Parquet has: of text, or of bytes where text is not UTF-8, as names may be."""
    texts = {"file": [each.file for each in annotations], "label": [each.label for each in annotations]}
    columns: dict[str, Sequence[str | bytes]] = {}
    for name, text in texts.items():
        if not is_text(text):
            columns[name] = list(map(as_bytes, text))
        elif table[name].dtype == object and not all(isinstance(value, str) for value in table[name].dropna()):
            columns[name] = text
    return table.assign(**columns)


def _csv(annotations: Sequence[Annotation], table: pandas.DataFrame) -> str:
    import pandas as pd

    _check_labels(annotations, "\0")
    texts = {"file": [each.file for each in annotations], "label": [each.label for each in annotations]}
    # As objects, which may be no UTF-8.
    table = table.assign(**{name: pd.Series(text, table.index, object) for name, text in texts.items()})
    others = [name for name in table.columns if name not in COLUMNS]
    # Python may leave a carriage return in a cell without quotes, and then can't read the row. Spaces before a cell are
    # not read.
    is_odd = any("\r" in text or text[:1] == " " for each in annotations for text in (each.file, each.label))
    quoting = csv.QUOTE_NONNUMERIC if is_odd else csv.QUOTE_MINIMAL
    return str(table[[*COLUMNS, *others]].to_csv(index=False, lineterminator="\n", quoting=quoting))


def _audacity(annotations: Sequence[Annotation], table: pandas.DataFrame) -> str:
    files = list(dict.fromkeys(each.file for each in annotations))
    if len(files) > 1:
        raise ValueError(
            f"an Audacity label track belongs to one recording, got labels of {len(files)}, {files[0]} and others; "
            "write to a folder"
        )
    _check_labels(annotations, _BREAKS)
    return audacity.text_of([_with_end(each) for each in annotations])


def _raven(annotations: Sequence[Annotation], table: pandas.DataFrame) -> str:
    _check_labels(annotations, _BREAKS + "\t")
    names = ["Selection", "View", "Channel", "Begin Time (s)", "End Time (s)", "Low Freq (Hz)", "High Freq (Hz)"]
    scored = any(not math.isnan(each.score) for each in annotations)
    names += ["Begin File", "Begin Path", "File Offset (s)", "Annotation", *(["Score"] if scored else [])]
    stream = io.StringIO()
    # Raven takes quotes as they are; other programs take a first one for that of a cell.
    lines = csv.writer(stream, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None)
    lines.writerow(names)
    before = _seconds_before(annotations)
    for number, each in enumerate(map(_with_end, annotations), 1):
        offset = before[each.file]
        high = _highest(each) if math.isnan(each.high) else each.high
        numbers = [offset + each.start, offset + each.end, 0.0 if math.isnan(each.low) else each.low, high]
        place = [os.path.basename(each.file), os.path.abspath(each.file), f"{each.start:.6f}"]
        channel = 1 if math.isnan(each.channel) else int(each.channel)
        score = [] if not scored else ["" if math.isnan(each.score) else f"{each.score:.6g}"]
        label = '"' + each.label.replace('"', '""') + '"' if each.label.startswith('"') else each.label
        lines.writerow(
            [number, "Spectrogram 1", channel, *(f"{value:.6f}" for value in numbers), *place, label, *score]
        )
    return stream.getvalue()


#: What writes each format that is text.
_TEXTS: dict[str, Callable[[Sequence[Annotation], pandas.DataFrame], str]] = {
    "raven": _raven,
    "audacity": _audacity,
    "csv": _csv,
}


def _seconds_before(annotations: Sequence[Annotation]) -> dict[str, float]:
    """Where each recording begins in the sequence of all, s."""
    files = {each.file: each for each in annotations}
    before: dict[str, float] = {}
    position = 0.0
    for place, (file, each) in enumerate(files.items()):
        before[file] = position
        if place < len(files) - 1:
            position += _seconds(each)
    return before


def _with_end(each: Annotation) -> Annotation:
    if not math.isnan(each.end):
        return each
    return replace(each, end=_seconds(each))


def _seconds(each: Annotation) -> float:
    seconds = seconds_of_recording(each.file)
    if seconds is None:
        raise ValueError(f"{each.where}: the recording can't be read, so its duration is not known")
    return seconds


def _highest(each: Annotation) -> float:
    header = header_of(each.file)
    if header is None:
        raise ValueError(f"{each.where}: the recording can't be read, so its highest frequency is not known")
    return header.sample_rate / 2


def _check_labels(annotations: Sequence[Annotation], forbidden: str) -> None:
    for each in annotations:
        for name, text in (("label", each.label), ("path", each.file)):
            if any(mark in text for mark in forbidden):
                raise ValueError(f"{each.where}: expected a {name} without tabs and line breaks, got {text!r}")
