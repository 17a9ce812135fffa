r"""Audacity label tracks: ``start``, ``end`` and the label with tabs between them, one label per line.

A line that begins with a backslash has the lowest and the highest frequency of the label before it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable

from byola_hear.labels.annotation import Annotation
from byola_hear.labels.delimited import Numbers, lines_of

_NUMBER = r"-?[\d.,]+(?:[eE][-+]?\d+)?"
_LABEL = re.compile(rf"\s*{_NUMBER}\t\s*{_NUMBER}\s*(?:\t.*)?")
_BAND = re.compile(rf"\\\t\s*{_NUMBER}\t\s*{_NUMBER}\s*")
#: What BirdNET writes after a label and a tab.
_CONFIDENCE = re.compile(r"[01]\.\d+")
#: Lines that are enough to recognise a label track.
_SAMPLE = 20


def is_audacity(text: str) -> bool:
    r"""Whether a text looks like a label track.

    Example:
        >>> is_audacity("1.5\t2\tdog\n\\\t200\t900\n"), is_audacity("file\tstart\n"), is_audacity("")
        (True, False, False)
    """
    lines = [line for line in lines_of(text) if line.strip()][:_SAMPLE]
    return bool(lines) and all(_LABEL.fullmatch(line) or _BAND.fullmatch(line) for line in lines)


def annotations_of(path: str, text: str, recording: str) -> list[Annotation]:
    """Read the labels in a label track.

    Args:
        path: the label file, for messages.
        text: its content.
        recording: the recording that it is about.

    Returns:
        The labels in the order of the lines. Frequencies that Audacity writes as negative are missing.

    Raises:
        ValueError: if a line is something else; the message names it.
    """
    numbers = Numbers("\t")
    found: list[Annotation] = []
    for number, line in enumerate(lines_of(text), 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        if line.startswith("\\"):
            if not found or not _BAND.fullmatch(line):
                raise ValueError(f"{where}: expected a label, or the frequencies of the label before, got {line!r}")
            low, high = (numbers.number(where, cell, "frequency") for cell in line.split("\t")[1:3])
            found[-1].low, found[-1].high = (value if value >= 0 else math.nan for value in (low, high))
            continue
        if not _LABEL.fullmatch(line):
            raise ValueError(f"{where}: expected start, end and label with tabs between them, got {line[:200]!r}")
        cells = line.split("\t", 2)
        start, end = (numbers.seconds(where, cell) or 0.0 for cell in cells[:2])
        if end < start:
            raise ValueError(f"{where}: expected an end after the start, got {cells[0].strip()} to {cells[1].strip()}")
        label = cells[2].strip() if len(cells) > 2 else ""
        name, _, last = label.rpartition("\t")
        if name and _CONFIDENCE.fullmatch(last):
            found.append(Annotation(where, recording, start, end, name.strip(), score=float(last)))
        else:
            found.append(Annotation(where, recording, start, end, label))
    return found


def text_of(annotations: Iterable[Annotation]) -> str:
    r"""Write labels as a label track. Scores and channels have no place there.

    Example:
        >>> text_of([Annotation("", "x.wav", 1.0, 2.5, "dog", low=200.0, high=900.0)])
        '1.000000\t2.500000\tdog\n\\\t200.000000\t900.000000\n'
    """
    lines = []
    for each in annotations:
        lines.append(f"{each.start:.6f}\t{each.end:.6f}\t{each.label}\n")
        if not (math.isnan(each.low) and math.isnan(each.high)):
            low, high = (-1.0 if math.isnan(value) else value for value in (each.low, each.high))
            lines.append(f"\\\t{low:.6f}\t{high:.6f}\n")
    return "".join(lines)
