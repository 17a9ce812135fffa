"""Label files with named columns: Raven selection tables, CSV and Parquet."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path, PureWindowsPath

from byola_hear.labels.annotation import OPTIONAL, Annotation
from byola_hear.labels.columns import check_units, holds_words, is_known, label_place, meanings, simple, unread_start
from byola_hear.labels.delimited import Numbers, split_cells
from byola_hear.labels.recordings import Recordings
from byola_hear.utils.text import one_line


@dataclass
class Table:
    """A label file as text in cells.

    Attributes:
        path: the label file.
        separator: the separator of the cells; a comma where they are not text.
        names: names of the columns.
        rows: where each line is, and its cells.
    """

    path: str
    separator: str
    names: list[str]
    rows: list[tuple[str, list[str]]]


@dataclass(frozen=True)
class Wanted:
    """What is wanted of a table.

    Attributes:
        label_column: name of the column with the labels; None to find it.
        labels: whether labels are wanted at all. If not, the times are required.
        others: names of further columns to keep.
    """

    label_column: str | None = None
    labels: bool = True
    others: tuple[str, ...] = ()


@dataclass
class _Row:
    """A line of a Raven table or a CSV file, before its recording is known."""

    annotation: Annotation
    name: str | None
    offset: float | None
    selection: str
    view: str


def from_text(path: str, text: str) -> Table:
    """Split the text of a label file into cells.

    Raises:
        ValueError: if it is not CSV, or has no line with the names of columns.
    """
    separator, lines = split_cells(path, text, is_known)
    _, header = next(lines, ("", []))
    return Table(path, separator, [name.strip() for name in header], list(lines))


def from_parquet(path: str) -> Table:
    """Read the columns of a Parquet file as cells. Columns of vectors are skipped.

    Raises:
        ValueError: if it is damaged.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        # Opened here, because Arrow opens no paths that are not UTF-8.
        with open(path, "rb") as stream:
            file = parquet.ParquetFile(stream)
            flat = [field.name for field in file.schema_arrow if not pa.types.is_nested(field.type)]
            columns = file.read(flat).to_pydict()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ValueError(f"{path}: not a Parquet file that can be read ({one_line(error)})") from None
    cells = [[_cell(value) for value in columns[name]] for name in flat]
    return Table(path, ",", flat, [(f"{path}, row {row}", list(each)) for row, each in enumerate(zip(*cells), 1)])


def _cell(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


def annotations_of(table: Table, recordings: Recordings, wanted: Wanted) -> list[Annotation]:
    """Read the labels in a table.

    Args:
        table: the label file.
        recordings: finds the recordings.
        wanted: what is wanted.

    Returns:
        The labels in the order of the lines. Of several lines of one Raven selection, one for each channel.

    Raises:
        FileNotFoundError: if a recording is missing.
        ValueError: if a column is missing or in another unit, or a line is not as it should be; the message names it.
    """
    if any(simple(name) == "species code" for name in table.names):
        # BirdNET's line for a recording in which it found nothing.
        table.rows = [(where, cells) for where, cells in table.rows if cells.count("nocall") < 2]
    places = meanings(table.names)
    start = f"{table.path}, line 1"
    named = ", ".join(table.names)
    timed = "start" in places and ("end" in places or "duration" in places)
    whole = not timed and wanted.labels and not {"start", "end", "duration"}.intersection(places) and "file" in places
    if not timed and not whole:
        missing = [name for name in ("file", "start", "end") if name not in places]
        raise ValueError(
            f"{start}: expected the columns' names, among them file, start and end; "
            f"no {', '.join(missing)} in {named[:200]!r}"
        )
    if not table.rows:
        return []  # also without a column of labels, which Raven adds with the first of them
    if whole and (unread := unread_start(table.names, [cells for _, cells in table.rows])) is not None:
        raise ValueError(
            f"{start}: expected starts and ends in seconds, in columns called start and end, "
            f"got the column {unread!r}; rename it, or remove it if whole recordings are labelled"
        )
    if wanted.labels:
        places["label"] = label_place(start, table.names, wanted.label_column, [cells for _, cells in table.rows])
    else:
        for unneeded in ("label", *OPTIONAL):
            places.pop(unneeded, None)
    check_units(start, table.names, places)
    score = places.get("score")
    if (
        score is not None
        and simple(table.names[score]) != "score"
        and holds_words(score, map(itemgetter(1), table.rows))
    ):
        del places["score"]
    lower = [name.lower() for name in table.names]
    for name in wanted.others:
        if name.lower() not in lower:
            raise ValueError(f"{start}: expected a column {name!r}, got {named[:200]}")
    others = {name: lower.index(name.lower()) for name in wanted.others}
    rows = _one_view(list(_rows(table, places, others)))
    if any(simple(name) in ("begin file", "begin path") for name in table.names):
        _into_files(table.path, rows)
    folder = Path(table.path).parent
    for row in rows:
        each = row.annotation
        each.file = recordings.of(table.path) if row.name is None else recordings.named(row.name, each.where, folder)
    return [row.annotation for row in rows]


def _rows(table: Table, places: dict[str, int], others: dict[str, int]) -> Iterator[_Row]:
    numbers = Numbers(table.separator)
    needed = [places[meaning] for meaning in ("file", "start", "end", "duration") if meaning in places]
    for where, cells in table.rows:
        if len(cells) <= max(needed):
            raise ValueError(f"{where}: expected {len(table.names)} cells, got {len(cells)}")
        cell = {meaning: cells[place] if place < len(cells) else "" for meaning, place in places.items()}
        begin = numbers.seconds(where, cell.get("start", "")) or 0.0
        end = numbers.seconds(where, cell.get("end", ""))
        if "end" not in places and (seconds := numbers.seconds(where, cell.get("duration", ""))) is not None:
            end = begin + seconds
        if end is not None and end < begin:
            raise ValueError(f"{where}: expected an end after the start, got {cell['start']} to {cell.get('end')}")
        optional = {name: numbers.number(where, cell[name], name) for name in OPTIONAL if name in cell}
        if not math.isnan(optional.get("channel", math.nan)) and not optional["channel"].is_integer():
            raise ValueError(f"{where}: expected the number of a channel, got {cell['channel']}")
        yield _Row(
            Annotation(
                where,
                "",
                begin,
                math.nan if end is None else end,
                cell.get("label", "").strip(),
                **optional,
                others={name: cells[place] if place < len(cells) else "" for name, place in others.items()},
            ),
            _name(where, cell),
            numbers.seconds(where, cell.get("file offset", "")),
            cell.get("selection", "").strip(),
            cell.get("view", "").strip().lower(),
        )


def _name(where: str, cell: dict[str, str]) -> str | None:
    """The recording's path as a line gives it; None if the table has no column for it."""
    file, path = cell.get("file", ""), cell.get("begin path", "")
    if path.strip():
        # Some programs give the folder alone.
        in_folder = file.strip() and PureWindowsPath(path).name != PureWindowsPath(file).name
        return f"{path.rstrip('/' + chr(92))}/{file}" if in_folder else path
    if file.strip():
        return file
    if "file" in cell or "begin path" in cell:
        raise ValueError(f"{where}: expected a file's path, got an empty cell")
    return None


def _one_view(rows: list[_Row]) -> list[_Row]:
    """Of lines that show one selection in several views of Raven, keep the spectrogram's, which has frequencies."""
    kept: dict[tuple[object, ...], _Row] = {}
    for number, row in enumerate(rows):
        each = row.annotation
        channel = None if math.isnan(each.channel) else each.channel
        same = (row.selection, row.name, each.start, each.end, each.label, channel)
        key = same if row.selection and row.view else (number,)
        if key not in kept or (row.view.startswith("spectrogram") and not kept[key].view.startswith("spectrogram")):
            kept[key] = row
    return list(kept.values())


def _into_files(path: str, rows: Sequence[_Row]) -> None:
    """Turn times in a sequence of several files into times in each file.

    Raven counts from the beginning of the first file, and says in ``File Offset (s)`` where in its own file a selection
    begins.

    Raises:
        ValueError: if a table of several files has no offsets, and its times may or may not be those in a sequence.
    """
    if any(row.offset is not None for row in rows):
        for row in rows:
            each = row.annotation
            if row.offset is None:
                raise ValueError(f"{each.where}: expected a File Offset (s), as in other lines, got an empty cell")
            each.start, each.end = row.offset, row.offset + (each.end - each.start)
        return
    spans: dict[str, tuple[float, float]] = {}
    for row in rows:
        each, name = row.annotation, row.name or ""
        low, high = spans.get(name, (math.inf, -math.inf))
        spans[name] = (min(low, each.start), max(high, each.start if math.isnan(each.end) else each.end))
    ordered = sorted(spans.items(), key=lambda item: item[1])
    # In a sequence, the files' times come one after the other.
    if len(ordered) > 1 and all(
        later[0] >= earlier[1] for (_, earlier), (_, later) in zip(ordered[:-1], ordered[1:], strict=True)
    ):
        raise ValueError(
            f"{path}: its selections are of {len(ordered)} files, and their times may count from the first file's "
            "beginning; add the column File Offset (s) in Raven"
        )
