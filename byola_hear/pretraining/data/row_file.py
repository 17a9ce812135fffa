"""Files of vectors that are computed row by row of a manifest, and continued if that is interrupted.

The vectors of all rows stand one after another in a data file, without a header. ``rows.csv`` contains the number of
vectors of each row. A row is listed there after its data is written, so the data of a listed row is complete.
``building.json`` says what the unfinished file is made of.
"""

from __future__ import annotations

import csv
import io
import json
import os
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from byola_hear.utils.files import naming, write_file

#: Computes some rows: vectors, or an error.
Compute = Callable[[range], list["np.ndarray | str"]]

ROWS_FILE = "rows.csv"
#: File that says what an unfinished data file is made of.
MARKER_FILE = "building.json"


def check_size(data: Path, expected: int) -> None:
    """Refuse a data file that is shorter than its rows. A longer one ends with a row that is being written."""
    size = data.stat().st_size
    if size < expected:
        raise ValueError(f"{data}: expected {expected} bytes, got {size}; build it in a new folder")


def mapped(data: Path, dtype: type[np.generic], size: int) -> Tensor:
    """Map a data file into memory. It may be larger than the memory.

    Args:
        data: the file.
        dtype: type of its numbers.
        size: numbers of a vector.

    Returns:
        ``(n_vectors, size)``, which must not be written to.
    """
    # Mode "r": what a process may write counts as memory that it may need, and a system refuses more than it has.
    with warnings.catch_warnings():
        # torch warns as it has no tensors that can't be written.
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(np.memmap(data, dtype=dtype, mode="r")).reshape(-1, size)


def read_row_lengths(folder: Path) -> np.ndarray:
    """Read the number of vectors of each row, ``(n_rows,)`` int64; 0 for a row that could not be read."""
    with open(folder / ROWS_FILE, newline="", encoding="utf-8") as file:
        return np.array([int(entry[1]) for entry in csv.reader(file)], dtype=np.int64)


def append_rows(
    folder: Path,
    data: IO[bytes],
    identity: dict[str, Any],
    n_rows: int,
    compute: Compute,
    vector_bytes: int,
    workers: int,
    together: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[str]:
    """Compute the rows that are missing and append them to a data file.

    Args:
        folder: folder of the data file.
        data: the data file, opened for appending.
        identity: what the file is made of, as JSON values.
        n_rows: number of rows.
        compute: computes some rows that follow each other: their ``(n_vectors, size)``, or why a row failed.
        vector_bytes: bytes of a vector.
        workers: number of threads.
        together: rows that are computed at a time.
        progress: called with the number of rows done and of all rows.

    Returns:
        The errors of the rows that failed.

    Raises:
        ValueError: if the folder holds an unfinished file that is made of something else, or less data than its rows
            need.
    """
    marker = folder / MARKER_FILE
    stored = json.loads(marker.read_text(encoding="utf-8")) if marker.exists() else None
    if stored != identity and (stored or (folder / ROWS_FILE).exists()):
        raise ValueError(
            f"{folder}: holds an unfinished cache of another manifest or other settings; choose another folder"
        )
    write_file(marker, json.dumps(identity))
    done, failed, n_bytes = _rows_done(folder, vector_bytes)
    check_size(Path(data.name), n_bytes)
    data.truncate(n_bytes)
    path = folder / ROWS_FILE
    with naming(path), open(path, "a", newline="", encoding="utf-8") as listed:
        writer = csv.writer(listed, lineterminator="\n")
        with _threads(workers) as pool:
            for index, result in _in_order(pool, compute, range(done, n_rows), together, workers):
                if isinstance(result, str):
                    # One line of the file, whatever names of files hold.
                    failed.append(" ".join(result.splitlines()))
                    writer.writerow([index, 0, failed[-1]])
                else:
                    data.write(result.tobytes())
                    data.flush()
                    writer.writerow([index, len(result), ""])
                listed.flush()
                if progress is not None:
                    progress(index + 1, n_rows)
    return failed


@contextmanager
def _threads(workers: int) -> Iterator[ThreadPoolExecutor]:
    """Threads. After an error or an interruption, they finish what they are at, and do not begin what is waiting."""
    with ThreadPoolExecutor(max(1, workers)) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _in_order(
    pool: ThreadPoolExecutor, compute: Compute, missing: range, together: int, workers: int
) -> Iterator[tuple[int, np.ndarray | str]]:
    """Compute a few groups of rows at a time, and yield the rows in order."""
    groups = (missing[first : first + together] for first in range(0, len(missing), together))
    queue = [(group, pool.submit(compute, group)) for group in islice(groups, 4 * max(1, workers))]
    while queue:
        group, future = queue.pop(0)
        yield from zip(group, future.result(), strict=True)
        for following in islice(groups, 1):
            queue.append((following, pool.submit(compute, following)))


def _rows_done(folder: Path, vector_bytes: int) -> tuple[int, list[str], int]:
    """Count the rows of an unfinished file. Return it with the errors of failed rows and the bytes of their data."""
    path = folder / ROWS_FILE
    if not path.exists():
        return 0, [], 0
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        os.truncate(path, len(whole))
    entries = list(csv.reader(io.StringIO(whole.decode(), newline="")))
    vectors = sum(int(entry[1]) for entry in entries)
    return len(entries), [entry[2] for entry in entries if entry[2]], vectors * vector_bytes
