"""Read archives of OpenClonk (.ocg): nested folders in one compressed stream."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from byola_hear.audio.reading import AUDIO_SUFFIXES
from byola_hear.pretraining.corpora.sounds.sound import Sound, SoundError, stored_sound

#: The stream is gzip with other first bytes than gzip's.
_MAGIC, _GZIP_MAGIC = b"\x1e\x8c", b"\x1f\x8b"
#: Bytes of a folder's header, which is scrambled, and the place of the number of its entries.
_HEADER, _COUNT_AT, _TITLE = 204, 36, b"RedWolf Design GrpFolder"
#: A row of a folder's table: name, whether it is packed, whether it is a folder, size twice, offset, and the rest.
_ROW = struct.Struct("<260s5i36x")
#: Most bytes that a stream may unpack to, and folders inside one another.
_LARGEST, _DEEPEST = 1 << 30, 16


def clonk_sounds(name: str, path: Path) -> Iterator[Sound]:
    """Find the sounds in an archive of OpenClonk that libsndfile reads.

    Raises:
        SoundError: if the file is of another format or truncated.
    """
    for inner, content in clonk_files(name, path.read_bytes()):
        if PurePosixPath(inner).suffix.lower() in AUDIO_SUFFIXES:
            yield stored_sound(f"{name}/{inner}", partial(bytes, content))


def clonk_files(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """Read every file of an archive of OpenClonk.

    Args:
        name: name of the archive, for errors.
        data: its bytes.

    Yields:
        Paths in the archive, and contents.

    Raises:
        SoundError: if the archive is of another format or truncated.
    """
    if data[:2] != _MAGIC:
        raise SoundError(f"{name}: expected a file that begins with 1e8c, got {data[:2].hex()}")
    stream = zlib.decompressobj(wbits=31)
    try:
        unpacked = stream.decompress(_GZIP_MAGIC + data[2:], _LARGEST)
    except zlib.error as error:
        raise SoundError(f"{name}: not a readable archive ({error})") from None
    if not stream.eof:
        raise SoundError(f"{name}: truncated, or larger than {_LARGEST} bytes")
    yield from _folder(name, unpacked, "", 0)


def _folder(name: str, data: bytes, prefix: str, depth: int) -> Iterator[tuple[str, bytes]]:
    """The files of a folder and of the folders in it."""
    if len(data) < _HEADER:
        raise SoundError(
            f"{name}: expected a folder of OpenClonk at {prefix or 'its beginning'}, got {len(data)} bytes"
        )
    header = bytearray(byte ^ 0xED for byte in data[:_HEADER])
    header[0:_HEADER:3], header[2:_HEADER:3] = header[2:_HEADER:3], header[0:_HEADER:3]
    if bytes(header[: len(_TITLE)]) != _TITLE or depth > _DEEPEST:
        raise SoundError(f"{name}: expected a folder of OpenClonk at {prefix or 'its beginning'}")
    (count,) = struct.unpack_from("<i", header, _COUNT_AT)
    base = _HEADER + count * _ROW.size
    if not 0 <= count or base > len(data):
        raise SoundError(f"{name}: a table of {count} rows does not fit into {len(data)} bytes")
    for index in range(count):
        raw, _, is_folder, size, _, offset = _ROW.unpack_from(data, _HEADER + index * _ROW.size)
        inner = prefix + raw.split(b"\0")[0].decode("latin-1").replace("\\", "/")
        if size < 0 or offset < 0 or base + offset + size > len(data):
            raise SoundError(f"{name}: truncated: {inner} ends at byte {base + offset + size} of {len(data)}")
        content = data[base + offset : base + offset + size]
        if is_folder:
            yield from _folder(name, content, f"{inner}/", depth + 1)
        else:
            yield inner, content
