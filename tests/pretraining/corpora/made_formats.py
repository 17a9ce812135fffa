"""Small archives in the formats of games and instruments."""

from __future__ import annotations

import gzip
import struct
import zlib
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


def clonk_file(files: Mapping[str, bytes]) -> bytes:
    """An archive of OpenClonk. Slashes in names make folders."""
    return b"\x1e\x8c" + gzip.compress(_clonk_folder(files))[2:]


def _clonk_folder(files: Mapping[str, bytes]) -> bytes:
    entries: dict[str, tuple[int, bytes]] = {}
    folders = {name.partition("/")[0] for name in files if "/" in name}
    for folder in sorted(folders):
        inner = {name.partition("/")[2]: data for name, data in files.items() if name.startswith(f"{folder}/")}
        entries[folder] = (1, _clonk_folder(inner))
    entries |= {name: (0, data) for name, data in files.items() if "/" not in name}
    header = bytearray(b"RedWolf Design GrpFolder" + bytes(4) + struct.pack("<3i", 1, 2, len(entries)) + bytes(164))
    for i in range(0, len(header) - 2, 3):
        header[i], header[i + 2] = header[i + 2], header[i]
    table, offset = b"", 0
    for name, (is_folder, data) in entries.items():
        table += struct.pack("<260s5i36x", name.encode(), 1, is_folder, len(data), len(data), offset)
        offset += len(data)
    return bytes(byte ^ 0xED for byte in header) + table + b"".join(data for _, data in entries.values())


def qt_file(files: Mapping[str, bytes]) -> bytes:
    """Compiled resources of Qt, version 3, with the files in one folder; those called ``*.z.*`` are compressed."""
    names, contents, nodes, title_at = b"", b"", b"", {}
    for title in ("folder", *files):
        title_at[title] = len(names)
        names += struct.pack(">HI", len(title), 0) + title.encode("utf-16-be")
    nodes += struct.pack(">IHIIQ", 0, 2, 1, 1, 0) + struct.pack(">IHIIQ", title_at["folder"], 2, len(files), 2, 0)
    for title, data in files.items():
        packed = ".z." in title
        stored = struct.pack(">I", len(data)) + zlib.compress(data) if packed else data
        nodes += struct.pack(">IHHHIQ", title_at[title], int(packed), 0, 1, len(contents), 0)
        contents += struct.pack(">I", len(stored)) + stored
    tree = 20
    places = (tree, tree + len(nodes), tree + len(nodes) + len(contents))
    return b"qres" + struct.pack(">4I", 3, *places) + nodes + contents + names
