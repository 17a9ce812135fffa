"""The page: a map's data in a template of HTML, style and script, all in one file."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np

from byola_hear.analysis.layouts import METHODS, placed
from byola_hear.analysis.neighbours import directions, neighbours
from byola_hear.utils.files import replacing
from byola_hear.utils.html_file import html_file

if TYPE_CHECKING:
    import pandas

#: Ways to lay clips out.
LAYOUTS = tuple(METHODS)
#: Neighbours that are listed for each clip.
NEIGHBOURS = 8
#: Points that a browser still draws smoothly.
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
    """Write a map of a table of embeddings: one HTML page that needs no network and no other file but the sounds.

    Args:
        path: where to; an existing file is replaced.
        table: from :func:`byola_hear.embed` or :func:`byola_hear.tables.read_table`, one point a row.
        labels: one a row: what is coloured.
        layout: one of :data:`LAYOUTS`.
        seed: for whatever is random in the layout.
        title: of the page; the common folder's name if None.
        preview: called with a row's file, start and end (s), gives its sound as a ``data:`` URI, or ``""`` where it
            has none; if None, the page plays the files themselves, which it finds by their paths from its own folder.

    Returns:
        Bytes of the page.

    Raises:
        ValueError: if the table has no rows or more than :data:`MAX_POINTS`, an embedding is not finite, labels are
            missing, or (``LayoutError``) the layout can't be made.
        OSError: if the page can't be written.
    """
    path = Path(path)
    if not 1 <= len(table) <= MAX_POINTS:
        raise ValueError(f"a map shows 1 to {MAX_POINTS} clips, got {len(table)}; longer windows make fewer")
    if len(labels) != len(table):
        raise ValueError(f"expected a label for each of {len(table)} clips, got {len(labels)}")
    embeddings = table.to_numpy(np.float32)
    if not np.isfinite(embeddings).all():
        raise ValueError("the table holds embeddings that are not finite")
    files = [str(file) for file in table.index.get_level_values("file")]
    spans = [(float(start), float(end)) for start, end in zip(*map(table.index.get_level_values, ("start", "end")))]
    units = directions(embeddings, seed)
    indices, cosines = neighbours(units, NEIGHBOURS)
    labels = [_text(label) for label in labels]
    names = sorted(set(labels))
    number = {name: index for index, name in enumerate(names)}
    shown, top = _below_common_folder(files)
    unique = list(dict.fromkeys(files))
    place = {file: index for index, file in enumerate(unique)}
    data: dict[str, Any] = {
        "files": [_text(shown[file]) for file in unique],
        "labels": names,
        "file": [place[file] for file in files],
        "label": [number[label] for label in labels],
        "span": None if len(unique) == len(files) else [[round(start, 3), round(end, 3)] for start, end in spans],
        "place": np.round(placed(units, layout, seed), 4).tolist(),
        "near": indices.tolist(),
        "cosine": np.round(cosines.astype(np.float64), 2).tolist(),
    }
    if preview is None:
        data["links"] = [_link(file, path) for file in unique]
    else:
        data["previews"] = [preview(file, start, end) for file, (start, end) in zip(files, spans, strict=True)]
    page = html_file(
        "byola_hear.analysis.map", _text(title if title is not None else top or "map"), data, media="* data:"
    )
    with replacing(path) as stream:
        stream.write(page)
    return len(page)


def _below_common_folder(files: Sequence[str]) -> tuple[dict[str, str], str]:
    """Each file's path as the page shows it, from the folder that holds all of them; and that folder's name."""
    folders = {file: os.path.dirname(os.path.abspath(file)) for file in files}
    try:
        top = os.path.commonpath(set(folders.values()))
    except ValueError:  # on several drives
        return {file: file for file in files}, ""
    return {file: Path(os.path.relpath(os.path.abspath(file), top)).as_posix() for file in files}, os.path.basename(top)


def _text(name: str) -> str:
    """A name for the eye: what is no UTF-8 in it is a question mark."""
    return name.encode("utf-8", "replace").decode()


def _link(file: str, page: Path) -> str:
    """A file's address, relative to the page's folder; a name of any bytes."""
    folder = os.path.dirname(os.path.abspath(page))
    try:
        relative = Path(os.path.relpath(os.path.abspath(file), folder)).as_posix()
    except ValueError:  # on another drive
        return Path(os.path.abspath(file)).as_uri()
    # A name with a colon in its first part would be taken for a scheme.
    return quote(os.fsencode(relative if relative.startswith("../") else f"./{relative}"))
