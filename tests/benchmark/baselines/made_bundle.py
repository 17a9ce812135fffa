"""Checkpoints in TensorFlow's layout, made by a small writer of LevelDB's tables."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

MAGIC = 0xDB4775248B80FB57


def number(value: int) -> bytes:
    """A number of seven bits a byte."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def block(entries: list[tuple[bytes, bytes]]) -> bytes:
    """A block; keys share what they have in common with the one before."""
    out, before = b"", b""
    for key, value in entries:
        shared = next((at for at, (a, b) in enumerate(zip(key, before)) if a != b), min(len(key), len(before)))
        out += number(shared) + number(len(key) - shared) + number(len(value)) + key[shared:] + value
        before = key
    return out + struct.pack("<II", 0, 1)


def write_bundle(prefix: str, tensors: dict[str, np.ndarray], compression: int = 0) -> None:
    """Write a checkpoint of float32 tensors, in one data file."""
    data, entries = b"", [(b"", b"\x08\x01")]
    for name, values in sorted(tensors.items()):
        sizes = b"".join(b"\x12" + number(len(number(n)) + 1) + b"\x08" + number(n) for n in values.shape)
        content = values.astype("<f4").tobytes()
        value = (
            b"\x08\x01\x12" + number(len(sizes)) + sizes + b"\x20" + number(len(data)) + b"\x28" + number(len(content))
        )
        entries.append((name.encode(), value + b"\x35" + bytes(4)))
        data += content
    half = len(entries) // 2 or 1
    table, index = b"", []
    for part in (entries[:half], entries[half:]):
        made = block(part)
        index.append((part[-1][0] if part else b"", number(len(table)) + number(len(made))))
        table += made + bytes([compression]) + bytes(4)
    places = b""
    for made in (block([]), block(index)):
        places += number(len(table)) + number(len(made))
        table += made + bytes(5)
    Path(f"{prefix}.data-00000-of-00001").write_bytes(data)
    Path(f"{prefix}.index").write_bytes(table + places.ljust(40, b"\0") + struct.pack("<Q", MAGIC))
