"""The page of a review: windows, sounds, style and script in one HTML file."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from byola_hear.analysis.listening import SCRIPTS, STYLES
from byola_hear.analysis.listening.naming import below_common_folder, identity
from byola_hear.analysis.listening.sounds import Sound
from byola_hear.utils.files import write_file
from byola_hear.utils.html_file import displayable, html_file

if TYPE_CHECKING:
    import pandas

#: Windows on a page, and seconds of sound on it; about 4 kB each.
MAX_WINDOWS = 5000
MAX_SECONDS = 25_000


def check_size(table: pandas.DataFrame, context: float) -> None:
    """Refuse a page that a browser could hardly open.

    Args:
        table: the chosen windows.
        context: seconds before and after each.

    Raises:
        ValueError: if there are too many windows, or too many seconds of sound.
    """
    seconds = float((table["end"] - table["start"]).sum()) + 2 * context * len(table)
    if len(table) > MAX_WINDOWS or seconds > MAX_SECONDS:
        raise ValueError(
            f"a page has up to {MAX_WINDOWS} windows and {MAX_SECONDS} s of sound, got {len(table)} and {seconds:.0f} "
            "s; take fewer of each class (--per-class), shorter ones (--longest) or less --context"
        )


def write_review(
    path: str | os.PathLike[str],
    table: pandas.DataFrame,
    sounds: Callable[[str, float, float], Sound | None],
    classes: list[str],
    *,
    title: str = "review",
) -> tuple[int, int]:
    """Write a page to review detections on. It works offline and needs no other file.

    Args:
        path: file to write. An existing file is replaced.
        table: the windows, class by class, with the columns ``file``, ``start``, ``end`` (s), ``label`` and ``score``.
        sounds: a function of a window's file, start and end. It returns the sound, or None for a window to leave out.
        classes: names of the classes that a window can be given; the first nine have a digit.
        title: title of the page, and the beginning of the names of the files that it saves.

    Returns:
        Number of windows on the page, and its size in bytes; nothing is written if there is no window.

    Raises:
        ValueError: if a page can't hold that many windows.
        OSError: if the page can't be written.
    """
    check_size(table, 0.0)
    labels = list(dict.fromkeys(table["label"]))
    number = {label: place for place, label in enumerate(labels)}
    files = list(dict.fromkeys(table["file"]))
    place = {file: index for index, file in enumerate(files)}
    windows: list[dict[str, Any]] = []
    for file, start, end, label, score in table[["file", "start", "end", "label", "score"]].itertuples(index=False):
        if (sound := sounds(file, start, end)) is None:
            continue
        windows.append(
            {
                "file": place[file],
                "start": _seconds(start),
                "end": _seconds(end),
                "label": number[label],
                "score": None if math.isnan(score) else round(float(score), 4),
                "sound": sound.uri,
                "begin": _seconds(sound.begin),
                "seconds": _seconds(sound.seconds),
                "rate": sound.rate,
            }
        )
    if not windows:
        return 0, 0
    shown, _ = below_common_folder(files)
    named = [(files[each["file"]], each["start"], each["end"], labels[each["label"]]) for each in windows]
    data = {
        "title": displayable(title),
        "name": identity(named),
        "files": files,
        "shown": [displayable(shown[file]) for file in files],
        "labels": labels,
        "classes": classes,
        "windows": windows,
    }
    page = html_file(
        "byola_hear.analysis.review",
        displayable(title),
        data,
        scripts=(*SCRIPTS, "page.js"),
        styles=(*STYLES, "page.css"),
    )
    write_file(Path(path), page)
    return len(windows), len(page)


def _seconds(value: float) -> float:
    """Microseconds are exact enough, and what annotation programs write."""
    return round(float(value), 6)
