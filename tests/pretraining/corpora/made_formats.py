"""Small archives in the formats of games and instruments."""

from __future__ import annotations

import struct
from collections.abc import Mapping


def queen_file(sounds: Mapping[str, bytes]) -> bytes:
    """A ``queen.1c``: header, table, contents."""
    place = 15 + 21 * len(sounds)
    table, contents = b"", b""
    for name, content in sounds.items():
        table += struct.pack(">12sBII", name.encode(), 1, place + len(contents), len(content))
        contents += content
    return b"QTBLCEM10\0\0\0\1" + struct.pack(">H", len(sounds)) + table + contents


def openttd_file(sounds: list[bytes]) -> bytes:
    """An OpenTTD sound catalogue: table, then a name and a WAV file each."""
    place, table, contents = 8 * len(sounds), b"", b""
    for index, sound in enumerate(sounds):
        table += struct.pack("<II", (place + len(contents)) | (0x80000000 if index == 0 else 0), len(sound))
        contents += bytes([5]) + b"name\0" + sound
    return table + contents


def doom_file(sounds: dict[str, tuple[int, bytes]]) -> bytes:
    """A Doom WAD: name → rate and unsigned bytes."""
    lumps, table, place = b"", b"", 12
    for name, (rate, samples) in sounds.items():
        lump = struct.pack("<HHI", 3, rate, len(samples) + 32) + bytes(16) + samples + bytes(16)
        table += struct.pack("<II8s", place + len(lumps), len(lump), name.encode())
        lumps += lump
    return struct.pack("<4sII", b"IWAD", len(sounds), place + len(lumps)) + lumps + table


def patch_file(recordings: list[tuple[int, int, bytes]]) -> bytes:
    """A Gravis Ultrasound patch: rate, modes and bytes of each recording."""
    data = bytearray(129 + 63 + 47)
    data[:8] = b"GF1PATCH"
    data[129 + 63 + 6] = len(recordings)
    for rate, modes, samples in recordings:
        header = bytearray(96)
        struct.pack_into("<IIIH", header, 8, len(samples), 0, 0, rate)
        header[55] = modes
        data += header + samples
    return bytes(data)


def soundfont_file(recordings: list[tuple[str, int, bytes]], compressed: bool = False) -> bytes:
    """A SoundFont: name, rate and contents of each recording."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)

    samples, rows = b"", b""
    for name, rate, content in recordings:
        unit = 1 if compressed else 2
        begin, end = len(samples) // unit, (len(samples) + len(content)) // unit
        form = 0x11 if compressed else 1
        rows += struct.pack("<20s5IBbHH", name.encode(), begin, end, begin, end, rate, 60, 0, 0, form)
        samples += content
    rows += struct.pack("<20s5IBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0)
    content = chunk(b"LIST", b"sdta" + chunk(b"smpl", samples)) + chunk(b"LIST", b"pdta" + chunk(b"shdr", rows))
    return chunk(b"RIFF", b"sfbk" + content)


def playable_soundfont(samples: bytes, rate: int, key: int, presets: list[tuple[str, int, int]]) -> bytes:
    """A SoundFont whose presets (name, program, bank) all play one looped recording of 16-bit samples.

    Args:
        samples: the recording.
        rate: its rate, Hz.
        key: its MIDI note.
        presets: name, program and bank of each preset.
    """

    def chunk(kind: bytes, content: bytes) -> bytes:
        return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)

    n_samples = len(samples) // 2
    phdr = b"".join(
        struct.pack("<20sHHHIII", name.encode(), program, bank, index, 0, 0, 0)
        for index, (name, program, bank) in enumerate(presets)
    ) + struct.pack("<20sHHHIII", b"EOP", 0, 0, len(presets), 0, 0, 0)
    n = len(presets)
    rows = struct.pack("<20s5IBbHH", b"wave", 0, n_samples, 0, n_samples, rate, key, 0, 0, 1)
    rows += struct.pack("<20s5IBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0)
    hydra = {
        b"phdr": phdr,
        b"pbag": b"".join(struct.pack("<HH", index, 0) for index in range(n + 1)),
        b"pmod": struct.pack("<5H", 0, 0, 0, 0, 0),
        b"pgen": struct.pack("<HH", 41, 0) * n + struct.pack("<HH", 0, 0),  # 41: the instrument
        b"inst": struct.pack("<20sH", b"one", 0) + struct.pack("<20sH", b"EOI", 1),
        b"ibag": struct.pack("<HH", 0, 0) + struct.pack("<HH", 2, 0),
        b"imod": struct.pack("<5H", 0, 0, 0, 0, 0),
        b"igen": struct.pack("<HH", 54, 1) + struct.pack("<HH", 53, 0) + struct.pack("<HH", 0, 0),  # looped; recording
        b"shdr": rows,
    }
    parts = chunk(b"LIST", b"INFO" + chunk(b"ifil", struct.pack("<HH", 2, 1)))
    parts += chunk(b"LIST", b"sdta" + chunk(b"smpl", samples + bytes(92)))
    parts += chunk(b"LIST", b"pdta" + b"".join(chunk(kind, content) for kind, content in hydra.items()))
    return chunk(b"RIFF", b"sfbk" + parts)
