"""NPZ: arrays for ``numpy.load``, without pickles.

``file`` ``(n,)`` of str, ``start``, ``end`` (``time``) ``(n,)`` float64 and ``embedding`` ``(n, size)`` float32, row by
row; ``request`` is the request as JSON.
"""

from __future__ import annotations

import zipfile
from array import array
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from byola_hear.tables.about import About, unpacked
from byola_hear.tables.batches import BATCH_BYTES, Batch, names_array, rows_in
from byola_hear.tables.errors import TableError
from byola_hear.tables.placing import Placing

PLACING: Placing = "file"
CARRIES_ABOUT = True
#: Number of copies of a file's name that are written at a time.
_NAMES = 4096


def write(path: Path, batches: Iterable[Batch], about: About) -> None:
    """See :meth:`byola_hear.tables.formats.registry.Format.write`."""
    n_rows, size = about.n_rows, about.request.size
    numbers = {name: array("d") for name in about.request.columns[1:]}
    with zipfile.ZipFile(path, "w") as archive:
        with _member(archive, "embedding") as member:
            _write_header(member, np.dtype("<f4"), (n_rows, size))
            for batch in batches:
                member.write(np.ascontiguousarray(batch.embeddings, "<f4").data)
                for name, values in batch.numbers().items():
                    numbers[name].frombytes(np.ascontiguousarray(values).tobytes())
        width = max((len(entry.clip.file) for entry in about.entries), default=1)
        with _member(archive, "file", zipfile.ZIP_DEFLATED) as member:
            _write_header(member, np.dtype(f"<U{width}"), (n_rows,))
            for entry in about.entries:
                name_bytes = np.array(entry.clip.file, f"<U{width}").tobytes()
                for first in range(0, entry.n_rows, _NAMES):
                    member.write(name_bytes * min(_NAMES, entry.n_rows - first))
        arrays: dict[str, NDArray[Any]] = {name: np.frombuffer(values) for name, values in numbers.items()}
        arrays["request"], arrays["clips"] = np.array(about.request_json()), np.array(about.packed_entries().encode())
        for name, content in arrays.items():
            with _member(archive, name) as member:
                np.lib.format.write_array(member, content, allow_pickle=False)


def _member(archive: zipfile.ZipFile, name: str, compression: int = zipfile.ZIP_STORED) -> IO[bytes]:
    # Without the time of day, so that equal tables are equal files.
    info = zipfile.ZipInfo(f"{name}.npy")
    info.compress_type = compression
    return archive.open(info, "w", force_zip64=True)


def _write_header(member: IO[bytes], kind: np.dtype[Any], shape: tuple[int, ...]) -> None:
    descr = np.lib.format.dtype_to_descr(kind)
    np.lib.format.write_array_header_2_0(member, {"descr": descr, "fortran_order": False, "shape": shape})


def read(path: Path) -> Iterator[Batch]:
    """See :meth:`byola_hear.tables.formats.registry.Format.read`."""
    names = _members(path)
    missing = {"file", "start", "end", "embedding"}.difference(names)
    if missing:
        raise TableError(f"{path} has no array {sorted(missing)[0]!r}: it is not a table of embeddings")
    with zipfile.ZipFile(path) as archive, ExitStack() as stack:
        streams = {
            name: stack.enter_context(archive.open(f"{name}.npy"))
            for name in ("file", "start", "end", "time", "embedding")
            if name in names
        }
        headers = {name: _read_header(path, stream) for name, stream in streams.items()}
        n_rows, size = headers["embedding"][1]
        step = rows_in(BATCH_BYTES, size)
        for first in range(0, n_rows, step):
            count = min(step, n_rows - first)
            columns = {
                name: _read_rows(path, streams[name], kind, (count, *shape[1:]))
                for name, (kind, shape) in headers.items()
            }
            file = names_array(columns["file"].tolist())
            yield Batch(file, columns["start"], columns["end"], columns.get("time"), columns["embedding"])


def _members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return [name.removesuffix(".npy") for name in archive.namelist()]
    except zipfile.BadZipFile as error:
        raise TableError(f"{path} can't be read: {error}") from None


def _read_header(path: Path, stream: IO[bytes]) -> tuple[np.dtype[Any], tuple[int, ...]]:
    try:
        version = np.lib.format.read_magic(stream)
        reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, kind = reader(stream)
    except ValueError as error:
        raise TableError(f"{path} can't be read: {error}") from None
    if fortran or kind.hasobject:
        raise TableError(f"{path} is not a table that this package wrote")
    return kind, shape


def _read_rows(path: Path, stream: IO[bytes], kind: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    content = stream.read(int(np.prod(shape)) * kind.itemsize)
    try:
        return np.frombuffer(content, kind).reshape(shape)
    except ValueError:
        raise TableError(f"{path} is shorter than it says") from None


def read_about(path: Path) -> About | None:
    """See :meth:`byola_hear.tables.formats.registry.Format.read_about`."""
    if not {"request", "clips"}.issubset(_members(path)):
        return None
    with np.load(path, allow_pickle=False) as content:
        return unpacked(path, str(content["request"]), bytes(content["clips"]))
