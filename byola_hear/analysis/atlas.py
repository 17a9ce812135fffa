"""A collection as a Parquet file that Embedding Atlas opens, with its layout and its neighbours.

Source:
    Embedding Atlas, https://apple.github.io/embedding-atlas/: ``--x``, ``--y`` and ``--neighbors`` name columns that
    need no computation any more, ``--audio`` a column of ``{"bytes": …}``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from byola_hear.analysis.layouts import placed
from byola_hear.analysis.neighbours import directions, neighbours
from byola_hear.utils.files import replacing
from byola_hear.utils.html_file import displayable

if TYPE_CHECKING:
    import pandas

#: Number of neighbours of each row.
NEIGHBOURS = 15
#: Names of the columns that the command line of Embedding Atlas has to be told.
OPTIONS = "--x x --y y --neighbors neighbours"


def write_atlas(
    path: str | os.PathLike[str],
    table: pandas.DataFrame,
    labels: Sequence[str],
    *,
    layout: str = "pca",
    seed: int = 0,
    vectors: bool = False,
    audio: Callable[[str, float, float], bytes] | None = None,
) -> int:
    """Write a table of embeddings for Embedding Atlas.

    The columns are ``file``, ``start`` and ``end`` (s), ``label``, ``x`` and ``y``, and ``neighbours``: a struct of
    ``ids``, row numbers from 0, the nearest first, and ``distances``, 1 minus the cosine. Layout and neighbours are
    those of the map (``byola-hear map``).

    Args:
        path: file to write. An existing file is replaced.
        table: a table from :func:`byola_hear.embed` or :func:`byola_hear.read_table`.
        labels: one label per row.
        layout: one of ``byola_hear.analysis.map.LAYOUTS``.
        seed: seed for everything that is random in the layout.
        vectors: whether to write a column ``vector`` with the embeddings, lists of float32.
        audio: a function of a row's file, start and end (s) that returns a sound file's bytes, for a column ``audio``
            of structs of ``bytes`` and ``path``; empty bytes if there is no sound.

    Returns:
        Size of the file in bytes.

    Raises:
        ValueError: if the table has no rows, an embedding is not finite, labels are missing, or (``LayoutError``) the
            layout can't be made.
        OSError: if the file can't be written.
    """
    import pyarrow as pa
    from pyarrow import parquet

    if not len(table):
        raise ValueError("expected a table with rows, got none")
    if len(labels) != len(table):
        raise ValueError(f"expected a label for each of {len(table)} rows, got {len(labels)}")
    embeddings = table.to_numpy(np.float32)
    if not np.isfinite(embeddings).all():
        raise ValueError("the table holds embeddings that are not finite")
    files = [displayable(str(file)) for file in table.index.get_level_values("file")]
    start, end = (table.index.get_level_values(name).to_numpy(np.float64) for name in ("start", "end"))
    units = directions(embeddings, seed)
    indices, cosines = neighbours(units, NEIGHBOURS)
    places = placed(units, layout, seed)
    near = pa.StructArray.from_arrays(
        [
            pa.array(indices.tolist(), pa.list_(pa.int64())),
            pa.array((1.0 - cosines.astype(np.float64)).clip(0).tolist(), pa.list_(pa.float64())),
        ],
        names=["ids", "distances"],
    )
    columns = {
        "file": pa.array(files, pa.string()),
        "start": pa.array(start),
        "end": pa.array(end),
        "label": pa.array([displayable(str(label)) for label in labels], pa.string()),
        "x": pa.array(places[:, 0]),
        "y": pa.array(places[:, 1]),
        "neighbours": near,
    }
    if audio is not None:
        named = table.index.get_level_values("file")
        sounds = [audio(str(file), *span) for file, *span in zip(named, start.tolist(), end.tolist(), strict=True)]
        columns["audio"] = pa.StructArray.from_arrays(
            [pa.array(sounds, pa.binary()), pa.array(files, pa.string())], names=["bytes", "path"]
        )
    if vectors:
        offsets = pa.array(np.arange(len(embeddings) + 1) * embeddings.shape[1], pa.int64())
        columns["vector"] = pa.LargeListArray.from_arrays(offsets, pa.array(embeddings.reshape(-1)))
    with replacing(Path(path)) as stream:
        parquet.write_table(pa.table(columns), stream, compression="zstd")
        return stream.tell()
