"""Read sampled instruments: SoundFonts (.sf2, and .sf3 with Vorbis inside) and Gravis Ultrasound patches (.pat).

Their sounds are the recordings, each at its own pitch and rate, and notes played on the instruments of a SoundFont.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from byola_hear.pretraining.corpora.sounds.raw_audio import bytes_to_samples
from byola_hear.pretraining.corpora.sounds.rendered import rendered_notes
from byola_hear.pretraining.corpora.sounds.sound import Samples, Sound, SoundError, decoded_sound, stored_sound

#: A row of the table of recordings: name, start, end, start and end of the loop, rate, pitch, correction, link, type.
_SOUNDFONT_ROW = struct.Struct("<20s5IBbHH")
_VORBIS = 0x10

#: A patch has a header, an instrument and a layer before the first recording, and a header before each recording.
_PATCH_START, _PATCH_RECORDINGS_AT, _PATCH_HEADER = 129 + 63 + 47, 129 + 63 + 6, 96
_PATCH_SIZES, _PATCH_MODES_AT = struct.Struct("<IIIH"), 55
_SIXTEEN_BITS, _UNSIGNED = 1, 2


def soundfont_sounds(name: str, path: Path) -> Iterator[Sound]:
    """Find the recordings of a SoundFont, numbered and with their names, and then the notes of its presets.

    Raises:
        SoundError: if the file is not a SoundFont or has no recordings.
    """
    data = path.read_bytes()
    if data[:4] != b"RIFF" or data[8:12] != b"sfbk":
        raise SoundError(f"{name}: expected a SoundFont, got a file that begins with {data[:12]!r}")
    chunks = dict(_riff_chunks(data, 12, len(data)))
    if "smpl" not in chunks or "shdr" not in chunks:
        raise SoundError(f"{name}: the SoundFont has no recordings")
    first, end = chunks["smpl"]
    recordings = memoryview(data)[first:end]
    table, table_end = chunks["shdr"]
    # The last row marks the end of the table.
    for index in range((table_end - table) // _SOUNDFONT_ROW.size - 1):
        raw, begin, stop, _, _, rate, _, _, _, form = _SOUNDFONT_ROW.unpack_from(
            data, table + index * _SOUNDFONT_ROW.size
        )
        inner = f"{name}/{index:04d} {raw.split(bytes(1))[0].decode('latin-1').strip()}"
        if form & _VORBIS:
            yield stored_sound(inner, partial(bytes, recordings[begin:stop]))
        elif 0 <= begin < stop and 2 * stop <= len(recordings) and rate > 0:
            yield decoded_sound(inner, partial(_sixteen_bits, recordings[2 * begin : 2 * stop], rate))
    first, end = chunks.get("phdr", (0, 0))
    yield from rendered_notes(name, path, data[first:end])


def _riff_chunks(data: bytes, first: int, end: int) -> Iterator[tuple[str, tuple[int, int]]]:
    """The beginning and end of each innermost chunk of a RIFF file."""
    while first + 8 <= end:
        kind, size = struct.unpack_from("<4sI", data, first)
        stop = min(first + 8 + size, end)
        if kind == b"LIST":
            yield from _riff_chunks(data, first + 12, stop)
        else:
            yield kind.decode("latin-1"), (first + 8, stop)
        first = stop + size % 2


def patch_sounds(name: str, path: Path) -> Iterator[Sound]:
    """Find the numbered recordings of a Gravis Ultrasound patch.

    Raises:
        SoundError: if the file is not a patch or is truncated.
    """
    data = path.read_bytes()
    if not data.startswith(b"GF1PATCH") or len(data) < _PATCH_START:
        raise SoundError(f"{name}: expected a patch that begins with GF1PATCH, got {data[:8]!r}")
    place = _PATCH_START
    for index in range(data[_PATCH_RECORDINGS_AT]):
        if place + _PATCH_HEADER > len(data):
            raise SoundError(
                f"{name}: truncated: recording {index} begins at byte {place}, the file ends at {len(data)}"
            )
        size, _, _, rate = _PATCH_SIZES.unpack_from(data, place + 8)
        modes = data[place + _PATCH_MODES_AT]
        if place + _PATCH_HEADER + size > len(data):
            raise SoundError(f"{name}: truncated: recording {index} has {size} bytes, the file ends before")
        recording = memoryview(data)[place + _PATCH_HEADER : place + _PATCH_HEADER + size]
        place += _PATCH_HEADER + size
        if rate > 0:
            yield decoded_sound(f"{name}/{index:02d}", partial(_patch_samples, recording, rate, modes))


def _sixteen_bits(data: memoryview, rate: int) -> Samples:
    """Signed 16-bit samples, with their rate."""
    return np.frombuffer(data[: len(data) // 2 * 2], np.dtype("<i2")).astype(np.float32) / 32768.0, rate


def _patch_samples(data: memoryview, rate: int, modes: int) -> Samples:
    """The samples of a patch, of 8 or 16 bits, signed or unsigned, with their rate."""
    if modes & _SIXTEEN_BITS:
        samples, _ = _sixteen_bits(data, rate)
        # Silence of unsigned 16 bits is in the middle of their range, so it was read half of the full scale away.
        return (np.where(samples < 0, samples + 1.0, samples - 1.0) if modes & _UNSIGNED else samples), rate
    if modes & _UNSIGNED:
        return bytes_to_samples(bytes(data)), rate
    return np.frombuffer(data, np.int8).astype(np.float32) / 128.0, rate
