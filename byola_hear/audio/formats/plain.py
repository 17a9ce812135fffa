"""Containers of one header and samples: Sun AU and NIST SPHERE."""

from __future__ import annotations

import re
import struct
from typing import BinaryIO

from byola_hear.audio.formats.layout import Layout, known_size
from byola_hear.audio.spliced import Part, overwritten


def au_layout(file: BinaryIO, size: int, head: bytes) -> Layout | None:
    """Find the audio of an AU file and what its header says of it.

    Args:
        file: the open file.
        size: size of the file in bytes.
        head: first bytes of the file.

    Returns:
        The layout, or None if the header can't be followed.
    """
    order = ">" if head[:4] == b".snd" else "<"
    file.seek(4)
    numbers = file.read(20)
    if len(numbers) < 20:
        return None
    start, n_bytes, encoding, rate, channels = struct.unpack(order + "5I", numbers)
    if not 24 <= start <= size:
        return None
    width = {1: 1, 2: 1, 3: 2, 4: 3, 5: 4, 6: 4, 7: 8, 27: 1}.get(encoding, 0)

    def view(wanted: int) -> tuple[Part, ...]:
        known = struct.pack(order + "I", min(wanted, 0xFFFFFFFF))
        return overwritten({8: known}, start + wanted)

    # With some codecs, libsndfile reads everything that follows as samples; it reads large sizes as negative.
    shown = size - start if not width or n_bytes == 0xFFFFFFFF else n_bytes if start + n_bytes < 1 << 31 else None
    return Layout("AU", start, known_size(n_bytes), None, float(rate * channels * width), view, None, shown)


def nist_layout(file: BinaryIO, size: int) -> Layout | None:
    """Find the audio of a NIST SPHERE file and what its header says of it.

    Args:
        file: the open file.
        size: size of the file in bytes.

    Returns:
        The layout, or None if the header can't be followed.
    """
    file.seek(8)
    start_text = file.read(8).strip()
    if not start_text.isdigit() or not 16 <= int(start_text) <= min(size, 1 << 16):
        return None
    start = int(start_text)
    file.seek(0)
    text = file.read(start).decode("latin-1")
    numbers = {name: int(value) for name, value in re.findall(r"^(\w+) -i (\d+)", text, re.MULTILINE)}
    coding = re.search(r"^sample_coding -s\d+ (\S+)", text, re.MULTILINE)
    if (coding and coding[1] not in ("pcm", "ulaw", "alaw", "mu-law")) or "sample_count" not in numbers:
        return None
    width = numbers.get("sample_n_bytes", 1 if coding and coding[1] != "pcm" else 2) * numbers.get("channel_count", 1)

    # libsndfile ignores the size in the header and reads everything that follows as samples.
    return Layout(
        "NIST",
        start,
        known_size(numbers["sample_count"] * width),
        None,
        float(numbers.get("sample_rate", 0) * width),
        lambda wanted: ((0, start + wanted),),
        None,
        size - start,
    )
