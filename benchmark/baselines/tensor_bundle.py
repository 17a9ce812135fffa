"""Read TensorFlow's checkpoints, ``PREFIX.index`` and ``PREFIX.data-00000-of-00001``, without TensorFlow.

The index is a sorted table of LevelDB: blocks of entries whose keys share their beginnings. A value is a protocol
buffer that says a tensor's type, shape and place in the data file, where the values are stored as they are. No code is
run.

Source:
    tensorflow/core/protobuf/tensor_bundle.proto and LevelDB's doc/table_format.md.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

#: Last eight bytes of a table.
_MAGIC = 0xDB4775248B80FB57
#: Length of a table's end: the places of two blocks, and the magic number.
_FOOTER = 48
#: TensorFlow's number of the type float32.
_FLOAT = 1


def read_bundle(prefix: str) -> dict[str, Tensor]:
    """Read all float32 tensors of a checkpoint.

    Args:
        prefix: path of the files up to ``.index``.

    Returns:
        The tensors by name.

    Raises:
        FileNotFoundError: if one of the two files does not exist.
        ValueError: if they are not a checkpoint in one data file, uncompressed and of little-endian numbers.
    """
    index, data = Path(f"{prefix}.index"), Path(f"{prefix}.data-00000-of-00001")
    for path in (index, data):
        if not path.is_file():
            raise FileNotFoundError(f"expected TensorFlow's checkpoint at {path}, found no file")
    values = np.memmap(data, np.uint8, "r") if data.stat().st_size else np.empty(0, np.uint8)
    try:
        return dict(_tensors(index.read_bytes(), values))
    except (ValueError, IndexError, KeyError, struct.error, UnicodeDecodeError) as error:
        raise ValueError(f"{index}: expected a checkpoint of TensorFlow, could not read it: {error}") from error


def _tensors(table: bytes, values: np.ndarray) -> Iterator[tuple[str, Tensor]]:
    for key, value in _entries_of(table):
        fields = _fields(value)
        if key == b"":  # the header: number of data files, and order of bytes
            if fields.get(1, [1]) != [1] or fields.get(2, [0]) != [0]:
                raise ValueError("expected one data file of little-endian numbers")
            continue
        if fields.get(1) != [_FLOAT]:
            continue
        shape = [_fields(size).get(1, [0])[0] for size in _fields(fields.get(2, [b""])[0]).get(2, [])]
        offset, n_bytes = fields.get(4, [0])[0], fields.get(5, [0])[0]
        if 4 * math.prod(shape) != n_bytes or offset + n_bytes > len(values):
            raise ValueError(f"{key.decode()}: {n_bytes} bytes at {offset} do not fit shape {shape} or the data file")
        read = values[offset : offset + n_bytes].view("<f4").reshape(shape)
        yield key.decode(), torch.from_numpy(read.astype(np.float32))


def _entries_of(table: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a table."""
    if len(table) < _FOOTER or struct.unpack("<Q", table[-8:])[0] != _MAGIC:
        raise ValueError("it is not a table of LevelDB")
    _, at = _place(table, len(table) - _FOOTER)  # of the block of statistics
    (where, size), _ = _place(table, at)
    for _, value in _entries(table, where, size):
        (start, length), _ = _place(value, 0)
        yield from _entries(table, start, length)


def _entries(table: bytes, start: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a block."""
    if start + size >= len(table) or table[start + size] != 0:
        raise ValueError("expected blocks without compression")
    block = table[start : start + size]
    (n_restarts,) = struct.unpack("<I", block[-4:])
    at, end, key = 0, len(block) - 4 * (n_restarts + 1), b""
    while at < end:
        shared, at = _number(block, at)
        own, at = _number(block, at)
        length, at = _number(block, at)
        key = key[:shared] + block[at : at + own]
        yield key, block[at + own : at + own + length]
        at += own + length


def _place(data: bytes, at: int) -> tuple[tuple[int, int], int]:
    """A block's start and size, and the position after them."""
    start, at = _number(data, at)
    size, at = _number(data, at)
    return (start, size), at


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, the lowest first, and the position after it.

    >>> _number(bytes([0xAC, 0x02]), 0)
    (300, 2)
    """
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _fields(message: bytes) -> dict[int, list[Any]]:
    """A protocol buffer's values by the number of their field: numbers or bytes."""
    found: dict[int, list[Any]] = {}
    at = 0
    while at < len(message):
        tag, at = _number(message, at)
        kind = tag & 7
        value: int | bytes
        if kind == 0:
            value, at = _number(message, at)
        else:
            length, at = _number(message, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
            value, at = message[at : at + length], at + length
        found.setdefault(tag >> 3, []).append(value)
    return found
