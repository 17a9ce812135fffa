"""Zarr 3: a folder with arrays ``file`` (strings), ``start``, ``end`` (``time``) and ``embedding``, chunked by rows.

The group's attribute ``request`` is the request. Needs the package zarr. If a file's name is not text, ``file`` is an
array of bytes.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from byola_hear.tables.about import About, unpacked
from byola_hear.tables.batches import Batch, evened, names_array, rows_in
from byola_hear.tables.errors import TableError
from byola_hear.tables.placing import Placing
from byola_hear.utils.text import as_bytes, as_text, is_text

PLACING: Placing = "folder"
CARRIES_ABOUT = True
#: Bytes of embeddings in a chunk.
_CHUNK_BYTES = 1 << 24


def write(path: Path, batches: Iterable[Batch], about: About) -> None:
    """See :meth:`byola_hear.tables.formats.registry.Format.write`."""
    import zarr

    n_rows, size = about.n_rows, about.request.size
    chunk = rows_in(_CHUNK_BYTES, size)
    text = is_text(entry.clip.file for entry in about.entries)
    first = 0
    with warnings.catch_warnings():
        # Bytes of any length are not in the standard yet. Only tables with names that are not text use them.
        warnings.filterwarnings("ignore", "The data type .*VariableLengthBytes")
        group = zarr.open_group(path, mode="w", zarr_format=3)
        group.attrs["request"] = about.request.to_dict()
        kinds = {"file": "string" if text else "variable_length_bytes"}
        kinds.update(dict.fromkeys(about.request.columns[1:], "float64"))
        arrays = {
            name: group.create_array(name, shape=(n_rows,), chunks=(chunk,), dtype=kind) for name, kind in kinds.items()
        }
        embedding = group.create_array("embedding", shape=(n_rows, size), chunks=(chunk, size), dtype="float32")
        for batch in evened(batches, chunk):
            here = slice(first, first + len(batch))
            arrays["file"][here] = batch.file if text else names_array(map(as_bytes, batch.file))
            for name, values in batch.numbers().items():
                arrays[name][here] = values
            embedding[here] = batch.embeddings
            first += len(batch)
        packed = np.frombuffer(about.packed_entries().encode(), np.uint8)
        group.create_array("clips", data=packed, chunks=packed.shape)


def _opened(path: Path) -> Any:
    """The group of a table, to be read.

    Only Zarr 3, and each array by its own metadata: an array of Zarr 2, also one that consolidated metadata claims, may
    name a filter that unpickles.
    """
    import zarr

    return zarr.open_group(path, mode="r", zarr_format=3, use_consolidated=False)


def read(path: Path) -> Iterator[Batch]:
    """See :meth:`byola_hear.tables.formats.registry.Format.read`."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The data type .*VariableLengthBytes")
        group = _opened(path)
        missing = {"file", "start", "end", "embedding"}.difference(group.array_keys())
        if missing:
            raise TableError(f"{path} has no array {sorted(missing)[0]!r}: it is not a table of embeddings")
        arrays = dict(group.arrays())
    (n_rows, _), (step, _) = arrays["embedding"].shape, arrays["embedding"].chunks
    for first in range(0, n_rows, step):
        here = slice(first, first + step)
        columns = {name: np.asarray(arrays[name][here]) for name in ("start", "end", "time") if name in arrays}
        file = names_array(map(as_text, arrays["file"][here]))
        yield Batch(file, columns["start"], columns["end"], columns.get("time"), np.asarray(arrays["embedding"][here]))


def read_about(path: Path) -> About | None:
    """See :meth:`byola_hear.tables.formats.registry.Format.read_about`."""
    group = _opened(path)
    if "request" not in group.attrs or "clips" not in group:
        return None
    return unpacked(path, json.dumps(group.attrs["request"]), np.asarray(group["clips"][:]).tobytes())
