"""The page of a map: data, style and script in one HTML file."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from byola_hear.analysis.layouts import METHODS, placed
from byola_hear.analysis.listening import SCRIPTS, STYLES
from byola_hear.analysis.listening.naming import below_common_folder, identity
from byola_hear.analysis.listening.sounds import SAMPLE_RATE
from byola_hear.analysis.map.labels import NONE, TOP
from byola_hear.analysis.neighbours import directions, neighbours
from byola_hear.utils.files import write_file
from byola_hear.utils.html_file import displayable, html_file, link

if TYPE_CHECKING:
    import pandas

#: Names of the layout methods.
LAYOUTS = tuple(METHODS)
#: Number of neighbours that the page lists for each clip.
NEIGHBOURS = 8
#: Number of points that a browser still draws smoothly.
MAX_POINTS = 50_000


def write_map(
    path: str | os.PathLike[str],
    table: pandas.DataFrame,
    labels: Sequence[str],
    *,
    layout: str = "pca",
    seed: int = 0,
    title: str | None = None,
    preview: Callable[[str, float, float], str] | None = None,
) -> int:
    """Write a map of a table of embeddings as one HTML page. It works offline and needs no file except the sounds.

    Args:
        path: file to write. An existing file is replaced.
        table: a table from :func:`byola_hear.embed` or :func:`byola_hear.read_table`. Each row becomes a point.
        labels: one label per row. It decides the colour.
        layout: one of :data:`LAYOUTS`.
        seed: seed for everything that is random in the layout.
        title: title of the page; None for the name of the common folder.
        preview: a function of a row's file, start and end (in seconds). It returns the sound as a ``data:`` URI, or
            ``""`` if there is none. If None, the page plays the files themselves, by paths relative to its own folder.

    Returns:
        Size of the page in bytes.

    Raises:
        ValueError: if the table has no rows or more than :data:`MAX_POINTS`, an embedding is not finite, labels are
            missing, or (``LayoutError``) the layout can't be made.
        OSError: if the page can't be written.
    """
    path = Path(path)
    if not 1 <= len(table) <= MAX_POINTS:
        raise ValueError(f"a map shows 1 to {MAX_POINTS} clips, got {len(table)}; longer windows give fewer")
    if len(labels) != len(table):
        raise ValueError(f"expected a label for each of {len(table)} clips, got {len(labels)}")
    embeddings = table.to_numpy(np.float32)
    if not np.isfinite(embeddings).all():
        raise ValueError("the table holds embeddings that are not finite")
    files = [str(file) for file in table.index.get_level_values("file")]
    spans = [(float(start), float(end)) for start, end in zip(*map(table.index.get_level_values, ("start", "end")))]
    units = directions(embeddings, seed)
    indices, cosines = neighbours(units, NEIGHBOURS)
    labels = [displayable(label) for label in labels]
    names = sorted(set(labels))
    number = {name: index for index, name in enumerate(names)}
    unique = list(dict.fromkeys(files))
    shown, top = below_common_folder(unique)
    place = {file: index for index, file in enumerate(unique)}
    title = displayable(title if title is not None else os.path.basename(top) or "map")
    data: dict[str, Any] = {
        "title": title,
        "name": identity([(file, *span) for file, span in zip(files, spans, strict=True)]),
        "files": [displayable(shown[file]) for file in unique],
        # What stands before these names in a label file, and names that are not text.
        "folder": _folder(top, unique),
        "exact": {place[file]: shown[file] for file in unique if displayable(shown[file]) != shown[file]},
        "labels": names,
        "file": [place[file] for file in files],
        "label": [number[label] for label in labels],
        "unnamed": [NONE, TOP],
        "whole": len(unique) == len(files),
        "span": [[round(start, 3), round(end, 3)] for start, end in spans],
        "place": np.round(placed(units, layout, seed), 4).tolist(),
        "near": indices.tolist(),
        "cosine": np.round(cosines.astype(np.float64), 2).tolist(),
    }
    if preview is None:
        data["links"] = [link(file, path) for file in unique]
    else:
        data["rate"] = SAMPLE_RATE
        data["previews"] = [preview(file, start, end) for file, (start, end) in zip(files, spans, strict=True)]
    page = html_file(
        "byola_hear.analysis.map",
        title,
        data,
        scripts=(*SCRIPTS, "page.js"),
        styles=(*STYLES, "page.css"),
        media="* data:",
    )
    write_file(path, page)
    return len(page)


def _folder(top: str, files: Sequence[str]) -> str:
    """What stands before names below a folder in a label file: the folder as the table names it."""
    if not top:
        return ""
    return Path(top if os.path.isabs(files[0]) else os.path.relpath(top)).as_posix().rstrip("/") + "/"
