"""Text files with a table in them: lines, cells, times and decimal marks."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Iterator

from byola_hear.utils.csv_file import csv_separator

#: Hours and minutes before the seconds: 1:02:03.5 or 2:03.5. Minutes without hours may exceed 59.
_CLOCK = re.compile(r"(?:(\d+):(?=[0-5]?\d:))?(\d{1,2}):([0-5]?\d(?:\.\d*)?)")
#: A number whose comma may separate thousands.
_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+")


def seconds_of(text: str) -> float:
    """Parse a time.

    Args:
        text: seconds, ``M:SS`` or ``H:MM:SS``, with or without decimals.

    Returns:
        Seconds.

    Raises:
        ValueError: if the text is something else.

    Example:
        >>> seconds_of("83.5"), seconds_of("1:23.5"), seconds_of("1:02:03")
        (83.5, 83.5, 3723.0)
    """
    clock = _CLOCK.fullmatch(text.strip())
    try:
        if clock:
            hours, minutes, seconds = clock.groups()
            return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise ValueError(f"expected a time as seconds or H:MM:SS, got {text.strip()!r}")
    return value


def is_missing(cell: str) -> bool:
    """Whether a cell for a number has none: it is empty, or what R writes there.

    Example:
        >>> is_missing(" "), is_missing("NA"), is_missing("0")
        (True, True, False)
    """
    return cell.strip() in ("", "NA")


class Numbers:
    """Parses the numbers of one file, all of which have the same decimal mark.

    Args:
        separator: the separator of the cells. Where it is not a comma, numbers may have decimal commas.
    """

    def __init__(self, separator: str) -> None:
        self.separator = separator
        self.decimal_mark = ""

    def seconds(self, where: str, text: str) -> float | None:
        """Parse a time as :func:`seconds_of`; None if it is missing, see :func:`is_missing`.

        Args:
            where: the file and the line, for the message.
            text: the cell.

        Raises:
            ValueError: if the cell is not a time, or has another decimal mark than the cells before it.
        """
        if is_missing(text):
            return None
        pointed = self._with_point(where, text, "time")
        try:
            return seconds_of(pointed)
        except ValueError:
            raise ValueError(f"{where}: expected a time as seconds or H:MM:SS, got {text.strip()!r}") from None

    def number(self, where: str, text: str, name: str) -> float:
        """Parse a number; NaN if it is missing.

        Args:
            where: the file and the line, for the message.
            text: the cell.
            name: what the number is, for the message.

        Raises:
            ValueError: if the cell is not a number, or has another decimal mark than the cells before it.
        """
        if is_missing(text):
            return math.nan
        pointed = self._with_point(where, text, name)
        try:
            value = float(pointed)
        except ValueError:
            value = math.inf
        if math.isinf(value):
            raise ValueError(f"{where}: expected a number as the {name}, got {text.strip()!r}")
        return value

    def _with_point(self, where: str, text: str, what: str) -> str:
        for found in ",.":
            if found in text and self.decimal_mark not in ("", found):
                raise ValueError(f"{where}: expected one decimal mark in all numbers, got {text.strip()!r}")
            self.decimal_mark = found if found in text else self.decimal_mark
        # Semicolons are the separator where a comma is the decimal mark. With tabs, it may also separate thousands.
        if self.separator == "\t" and _THOUSANDS.fullmatch(text.strip()):
            raise ValueError(
                f"{where}: expected a {what} without thousands, or decimals after a point, got {text.strip()!r}"
            )
        return text if self.separator == "," else text.replace(",", ".", 1)


def split_cells(path: str, text: str, is_known: Callable[[str], bool]) -> tuple[str, Iterator[tuple[str, list[str]]]]:
    """Split a table into its lines and cells.

    Args:
        path: the file, for messages.
        text: its content.
        is_known: whether a cell of the first line is the name of a known column.

    Returns:
        The separator of the cells; and for each line that is not empty, where it is and its cells. The first are the
        columns' names.

    Raises:
        ValueError: while the lines are taken, if the text is not CSV.
    """
    separator = csv_separator(text, is_known)
    return separator, _tab_lines(path, text) if separator == "\t" else _quoted_lines(path, text, separator)


def _quoted_lines(path: str, text: str, separator: str) -> Iterator[tuple[str, list[str]]]:
    """Lines of CSV. Cells in quotes may hold separators and line breaks."""
    # People put a space after a comma. A quote after it begins a cell, too.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield f"{path}, line {reader.line_num}", cells
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: not CSV ({error})") from error


def _tab_lines(path: str, text: str) -> Iterator[tuple[str, list[str]]]:
    """Lines with tabs between cells.

    Annotation programs write quotes as they are, so a quote that is never closed must not take the lines after it.
    Other programs put cells into quotes, which are removed.
    """
    for number, line in enumerate(lines_of(text), 1):
        if line.strip():
            yield f"{path}, line {number}", [_without_quotes(cell) for cell in line.split("\t")]


def _without_quotes(cell: str) -> str:
    inner = cell[1:-1]
    quoted = len(cell) >= 2 and cell[0] == cell[-1] == '"' and '"' not in inner.replace('""', "")
    return inner.replace('""', '"') if quoted else cell


def lines_of(text: str) -> list[str]:
    r"""Split a text at line breaks of any system, and nowhere else.

    Example:
        >>> lines_of("a\r\nb\x0bc\rd\n")
        ['a', 'b\x0bc', 'd', '']
    """
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
