"""HDF5: datasets ``file`` (strings), ``start``, ``end`` (``time``) and ``embedding`` ``(n, size)``, chunked by rows.

The file's attribute ``request`` is the request as JSON. Needs the package h5py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from io import BufferedRandom
from pathlib import Path
from typing import Any

import numpy as np

from byola_hear.tables.about import About, unpacked
from byola_hear.tables.batches import BATCH_BYTES, Batch, evened, names_array, rows_in
from byola_hear.tables.errors import TableError
from byola_hear.tables.placing import Placing
from byola_hear.utils.text import as_bytes, as_text

PLACING: Placing = "file"
CARRIES_ABOUT = True
#: Bytes of embeddings in a chunk.
_CHUNK_BYTES = 1 << 20


def write(path: Path, batches: Iterable[Batch], about: About) -> None:
    """See :meth:`byola_hear.tables.formats.registry.Format.write`."""
    import h5py

    n_rows, size = about.n_rows, about.request.size
    chunk = rows_in(_CHUNK_BYTES, size)
    first = 0
    with open(path, "w+b") as plain:
        stream = _Stream(plain)
        with h5py.File(stream, "w") as file:
            file.attrs["request"] = about.request_json()
            kinds = {"file": h5py.string_dtype(), **dict.fromkeys(about.request.columns[1:], "f8")}
            for name, kind in kinds.items():
                file.create_dataset(name, (n_rows,), kind, maxshape=(None,), chunks=(1 << 13,))
            file.create_dataset("embedding", (n_rows, size), "f4", maxshape=(None, size), chunks=(chunk, size))
            for batch in evened(batches, chunk * max(1, BATCH_BYTES // _CHUNK_BYTES)):
                place = slice(first, first + len(batch))
                file["file"][place] = names_array(map(as_bytes, batch.file))
                for name, values in batch.numbers().items():
                    file[name][place] = values
                file["embedding"][place] = batch.embeddings
                first += len(batch)
                stream.check()
            file.create_dataset("clips", data=np.frombuffer(about.packed_entries().encode(), np.uint8))
        stream.check()


class _Stream:
    """A file that keeps the system's error for :meth:`check`, because HDF5 would print it in several tracebacks."""

    def __init__(self, file: BufferedRandom) -> None:
        self.error: OSError | None = None
        self.read, self.readinto, self.seek, self.tell = file.read, file.readinto, file.seek, file.tell
        self._file = file

    def write(self, content: memoryview) -> int:
        self._tried(lambda: self._file.write(content))
        return content.nbytes

    def truncate(self, size: int) -> int:
        self._tried(lambda: self._file.truncate(size))
        return size

    def flush(self) -> None:
        self._tried(self._file.flush)

    def _tried(self, action: Callable[[], object]) -> None:
        if self.error is None:
            try:
                action()
            except OSError as error:
                self.error = error

    def check(self) -> None:
        """Raise the error that occurred, if any."""
        if self.error is not None:
            raise self.error


def read(path: Path) -> Iterator[Batch]:
    """See :meth:`byola_hear.tables.formats.registry.Format.read`."""
    import h5py

    with h5py.File(path) as file:
        missing = {"file", "start", "end", "embedding"}.difference(file)
        if missing:
            raise TableError(f"{path} has no dataset {sorted(missing)[0]!r}: it is not a table of embeddings")
        columns = {name: _dataset(path, file, name) for name in ("file", "start", "end", "time") if name in file}
        embedding = _dataset(path, file, "embedding")
        n_rows, size = embedding.shape
        step = rows_in(BATCH_BYTES, size)
        for first in range(0, n_rows, step):
            here = slice(first, first + step)
            time = columns["time"][here] if "time" in columns else None
            names = names_array(map(as_text, columns["file"][here]))
            yield Batch(names, columns["start"][here], columns["end"][here], time, embedding[here])


def _dataset(path: Path, file: Any, name: str) -> Any:
    """A dataset whose content is in the file itself: links and external storage can name any file of the machine."""
    import h5py

    dataset = file[name] if isinstance(file.get(name, getlink=True), h5py.HardLink) else None
    if not isinstance(dataset, h5py.Dataset) or dataset.external or dataset.is_virtual:
        raise TableError(f"{path}: expected the dataset {name!r} in the file itself, got something else or a link")
    return dataset


def read_about(path: Path) -> About | None:
    """See :meth:`byola_hear.tables.formats.registry.Format.read_about`."""
    import h5py

    with h5py.File(path) as file:
        if "request" not in file.attrs or "clips" not in file:
            return None
        return unpacked(path, file.attrs["request"], _dataset(path, file, "clips")[()].tobytes())
