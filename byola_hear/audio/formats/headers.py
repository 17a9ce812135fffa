"""The layout of a file, whichever container it is."""

from __future__ import annotations

from typing import BinaryIO

from byola_hear.audio.formats.caf import caf_layout
from byola_hear.audio.formats.iff import iff_layout
from byola_hear.audio.formats.layout import Layout
from byola_hear.audio.formats.plain import au_layout, nist_layout
from byola_hear.audio.formats.riff import riff_layout
from byola_hear.audio.formats.wave64 import WAVE64_BEGINNING, wave64_layout


def layout_of(file: BinaryIO, size: int) -> Layout | None:
    """Read the header of a file.

    Args:
        file: the file.
        size: its length in bytes.

    Returns:
        Where its samples lie; None if the container is another one or its header is broken.
    """
    file.seek(0)
    head = file.read(16)
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and head[8:12] == b"WAVE":
        return riff_layout(file, size, head)
    if head == WAVE64_BEGINNING:
        return wave64_layout(file, size)
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC", b"8SVX", b"16SV"):
        return iff_layout(file, size, head)
    if head[:4] == b"caff":
        return caf_layout(file, size)
    if head[:4] in (b".snd", b"dns."):
        return au_layout(file, size, head)
    return nist_layout(file, size) if head[:8] == b"NIST_1A\n" else None
