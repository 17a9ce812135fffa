"""A folder with one ``.npy`` per file, ``(k, size)`` float32, named like the file, and ``index.csv``.

``index.csv`` has one row per embedding, ``file,start,end,npy,row`` or ``file,start,end,time,npy,row``; ``npy`` is the
array's path in the folder, ``row`` the embedding's row in it. ``index.json`` has the request. The folder may hold other
files.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path, PurePath

import numpy as np

from byola_hear.tables.about import About, unpacked
from byola_hear.tables.batches import BATCH_BYTES, Batch, names_array, rows_in
from byola_hear.tables.errors import TableError
from byola_hear.tables.placing import INDEX, Placing, check_inside
from byola_hear.utils.text import as_bytes, same_anywhere, shortened

PLACING: Placing = "merged"
CARRIES_ABOUT = True
#: The file with the table's record of itself.
ABOUT = "index.json"
#: Bytes that file systems allow in one part of a path, minus those that are added.
_LONGEST = 200


def npy_names(files: Iterable[str]) -> dict[str, str]:
    """Choose the path of each file's array in the folder: the file's own path and ``.npy``.

    An absolute path loses its root, and no path leads out of the folder. If two files would have the same path, or
    paths that differ only in case, the later one gets a part of the SHA-256 of its path.

    Args:
        files: paths, without duplicates.

    Returns:
        File → path of its array, with slashes.

    Example:
        >>> npy_names(["a.wav", "/data/b.mp3", "../a.wav"])
        {'a.wav': 'a.wav.npy', '/data/b.mp3': 'data/b.mp3.npy', '../a.wav': 'a.wav~0b50047c3d4a.npy'}
    """
    names: dict[str, str] = {}
    taken, folders = {INDEX, ABOUT}, {""}
    for file in files:
        path = PurePath(file)
        parts = [part for part in path.relative_to(path.anchor).parts if part != ".."]
        digest = hashlib.sha256(as_bytes(file)).hexdigest()[:12]
        last = parts[-1] if parts else "file"
        fits = len(as_bytes(last)) <= _LONGEST
        candidates = [f"{shortened(last, _LONGEST)}~{digest}.npy"]
        candidates.insert(0, "/".join([*parts[:-1], candidates[0]]))
        if fits and parts:
            candidates.insert(0, "/".join([*parts[:-1], f"{last}.npy"]))
        for name in candidates:
            key = same_anywhere(name)
            above = [key[:place] for place, letter in enumerate(key) if letter == "/"]
            if key not in taken and key not in folders and taken.isdisjoint(above):
                break
        names[file] = name
        taken.add(key)
        folders.update(above)
    return names


def write(path: Path, batches: Iterable[Batch], about: About) -> None:
    """See :meth:`byola_hear.tables.formats.registry.Format.write`."""
    path.mkdir()
    n_rows: dict[str, int] = {}
    for entry in about.entries:
        n_rows[entry.clip.file] = n_rows.get(entry.clip.file, 0) + entry.n_rows
    names = npy_names(n_rows)
    for file, count in n_rows.items():
        npy = path / names[file]
        npy.parent.mkdir(parents=True, exist_ok=True)
        with open(npy, "wb") as stream:
            header = {"descr": "<f4", "fortran_order": False, "shape": (count, about.request.size)}
            np.lib.format.write_array_header_1_0(stream, header)
    written = dict.fromkeys(n_rows, 0)
    with open(path / INDEX, "w", newline="", encoding="utf-8", errors="surrogateescape") as index:
        index.write(",".join([*about.request.columns, "npy", "row"]) + "\n")
        lines = csv.writer(index, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
        for batch in batches:
            edges = np.flatnonzero(batch.file[1:] != batch.file[:-1]) + 1
            for first, last in zip([0, *edges], [*edges, len(batch)]):
                rows, file = batch[first:last], batch.file[first]
                with open(path / names[file], "ab") as stream:
                    stream.write(np.ascontiguousarray(rows.embeddings, "<f4").data)
                places = range(written[file], written[file] + len(rows))
                numbers = [values.tolist() for values in rows.numbers().values()]
                lines.writerows((file, *row, names[file], place) for *row, place in zip(*numbers, places))
                written[file] += len(rows)
    content = {"request": about.request.to_dict(), "clips": about.packed_entries()}
    (path / ABOUT).write_text(json.dumps(content))


def read(path: Path) -> Iterator[Batch]:
    """See :meth:`byola_hear.tables.formats.registry.Format.read`."""
    with open(path / INDEX, newline="", encoding="utf-8-sig", errors="surrogateescape") as stream:
        lines = csv.DictReader(stream)
        missing = {"file", "start", "end", "npy", "row"}.difference(lines.fieldnames or ())
        if missing:
            raise TableError(f"{path / INDEX} has no column {sorted(missing)[0]!r}: it is not a table of embeddings")
        arrays: dict[str, np.ndarray] = {}
        step = 1
        while some := list(islice(lines, step)):
            try:
                embeddings = _rows(path, some, arrays)
                seconds = {
                    name: np.array([float(line[name]) for line in some])
                    for name in ("start", "end", "time")
                    if name in some[0]
                }
            except (ValueError, TypeError, IndexError) as error:
                raise TableError(f"{path / INDEX} can't be read: {error}") from None
            file = names_array(line["file"] for line in some)
            yield Batch(file, seconds["start"], seconds["end"], seconds.get("time"), embeddings)
            step = rows_in(BATCH_BYTES, embeddings.shape[1])


def _rows(path: Path, lines: Sequence[dict[str, str]], arrays: dict[str, np.ndarray]) -> np.ndarray:
    """The embeddings of lines, not copied if they follow each other in one file. The last array stays open."""
    pieces = []
    places = [int(line["row"]) for line in lines]
    runs = [
        index
        for index in range(1, len(lines))
        if places[index] != places[index - 1] + 1 or lines[index]["npy"] != lines[index - 1]["npy"]
    ]
    for first, stop in zip([0, *runs], [*runs, len(lines)]):
        name = lines[first]["npy"]
        if name not in arrays:
            check_inside(path, name)
            arrays.clear()
            arrays[name] = np.load(path / name, mmap_mode="r", allow_pickle=False)
        if not 0 <= places[first] <= places[stop - 1] < len(arrays[name]):
            raise IndexError(f"{name} has {len(arrays[name])} rows, not the rows {places[first]} to {places[stop - 1]}")
        pieces.append(arrays[name][places[first] : places[stop - 1] + 1])
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def read_about(path: Path) -> About | None:
    """See :meth:`byola_hear.tables.formats.registry.Format.read_about`."""
    try:
        content = json.loads((path / ABOUT).read_bytes())
        return unpacked(path, json.dumps(content["request"]), content["clips"])
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError) as error:
        raise TableError(f"{path / ABOUT} can't be read: {error}") from None
