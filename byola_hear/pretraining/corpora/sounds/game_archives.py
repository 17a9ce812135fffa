"""Read archives of games: single files with a table of the names, places and lengths of many sounds."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from byola_hear.pretraining.corpora.sounds.raw_audio import bytes_to_samples
from byola_hear.pretraining.corpora.sounds.sound import Samples, Sound, SoundError, decoded_sound, stored_sound

#: Flight of the Amazon Queen: bytes of the header, and a row of the table: name, bundle, offset, size.
_QUEEN_HEADER, _QUEEN_ROW = 15, struct.Struct(">12sBII")
#: OpenTTD: a row of the table: offset and size. The highest bit of the offset is a flag.
_OPENTTD_ROW = struct.Struct("<II")
#: Doom: the header (kind, number of lumps, place of the table), a row of the table, the header of a sound.
_WAD_HEADER, _WAD_ROW, _WAD_SOUND = struct.Struct("<4sII"), struct.Struct("<II8s"), struct.Struct("<HHI")
#: Doom repeats the first and the last sample this many times around a sound.
_WAD_PADDING = 16


def queen_sounds(name: str, path: Path) -> Iterator[Sound]:
    """Find the voices in ``queen.1c`` of Flight of the Amazon Queen: MP3 files whose names end in .SB.

    Raises:
        SoundError: if the file is of another format or truncated.
    """
    data = path.read_bytes()
    if data[:4] != b"QTBL" or len(data) < _QUEEN_HEADER:
        raise SoundError(f"{name}: expected a file that begins with QTBL, got {data[:4]!r}")
    (count,) = struct.unpack_from(">H", data, _QUEEN_HEADER - 2)
    if len(data) < _QUEEN_HEADER + count * _QUEEN_ROW.size:
        raise SoundError(f"{name}: a table of {count} rows does not fit into {len(data)} bytes")
    for index in range(count):
        raw, _bundle, offset, size = _QUEEN_ROW.unpack_from(data, _QUEEN_HEADER + index * _QUEEN_ROW.size)
        inner = raw.split(b"\0")[0].decode("latin-1").strip()
        if not inner.upper().endswith(".SB"):
            continue
        if offset + size > len(data):
            raise SoundError(f"{name}: truncated: {inner} ends at byte {offset + size}, the file at {len(data)}")
        yield stored_sound(f"{name}/{inner}", partial(bytes, memoryview(data)[offset : offset + size]))


def openttd_sounds(name: str, path: Path) -> Iterator[Sound]:
    """Find the effects in a sound catalogue of OpenTTD: numbered WAV files.

    Raises:
        SoundError: if the table does not fit the file.
    """
    data = path.read_bytes()
    if len(data) < _OPENTTD_ROW.size:
        raise SoundError(f"{name}: expected a table of sounds, got {len(data)} bytes")
    # The first sound follows the table, so its offset gives the number of rows.
    count = (_OPENTTD_ROW.unpack_from(data)[0] & 0x7FFFFFFF) // _OPENTTD_ROW.size
    if not 0 < count * _OPENTTD_ROW.size < len(data):
        raise SoundError(f"{name}: a table of {count} rows does not fit into {len(data)} bytes")
    for index in range(count):
        offset = _OPENTTD_ROW.unpack_from(data, index * _OPENTTD_ROW.size)[0] & 0x7FFFFFFF
        # A name precedes the WAV file. Its first byte is its length.
        beginning = data.find(b"RIFF", offset, offset + 300)
        if beginning < 0 or beginning + 8 > len(data):
            continue
        end = beginning + 8 + struct.unpack_from("<I", data, beginning + 4)[0]
        yield stored_sound(f"{name}/{index:03d}", partial(bytes, memoryview(data)[beginning:end]))


def wav_sounds(name: str, path: Path) -> Iterator[Sound]:
    """Find the numbered WAV files that an archive holds one after another. A file without any has no sounds."""
    data = path.read_bytes()
    place = data.find(b"RIFF")
    while 0 <= place <= len(data) - 12:
        end = place + 8 + struct.unpack_from("<I", data, place + 4)[0]
        if data[place + 8 : place + 12] != b"WAVE" or end > len(data):
            place = data.find(b"RIFF", place + 4)
            continue
        yield stored_sound(f"{name}/{place:08d}", partial(bytes, memoryview(data)[place:end]))
        place = data.find(b"RIFF", end)


def doom_sounds(name: str, path: Path) -> Iterator[Sound]:
    """Find the effects in a WAD of Doom: lumps called DS…, which contain a rate and unsigned bytes.

    Raises:
        SoundError: if the file is not a WAD or its table does not fit.
    """
    data = path.read_bytes()
    if len(data) < _WAD_HEADER.size or data[:4] not in (b"IWAD", b"PWAD"):
        raise SoundError(f"{name}: expected a file that begins with IWAD or PWAD, got {data[:4]!r}")
    _, count, table = _WAD_HEADER.unpack_from(data)
    if table + count * _WAD_ROW.size > len(data):
        raise SoundError(f"{name}: a table of {count} rows at byte {table} does not fit into {len(data)} bytes")
    for index in range(count):
        offset, size, raw = _WAD_ROW.unpack_from(data, table + index * _WAD_ROW.size)
        inner = raw.rstrip(b"\0").decode("latin-1")
        lump = data[offset : offset + size]
        if inner.startswith("DS") and len(lump) > _WAD_SOUND.size + 2 * _WAD_PADDING:
            form, rate, length = _WAD_SOUND.unpack_from(lump)
            if form == 3 and rate > 0:
                samples = lump[_WAD_SOUND.size + _WAD_PADDING : _WAD_SOUND.size + length - _WAD_PADDING]
                yield decoded_sound(f"{name}/{inner}", partial(_eight_bits, samples, rate))


def _eight_bits(data: bytes, rate: int) -> Samples:
    """Unsigned 8-bit samples, with their rate."""
    return bytes_to_samples(data), rate
