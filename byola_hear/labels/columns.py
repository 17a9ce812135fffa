"""Names of columns in label files, as programs and people write them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from byola_hear.labels.delimited import is_missing

#: Names by meaning, the preferred first, as :func:`simple` gives them.
NAMES: dict[str, tuple[str, ...]] = {
    "begin path": ("begin path",),
    "file": (
        *("file", "filename", "file name", "filepath", "file path", "path", "begin file"),
        *("recording", "audio file", "audio", "notated path"),
    ),
    "start": ("start", "start time", "begin", "begin time", "onset", "onset time", "from"),
    "end": ("end", "end time", "stop", "stop time", "offset", "offset time", "to", "finish"),
    "duration": ("duration", "delta time"),
    "file offset": ("file offset",),
    "low": ("low freq", "low frequency", "low", "min freq", "freq low", "freq min", "minimum frequency"),
    "high": ("high freq", "high frequency", "high", "max freq", "freq high", "freq max", "maximum frequency"),
    "score": ("score", "confidence", "probability"),
    "channel": ("channel",),
    "selection": ("selection",),
    "view": ("view",),
    "label": (
        *("label", "labels", "annotation", "annotations", "event label", "class", "class name", "category"),
        *("species", "common name", "scientific name", "species code", "tag", "tags", "event"),
    ),
}
_MEANINGS = {name: meaning for meaning, names in NAMES.items() for name in names}
#: What columns of numbers with a unit have to be in.
_UNITS = {
    **dict.fromkeys(("start", "end", "duration", "file offset"), ("seconds", "s")),
    **dict.fromkeys(("low", "high"), ("Hz", "Hz")),
}
#: A unit that is read, at the end of a name: (s), (Hz), (H:MM:SS), _s, _hz.
_UNIT = re.compile(r"\s*\(\s*(s|secs?|seconds?|hz|hertz|(h+:)?m+:s+(\.\w+)?)\s*\)$|[ _](s|secs?|seconds?|hz)$")
#: A start among the words of a name: start_ms, StartTime, t_start, Begin Sample.
_START = re.compile(r"(?<![a-z])(start|begin|onset)(time|s|ms|sec)?(?![a-z])")
#: Where a word begins with a capital.
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
#: Anything in parentheses at the end of a name.
_REMARK = re.compile(r"\s*\([^()]*\)$")


def simple(name: str) -> str:
    """Reduce the name of a column to small letters and spaces, without its unit if that is seconds or Hz.

    Example:
        >>> simple("Begin Time (s)"), simple("onset_s"), simple(" start_time"), simple("start (min)")
        ('begin time', 'onset', 'start time', 'start (min)')
    """
    return _spaced(_UNIT.sub("", name.strip().lower()))


def _without_remark(name: str) -> str:
    return simple(_REMARK.sub("", name.strip()))


def _spaced(name: str) -> str:
    return name.lower().replace("_", " ").strip()


def is_known(name: str) -> bool:
    """Whether the name of a column has a meaning in label files."""
    return _without_remark(name) in _MEANINGS


def meanings(names: Sequence[str]) -> dict[str, int]:
    """Find what columns mean.

    Args:
        names: names of the columns.

    Returns:
        Meaning → place of the column. If several columns have a meaning, the place of the preferred one: a name as it
        is comes before one with a unit, and that before one with anything else in parentheses.

    Example:
        >>> meanings(["Selection", "Begin Time (s)", "End Time (s)", "Call", "Species"])
        {'start': 1, 'end': 2, 'selection': 0, 'label': 4}
        >>> meanings(["start (UTC)", "start"])
        {'start': 1}
    """
    bare = [_without_remark(name) for name in names]
    ways = [_spaced(name) for name in names], [simple(name) for name in names], bare
    found = {}
    for meaning, known in NAMES.items():
        places = (way.index(name) for way in ways for name in known if name in way)
        if (place := next(places, None)) is not None:
            found[meaning] = place
    # "offset" is an end after "onset", and a beginning before "duration".
    if "start" not in found and "duration" in found and bare[found.get("end", 0)] == "offset":
        found["start"] = found.pop("end")
    return found


def check_units(where: str, names: Sequence[str], places: Mapping[str, int]) -> None:
    """Refuse columns of times that are not in seconds, and of frequencies that are not in Hz.

    Args:
        where: the label file, for messages.
        names: names of the columns.
        places: meaning → place of the column; see :func:`meanings`.

    Raises:
        ValueError: if the name of such a column has another unit, or anything else, in parentheses.
    """
    for meaning, (unit, mark) in _UNITS.items():
        # A duration counts only where there is no end.
        if meaning not in places or (meaning == "duration" and "end" in places):
            continue
        name = names[places[meaning]]
        if simple(name) not in _MEANINGS:
            plain = _REMARK.sub("", name.strip())
            raise ValueError(f"{where}: expected {unit}, as in {f'{plain} ({mark})'!r}, got the column {name!r}")


def unread_start(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str | None:
    """Find a column that is about starts, by its name and its cells, in a table without a column that is read as such.

    Args:
        names: names of the columns.
        rows: cells of all lines.

    Returns:
        The column's name; None if there is none. A column of dates is none.

    Example:
        >>> unread_start(["file", "start_ms", "label"], [["a.wav", "1500", "owl"]])
        'start_ms'
        >>> unread_start(["file", "start_date", "label"], [["a.wav", "2021-10-31", "owl"]])
    """
    for place, name in enumerate(names):
        if _START.search(_CAPITAL.sub(" ", name).lower()):
            cells = _filled(place, rows)
            if cells and all(map(_is_number, cells)):
                return name
    return None


def holds_words(place: int, rows: Iterable[Sequence[str]]) -> bool:
    """Whether a column has words and no number, such as a confidence that is high or low.

    Args:
        place: the column's place.
        rows: cells of all lines.
    """
    cells = _filled(place, rows)
    return bool(cells) and not any(map(_is_number, cells))


def _filled(place: int, rows: Iterable[Sequence[str]]) -> list[str]:
    """The cells of a column that are not missing."""
    return [cells[place] for cells in rows if place < len(cells) and not is_missing(cells[place])]


def is_raven(names: Sequence[str]) -> bool:
    """Whether the names of columns are those of a Raven selection table.

    Example:
        >>> is_raven(["Selection", "Begin Time (s)", "End Time (s)"]), is_raven(["file", "start", "end"])
        (True, False)
    """
    return "begin time" in map(simple, names) and bool({"selection", "view"} & meanings(names).keys())


def label_place(where: str, names: Sequence[str], wanted: str | None, rows: Iterable[Sequence[str]]) -> int:
    """Find the column with the labels.

    Args:
        where: the label file, for messages.
        names: names of the columns.
        wanted: name of the column, in any case; None to find it.
        rows: cells of all lines.

    Returns:
        The column's place: of the wanted one; else of one with a usual name; else, in a Raven table, of the only column
        that holds words and is none of the measurements and dates that Raven adds.

    Raises:
        ValueError: if there is no such column, or more than one.
    """
    if wanted is not None:
        lower = [name.strip().lower() for name in names]
        if wanted.strip().lower() not in lower:
            raise ValueError(f"{where}: expected a column {wanted!r} with the labels, got {', '.join(names)}")
        return lower.index(wanted.strip().lower())
    usual = meanings(names).get("label")
    if usual is not None:
        return usual
    free = [
        place
        for place, name in enumerate(names)
        if name.strip()
        and not is_known(name)
        and not name.rstrip().endswith(")")
        and not simple(name).startswith(("begin ", "end "))
    ]
    candidates = []
    if is_raven(names):
        wordy = {place for cells in rows for place in free if place < len(cells) and not _is_number(cells[place])}
        # A column of numbers may be labels where there is no other; so may be one of a table without a selection.
        candidates = [place for place in free if place in wordy] or (free if len(free) == 1 else [])
    if len(candidates) != 1:
        what = "no column" if not candidates else f"columns {', '.join(names[place] for place in candidates)}"
        raise ValueError(f"{where}: expected one column with labels, got {what}; give its name as the label column")
    return candidates[0]


def _is_number(cell: str) -> bool:
    return is_missing(cell) or re.fullmatch(r"nan|[-+]?[\d.,:]+(e[-+]?\d+)?", cell.strip().lower()) is not None
