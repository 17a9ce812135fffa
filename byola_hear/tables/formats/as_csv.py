"""CSV: one row per embedding, ``file,start,end,e0,e1,…`` or ``file,start,end,time,e0,e1,…``.

The numbers have enough digits to read every float32 exactly. The format has no place for the settings of the table.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from byola_hear.tables.about import About
from byola_hear.tables.batches import Batch, names_array, names_from_arrow, names_to_arrow, numbers_to_arrow
from byola_hear.tables.errors import TableError
from byola_hear.tables.placing import Placing
from byola_hear.utils.text import as_bytes, is_text, one_line

PLACING: Placing = "file"
CARRIES_ABOUT = False
_NUMBERS = ("start", "end", "time")
#: Bytes of text that are read at a time. A row must not be longer.
_BLOCK_BYTES = 1 << 24


def write(path: Path, batches: Iterable[Batch], about: About) -> None:
    """See :meth:`byola_hear.tables.formats.registry.Format.write`."""
    names = [*about.request.columns, *(f"e{index}" for index in range(about.request.size))]
    with open(path, "wb") as stream:
        stream.write((",".join(names) + "\n").encode())
        for batch in batches:
            if is_text(batch.file):
                _write_lines(stream, batch, batch.file)
            else:
                # Arrow writes only text. In Latin-1, any bytes are text, and everything but the names is ASCII.
                lines = io.BytesIO()
                _write_lines(lines, batch, names_array(as_bytes(name).decode("latin-1") for name in batch.file))
                stream.write(lines.getvalue().decode().encode("latin-1"))


def _write_lines(stream: IO[bytes], batch: Batch, names: NDArray[np.object_]) -> None:
    import pyarrow as pa
    from pyarrow import csv

    columns = [*batch.numbers().values(), *np.ascontiguousarray(batch.embeddings.T)]
    arrays = [names_to_arrow(names, text=True), *map(numbers_to_arrow, columns)]
    rows = pa.record_batch(arrays, [str(place) for place in range(len(arrays))])
    csv.write_csv(rows, stream, csv.WriteOptions(include_header=False))


def read(path: Path) -> Iterator[Batch]:
    """See :meth:`byola_hear.tables.formats.registry.Format.read`."""
    import pyarrow as pa
    from pyarrow import csv

    with open(path, "rb") as stream:
        names = stream.readline().decode("utf-8-sig", "replace").rstrip("\r\n").split(",")
    first = 4 if "time" in names else 3
    if names != ["file", *_NUMBERS[: first - 1], *(f"e{index}" for index in range(len(names) - first))]:
        raise TableError(f"{path}: expected columns file, start, end, e0, e1, …, got {', '.join(names[:5])[:80]}")
    # An empty batch first, because the columns of a table without rows must be known.
    none = np.empty(0)
    yield Batch(
        names_array([]), none, none, none if first == 4 else None, np.empty((0, len(names) - first), np.float32)
    )
    kinds = {name: pa.float64() if name in _NUMBERS else pa.float32() for name in names[1:]}
    try:
        reader = csv.open_csv(
            path,
            read_options=csv.ReadOptions(block_size=_BLOCK_BYTES),
            parse_options=csv.ParseOptions(newlines_in_values=True),
            convert_options=csv.ConvertOptions(column_types={"file": pa.binary(), **kinds}, null_values=[]),
        )
        for rows in reader:
            embeddings = np.empty((len(rows), len(names) - first), np.float32)
            for index in range(first, len(names)):
                embeddings[:, index - first] = rows.column(index).to_numpy()
            time = rows["time"].to_numpy() if first == 4 else None
            yield Batch(
                names_from_arrow(rows["file"]), rows["start"].to_numpy(), rows["end"].to_numpy(), time, embeddings
            )
    except pa.ArrowInvalid as error:
        raise TableError(f"{path} can't be read: {one_line(error)[:200]}") from None


def read_about(path: Path) -> About | None:
    """See :meth:`byola_hear.tables.formats.registry.Format.read_about`."""
    return None
