"""One label of a segment of a recording, and many of them as a DataFrame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas

#: Columns that every table of labels has, and columns that it has where a file gives them.
COLUMNS = ("file", "start", "end", "label")
OPTIONAL = ("low", "high", "score", "channel")


@dataclass
class Annotation:
    """A label of a segment of a recording.

    Attributes:
        where: the label file and the line, for messages.
        file: path of the recording.
        start: s from the recording's beginning.
        end: s; NaN for the recording's end.
        label: the text.
        low: lowest frequency in Hz; NaN if not given, as the next three.
        high: highest frequency in Hz.
        score: how certain the label is.
        channel: number of the channel, from 1.
        others: text of further columns by name.
    """

    where: str
    file: str
    start: float
    end: float
    label: str = ""
    low: float = math.nan
    high: float = math.nan
    score: float = math.nan
    channel: float = math.nan
    others: dict[str, str] = field(default_factory=dict)


def to_frame(annotations: Sequence[Annotation], others: Sequence[str] = ()) -> pandas.DataFrame:
    """Make a DataFrame of labels.

    Args:
        annotations: the labels.
        others: names of further columns.

    Returns:
        A row for each label: :data:`COLUMNS`, those of :data:`OPTIONAL` that have a value, and ``others``. The channel
        is an integer that may be missing.
    """
    import pandas as pd

    columns = {name: [getattr(each, name) for each in annotations] for name in (*COLUMNS, *OPTIONAL)}
    frame = pd.DataFrame(
        {
            name: pd.Series(values, dtype=object if name in ("file", "label") else "float64")
            for name, values in columns.items()
            if name in COLUMNS or not all(map(math.isnan, values))
        }
    )
    if "channel" in frame:
        frame["channel"] = frame["channel"].astype("Int64")
    for name in others:
        frame[name] = pd.Series([each.others.get(name, "") for each in annotations], dtype=object)
    return frame
