"""Read compiled resources of Qt (.rcc): a tree of files in one."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from byola_hear.audio.reading import AUDIO_SUFFIXES
from byola_hear.pretraining.corpora.sounds.sound import Sound, SoundError, stored_sound

#: The header: magic, version, and the places of the tree, of the contents and of the names.
_HEADER = struct.Struct(">4s4I")
#: A node of the tree: place of its name, flags; then for a folder the number and the first of its children.
_NODE, _CHILDREN, _CONTENT = struct.Struct(">IH"), struct.Struct(">II"), struct.Struct(">HHI")
#: Bytes of a node; from version 2 on it ends with a time.
_NODE_BYTES = {1: 14, 2: 22, 3: 22}
_COMPRESSED, _FOLDER, _ZSTD = 1, 2, 4
_LARGEST, _DEEPEST = 1 << 30, 64


def qt_sounds(name: str, path: Path) -> Iterator[Sound]:
    """Find the sounds in compiled resources of Qt that libsndfile reads.

    Raises:
        SoundError: if the file is of another format or truncated.
    """
    data = path.read_bytes()
    if len(data) < _HEADER.size or data[:4] != b"qres":
        raise SoundError(f"{name}: expected a file that begins with qres, got {data[:4]!r}")
    _, version, tree, contents, names = _HEADER.unpack_from(data)
    if version not in _NODE_BYTES:
        raise SoundError(f"{name}: expected version 1 to 3 of Qt's resources, got {version}")
    try:
        for inner, place, flags in _files(data, tree, names, _NODE_BYTES[version]):
            if PurePosixPath(inner).suffix.lower() in AUDIO_SUFFIXES:
                yield stored_sound(f"{name}/{inner}", partial(_content, name, data, contents + place, flags))
    except (struct.error, UnicodeDecodeError) as error:
        raise SoundError(f"{name}: not readable resources of Qt ({error})") from None


def _files(data: bytes, tree: int, names: int, node_bytes: int) -> Iterator[tuple[str, int, int]]:
    """The path, the place and the flags of each file of a tree, whose first node is the root."""
    waiting, most = [(0, "", 0)], (len(data) - tree) // node_bytes
    visited = 0
    while waiting:
        index, prefix, depth = waiting.pop()
        visited += 1
        if visited > most or depth > _DEEPEST:
            raise struct.error("its tree has a circle")
        place = tree + index * node_bytes
        name_at, flags = _NODE.unpack_from(data, place)
        title = "" if index == 0 else _name(data, names + name_at)
        if flags & _FOLDER:
            count, first = _CHILDREN.unpack_from(data, place + _NODE.size)
            folder = f"{prefix}{title}/" if title else prefix
            waiting += [(first + child, folder, depth + 1) for child in reversed(range(min(count, most)))]
        else:
            yield prefix + title, _CONTENT.unpack_from(data, place + _NODE.size)[2], flags


def _name(data: bytes, place: int) -> str:
    """A name: its length in characters, a hash, and UTF-16."""
    (length,) = struct.unpack_from(">H", data, place)
    return data[place + 6 : place + 6 + 2 * length].decode("utf-16-be")


def _content(name: str, data: bytes, place: int, flags: int) -> bytes:
    """The content of a file, after its size."""
    try:
        (size,) = struct.unpack_from(">I", data, place)
    except struct.error:
        size = len(data)
    content = data[place + 4 : place + 4 + size]
    if len(content) != size or flags & _ZSTD:
        raise SoundError(f"{name}: truncated, or compressed with zstd, which is not supported")
    if not flags & _COMPRESSED:
        return content
    try:
        # Four bytes before the stream give its size.
        return zlib.decompressobj().decompress(content[4:], _LARGEST)
    except zlib.error as error:
        raise SoundError(f"{name}: not readable resources of Qt ({error})") from None
