"""Parquet: columns ``file``, ``start``, ``end`` (``time``) and ``embedding``, a list of fixed size, in row groups.

The file's metadata has the request as JSON (``byola_hear``) and the record of the clips (``byola_hear.clips``,
``byola_hear.clips.1`` …). The record is in pieces, because Arrow reads no more than 100 MB at once there, which is the
record of 2.5 million clips. If a file's name is not text, ``file`` is a column of bytes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, count, takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from byola_hear.tables.about import About, unpacked
from byola_hear.tables.batches import Batch, evened, names_from_arrow, names_to_arrow, numbers_to_arrow, rows_in
from byola_hear.tables.errors import TableError
from byola_hear.tables.placing import Placing
from byola_hear.utils.text import is_text

if TYPE_CHECKING:
    import pyarrow
    from pyarrow import parquet

PLACING: Placing = "file"
CARRIES_ABOUT = True
#: Bytes of embeddings in a row group.
_GROUP_BYTES = 1 << 25
#: Bytes of a row group that is read at once; other programs write larger ones.
_MOST_GROUP_BYTES = 1 << 27
#: Lists of any size that are read at once.
_LISTS = 1024
#: Threads that read row groups, each one group.
_READERS = 2
_REQUEST, _CLIPS = b"byola_hear", b"byola_hear.clips"
#: Bytes in a piece of the record of the clips.
_PIECE_BYTES = 50_000_000


def write(path: Path, batches: Iterable[Batch], about: About) -> None:
    """See :meth:`byola_hear.tables.formats.registry.Format.write`."""
    import pyarrow as pa
    from pyarrow import parquet

    size = about.request.size
    text = is_text(entry.clip.file for entry in about.entries)
    embedding = pa.list_(pa.field("element", pa.float32(), nullable=False), size)
    numbers = [pa.field(name, pa.float64()) for name in about.request.columns[1:]]
    columns = [pa.field("file", pa.string() if text else pa.binary()), *numbers, pa.field("embedding", embedding)]
    schema = pa.schema(columns, metadata={_REQUEST: about.request_json().encode()})
    plain = [column.name for column in columns[:-1]]
    settings = {"compression": "zstd", "use_dictionary": ["file"], "write_statistics": plain}
    with parquet.ParquetWriter(path, schema, **settings) as writer:
        for batch in evened(batches, rows_in(_GROUP_BYTES, size)):
            flat = numbers_to_arrow(batch.embeddings.reshape(-1))
            arrays = [
                names_to_arrow(batch.file, text),
                *map(numbers_to_arrow, batch.numbers().values()),
                pa.FixedSizeListArray.from_arrays(flat, type=embedding),
            ]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
        packed = about.packed_entries().encode()
        pieces = (packed[first : first + _PIECE_BYTES] for first in range(0, len(packed), _PIECE_BYTES))
        writer.add_key_value_metadata(dict(zip(_clips_keys(), pieces)))


def _clips_keys() -> Iterator[bytes]:
    return chain([_CLIPS], (b"%b.%d" % (_CLIPS, place) for place in count(1)))


def read(path: Path) -> Iterator[Batch]:
    """See :meth:`byola_hear.tables.formats.registry.Format.read`."""
    import pyarrow as pa
    from pyarrow import parquet

    with parquet.ParquetFile(path, pre_buffer=False) as file:
        missing = {"file", "start", "end", "embedding"}.difference(file.schema_arrow.names)
        if missing:
            raise TableError(f"{path} has no column {sorted(missing)[0]!r}: it is not a table of embeddings")
        kind = file.schema_arrow.field("embedding").type
        if pa.types.is_list(kind) or pa.types.is_large_list(kind):
            # DuckDB and pandas write lists of a fixed size as lists of any.
            yield from map(_batch_of, file.iter_batches(_LISTS))
            return
        if not pa.types.is_fixed_size_list(kind):
            raise TableError(f"{path}: expected embeddings as lists of numbers, got {kind}")
        groups = range(file.num_row_groups)
        # Arrow believes the counts and reserves memory for them, so the larger of two of them counts. Nothing else in
        # the metadata is looked at: some of it ends the process where it is damaged.
        sizes = (_bytes_of(file.metadata.row_group(group), kind.list_size) for group in groups)
        if any(size > _MOST_GROUP_BYTES for size in sizes):
            yield from map(_batch_of, file.iter_batches(rows_in(_GROUP_BYTES // 2, kind.list_size)))
            return

        def group_of(group: int) -> Batch:
            with parquet.ParquetFile(path, metadata=file.metadata, pre_buffer=False) as own:
                return _batch_of(own.read_row_group(group, use_threads=False).combine_chunks())

        # To decompress a group keeps one thread busy, and its columns are one large one and small ones.
        with ThreadPoolExecutor(_READERS) as pool:
            waiting = deque(pool.submit(group_of, group) for group in groups[:_READERS])
            for group in groups:
                batch = waiting.popleft().result()
                if group + _READERS < len(groups):
                    waiting.append(pool.submit(group_of, group + _READERS))
                yield batch


def _bytes_of(group: parquet.RowGroupMetaData, size: int) -> int:
    """Bytes of a row group: as it states, or of embeddings of ``size`` dimensions in as many rows as it states."""
    return max(int(group.total_byte_size), 4 * size * int(group.num_rows))


def _batch_of(rows: pyarrow.RecordBatch | pyarrow.Table) -> Batch:
    time = rows["time"].to_numpy() if "time" in rows.schema.names else None
    column = rows["embedding"]
    lists = column.combine_chunks() if hasattr(column, "combine_chunks") else column
    sizes = lists.value_lengths().unique().to_pylist()
    if len(sizes) > 1 or None in sizes:
        raise ValueError(f"expected embeddings of one size in all rows, got {', '.join(map(str, sizes[:3]))}")
    embeddings = np.asarray(lists.flatten(), np.float32).reshape(len(rows), -1)
    return Batch(names_from_arrow(rows["file"]), rows["start"].to_numpy(), rows["end"].to_numpy(), time, embeddings)


def read_about(path: Path) -> About | None:
    """See :meth:`byola_hear.tables.formats.registry.Format.read_about`."""
    from pyarrow import parquet

    notes = parquet.read_metadata(path).metadata or {}
    if _REQUEST not in notes or _CLIPS not in notes:
        return None
    return unpacked(path, notes[_REQUEST], b"".join(notes[key] for key in takewhile(notes.__contains__, _clips_keys())))
