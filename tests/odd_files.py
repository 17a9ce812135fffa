"""Files that are whole, or nearly, and that decoders read wrongly or refuse: made by a program, one kind after another.

Each is 1.5 s of :func:`~tests.broken_files.tone`, unless its case says something else. The reports behind the kinds: a
header that counts too few or too many bytes, or says that it does not know; tags and padding behind the audio; files
after each other; codecs that libsndfile lacks.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from tests.broken_files import RATE, SECONDS, tone

#: What 32-bit fields mean "not known" by.
UNKNOWN_32 = (0, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFDB, 0x80000000 - 44, 0x7FFFFF00)
#: The same of 64 bits.
UNKNOWN_64 = (0, (1 << 63) - 1)
_N_BYTES = round(SECONDS * RATE) * 2


class Odd(NamedTuple):
    """A file and what reading it gives.

    Attributes:
        name: of the kind.
        content: the file.
        seconds: its length; None if it is refused.
        error: what its error contains.
        like: the file whose samples it has, None where only the length is compared.
        ffmpeg: whether only ffmpeg reads it.
    """

    name: str
    content: bytes
    seconds: float | None = SECONDS
    error: str = ""
    like: bytes | None = None
    ffmpeg: bool = False


def encoded(form: str, subtype: str | None = "PCM_16", samples: np.ndarray | None = None, rate: int = RATE) -> bytes:
    """A file as libsndfile writes it."""
    stream = io.BytesIO()
    soundfile.write(stream, tone() if samples is None else samples, rate, format=form, subtype=subtype)
    return stream.getvalue()


def odd_files() -> list[Odd]:
    """All kinds."""
    return [*_header_sizes(), *_outer_sizes(), *_flac(), *_tails(), *_chains(), *_mpeg(), *_opus(), *_rare(), *_voc()]


class _Field(NamedTuple):
    """Where a header says how long its samples are, and what else it counts in."""

    form: str
    at: Callable[[bytes], int]
    layout: str
    around: int = 0


_FIELDS = (
    _Field("WAV", lambda data: data.index(b"data") + 4, "<I"),
    _Field("WAVEX", lambda data: data.index(b"data") + 4, "<I"),
    _Field("RF64", lambda data: data.index(b"ds64") + 16, "<Q"),
    _Field("W64", lambda data: data.index(b"data\xf3") + 16, "<Q", 24),
    _Field("AIFF", lambda data: data.index(b"SSND") + 4, ">I", 8),
    _Field("CAF", lambda data: data.index(b"data") + 4, ">Q", 4),
    _Field("AU", lambda data: 8, ">I"),
    _Field("SVX", lambda data: data.index(b"BODY") + 4, ">I"),
)


def _header_sizes() -> Iterator[Odd]:
    for field in _FIELDS:
        good = encoded(field.form)

        def stating(size: int, field: _Field = field, good: bytes = good) -> bytes:
            content = bytearray(good)
            struct.pack_into(field.layout, content, field.at(good), size)
            return bytes(content)

        whole = _N_BYTES + field.around
        for size in UNKNOWN_32 if field.layout.endswith("I") else UNKNOWN_64:
            yield Odd(f"{field.form} of unknown length {size:#x}", stating(size), like=good)
        yield Odd(f"{field.form} that counts its header", stating(whole + 44), like=good)
        yield Odd(f"{field.form} that promises 3 GB", stating(3_000_000_000), None, f"truncated: {_N_BYTES} of ")
        yield Odd(f"{field.form} cut", good[: len(good) * 6 // 10], None, "truncated")
        too_few = stating(_N_BYTES // 6 + field.around)
        if field.form in ("CAF", "AU"):
            yield Odd(f"{field.form} that counts too few", too_few, None, "more follow that are neither a chunk")
        else:
            yield Odd(f"{field.form} that counts too few", too_few, like=good)
    caf = bytearray(encoded("CAF"))
    struct.pack_into(">q", caf, caf.index(b"data") + 4, -1)
    yield Odd("CAF through a pipe", bytes(caf), like=encoded("CAF"))
    bw64 = bytearray(encoded("RF64"))
    bw64[:4] = b"BW64"
    yield Odd("BW64", bytes(bw64), like=encoded("RF64"))


def _outer_sizes() -> Iterator[Odd]:
    """RIFF's own size, which holds the others."""
    good = encoded("WAV")

    def stating(outer: int, inner: int) -> bytes:
        content = bytearray(good)
        struct.pack_into("<I", content, 4, outer)
        struct.pack_into("<I", content, content.index(b"data") + 4, inner)
        return bytes(content)

    yield Odd("WAV in a larger RIFF", stating(len(good) + 100, _N_BYTES), like=good)
    yield Odd("WAV in a RIFF of 0", stating(0, _N_BYTES // 3), like=good)
    agreeing = stating(36 + _N_BYTES // 3, _N_BYTES // 3)
    yield Odd("WAV of which two sizes say less", agreeing, None, f"states {_N_BYTES // 3} bytes of audio, but")
    junk = b"JUNK" + struct.pack("<I", 4008) + bytes(4008)
    unclosed = bytearray(good[:12] + junk + good[12:])
    struct.pack_into("<I", unclosed, 4, 4088)
    struct.pack_into("<I", unclosed, unclosed.index(b"data") + 4, 0)
    yield Odd("WAV that was not closed", bytes(unclosed), like=good)
    rf64 = bytearray(encoded("RF64"))
    struct.pack_into("<Q", rf64, rf64.index(b"ds64") + 8, len(rf64))
    yield Odd("RF64 that counts its own head", bytes(rf64), like=encoded("RF64"))
    empty = stating(len(good) - 8, 0)[:44] + b"LIST" + struct.pack("<I", 4) + b"INFO"
    yield Odd("WAV without samples, but with a chunk", empty, None, "no samples")


def _flac() -> Iterator[Odd]:
    good = encoded("FLAC")

    def counting(n_samples: int) -> bytes:
        content = bytearray(good)
        content[21] &= 0xF0
        struct.pack_into(">I", content, 22, n_samples)
        return bytes(content)

    for n_samples in (0, 8000):
        yield Odd(f"FLAC that counts {n_samples}", counting(n_samples), like=good)
        yield Odd(f"FLAC that counts {n_samples}, with a tag", counting(n_samples) + ID3V1, like=good)
    yield Odd("FLAC that counts too many", counting(48000), None, "truncated: 24000 of 48000 samples")
    # Its first frame of 4096 samples has the number 2.
    first = good.index(b"\xff\xf8")
    later = counting(0)[:first] + good[good.index(good[first : first + 4] + b"\2") :]
    rest = tone()[2 * 4096 :]
    yield Odd("FLAC recorded from a stream", later, len(rest) / RATE, like=encoded("FLAC", samples=rest))
    yield Odd("FLAC after FLAC", good + good, None, "another FLAC stream begins at byte")
    yield Odd("FLAC after an ID3v2 tag", ID3V2 + counting(8000), like=good)


ID3V1 = b"TAG" + b"x" * 124 + b"\x01"
ID3V2 = b"ID3\x04\0\0\0\0\x0a\0" + bytes(1280)
_ITEM = struct.pack("<II", 4, 0) + b"Title\0abcd"
_APE = b"APETAGEX" + struct.pack("<IIII8x", 2000, len(_ITEM) + 32, 1, 0)
_LYRICS = b"LYRICSBEGININD0000200" + b"x" * 50
#: What may follow the audio without being any, by name.
TAILS = {
    "ID3v1": ID3V1,
    "ID3v2": ID3V2,
    "APE": _ITEM + _APE,
    "APE and ID3v1": _ITEM + _APE + ID3V1,
    "Lyrics3": _LYRICS + b"%06dLYRICS200" % len(_LYRICS) + ID3V1,
    "zeros": bytes(5000),
    "0xFF": b"\xff" * 5000,
}


def _tails() -> Iterator[Odd]:
    forms = (
        "WAV",
        "RF64",
        "W64",
        "AIFF",
        "CAF",
        "AU",
        "NIST",
        "SVX",
        "VOC",
        "FLAC",
        "OGG",
        "OPUS",
        "MP3",
        "MP3 in WAV",
    )
    for form in forms:
        good = _good(form)
        for name, tail in TAILS.items():
            yield Odd(f"{form} before {name}", good + tail, like=good, seconds=_length(form))
        if form in ("WAV", "RF64", "AIFF"):
            junk = b"JUNK" + struct.pack(">I" if form == "AIFF" else "<I", 2000) + b"x" * 2000
            yield Odd(f"{form} before a chunk", good + junk, like=good)
        yield Odd(f"{form} after ID3v2", ID3V2 + good, like=good, seconds=_length(form))


def _good(form: str) -> bytes:
    if form == "OPUS":
        return encoded("OGG", "OPUS")
    if form == "MP3 in WAV":
        return mp3_in_wav()
    return encoded(form, {"OGG": "VORBIS", "MP3": "MPEG_LAYER_III"}.get(form, "PCM_16"))


def _length(form: str) -> float | None:
    # Without the frame that says the delays, in whole frames.
    return None if form == "MP3 in WAV" else SECONDS


def mp3_in_wav() -> bytes:
    """An MP3 stream in a WAV file, whose number of samples is an estimate."""
    stream = plain_mp3()
    extra = struct.pack("<HIHHH", 1, 2, 576, 1, 1393)
    form = struct.pack("<HHIIHHH", 0x55, 1, RATE, 8000, 576, 0, len(extra)) + extra
    fact = b"fact" + struct.pack("<II", 4, 25000)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + fact + b"data" + struct.pack("<I", len(stream)) + stream
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def plain_mp3(samples: np.ndarray | None = None, rate: int = RATE) -> bytes:
    """MP3 frames of one length, without the one that counts the others."""
    stream = io.BytesIO()
    soundfile.write(
        stream,
        tone() if samples is None else samples,
        rate,
        format="MP3",
        bitrate_mode="CONSTANT",
        compression_level=0.5,
    )
    content = stream.getvalue()
    for name in (b"Xing", b"Info"):
        if name in content[:200]:
            head = content.index(name) - 4 - {True: 17, False: 9}[rate >= 32000]
            # The next frame begins with the same two bytes.
            return content[content.index(content[head : head + 2], head + 4) :]
    return content


def _chains() -> Iterator[Odd]:
    for name, subtype in (("Vorbis", "VORBIS"), ("Opus", "OPUS")):
        good = encoded("OGG", subtype)
        yield Odd(f"two streams of {name}", good + good, 2 * SECONDS)
    other = encoded("OGG", "VORBIS", tone(rate=22050), 22050)
    yield Odd("Vorbis of two rates", encoded("OGG", "VORBIS") + other, 2 * SECONDS, ffmpeg=True)
    good = encoded("OGG", "VORBIS")
    shared = without_page_break(good)
    yield Odd("Vorbis whose audio begins on a page of headers", shared, like=good, ffmpeg=True)
    yield Odd("two of these", shared + shared, 2 * SECONDS, ffmpeg=True)
    for form in ("WAV", "RF64", "AIFF", "CAF", "AU"):
        yield Odd(f"{form} after {form}", encoded(form) * 2, None, "contains more audio than its header states")
    for form in ("AVR", "MPC2K", "MAT4", "MAT5", "SDS"):
        yield Odd(f"{form} after {form}", encoded(form) * 2, None, "contains more audio than its header states")


def _mpeg() -> Iterator[Odd]:
    good, plain = encoded("MP3", "MPEG_LAYER_III"), plain_mp3()
    frames = SECONDS + 0.05
    yield Odd("MP3 of which half is missing", good[: len(good) // 2], None, "truncated: ")
    yield Odd("MP3 without a length of which a part is missing", plain[: len(plain) // 2], 0.78)
    for name, content in (("with tags", ID3V2 + good + ID3V2 + good + ID3V1), ("without tags", good + good)):
        yield Odd(f"two MP3s {name}", content, 2 * SECONDS)
    yield Odd("MP3s with noise in between", plain + np.random.default_rng(0).bytes(5000) + plain, 2 * frames)
    yield Odd(
        "MP3 in noise", np.random.default_rng(1).bytes(3000) + plain + np.random.default_rng(2).bytes(3000), frames
    )
    stereo = plain_mp3(tone(channels=2))
    yield Odd("MP3 that goes from mono to stereo", plain + stereo, 2 * frames, ffmpeg=True)
    yield Odd("MP3 whose rate changes", plain + plain_mp3(tone(rate=22050), 22050), 2 * frames, ffmpeg=True)
    yield Odd("MP3 before much 0xFF", plain + b"\xff" * 2_000_000, frames)


def _opus() -> Iterator[Odd]:
    # Sound beyond 4 kHz shows whether it is decoded at the rate that the header remarks.
    good = encoded("OGG", "OPUS", tone(rate=48000), 48000)
    for rate in (0, 8000, 16000, 44100):
        content = bytearray(good)
        struct.pack_into("<I", content, content.index(b"OpusHead") + 12, rate)
        struct.pack_into("<I", content, 22, 0)
        struct.pack_into("<I", content, 22, page_check_sum(content[: 28 + sum(content[27 : 27 + content[26]])]))
        yield Odd(f"Opus encoded from {rate} Hz", bytes(content), like=None if rate == 16000 else good)


def without_page_break(content: bytes) -> bytes:
    """A Vorbis stream in Ogg whose second page, of headers, and third page, of audio, are one."""
    pages: list[tuple[bytes, bytes, bytes]] = []
    place = 0
    while place < len(content):
        sizes = content[place + 27 : place + 27 + content[place + 26]]
        body_at = place + 27 + len(sizes)
        pages.append((content[place : place + 26], sizes, content[body_at : body_at + sum(sizes)]))
        place = body_at + sum(sizes)
    first, (_, sizes, body), (head, more_sizes, more_body), *rest = pages
    written = b""
    for number, each in enumerate([first, (head, sizes + more_sizes, body + more_body), *rest]):
        page = bytearray(each[0] + bytes([len(each[1])]) + each[1] + each[2])
        page[18:26] = struct.pack("<II", number, 0)
        page[22:26] = struct.pack("<I", page_check_sum(page))
        written += page
    return written


def page_check_sum(page: bytes | bytearray) -> int:
    """Ogg's, bit by bit."""
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc >> 31 else 0)) & 0xFFFFFFFF
    return crc


def _rare() -> Iterator[Odd]:
    """Formats that libsndfile knows and believes, and codecs that it lacks."""
    nist = encoded("NIST")
    yield Odd("NIST cut", nist[: len(nist) // 2], None, "truncated")
    for form in ("AVR", "MPC2K", "MAT4", "MAT5", "SDS"):
        content = encoded(form)
        yield Odd(f"{form} cut", content[: len(content) * 6 // 10], None, "truncated")
    header = struct.pack("<HHIIHHH", 0x45, 1, 8000, 4000, 1, 4, 0)
    data = np.random.default_rng(3).bytes(6000)
    chunks = b"fmt " + struct.pack("<I", len(header)) + header + b"data" + struct.pack("<I", len(data)) + data
    g726 = b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks
    yield Odd("G.726 in WAV", g726, ffmpeg=True)
    yield Odd("GSM in WAV whose padding counts", gsm_in_wav(1), like=gsm_in_wav())
    yield Odd("G.726 in WAV, cut", g726[:-2000], None, "truncated: 4000 of 6000 bytes")


def gsm_in_wav(counted: int = 0) -> bytes:
    """75 blocks of 65 bytes and a byte of padding, which some programs count."""
    content = bytearray(encoded("WAV", "GSM610"))
    size_at = content.index(b"data") + 4
    struct.pack_into("<I", content, size_at, 75 * 65 + counted)
    return bytes(content)


def _voc() -> Iterator[Odd]:
    samples = (tone()[:, 0] * 32767).astype("<i2").tobytes()
    blocks = [
        struct.pack("<B", 9) + (12 + len(samples)).to_bytes(3, "little") + struct.pack("<IBBHI", RATE, 16, 1, 4, 0)
    ]
    head = b"Creative Voice File\x1a" + struct.pack("<HHH", 26, 0x0114, 0x111F)
    half = len(samples) // 2
    blocks = [
        struct.pack("<B", 9) + (12 + half).to_bytes(3, "little") + struct.pack("<IBBHI", RATE, 16, 1, 4, 0),
        struct.pack("<B", 2) + half.to_bytes(3, "little"),
    ]
    content = head + blocks[0] + samples[:half] + blocks[1] + samples[half:] + b"\0"
    yield Odd("VOC of two blocks", content, ffmpeg=True)
    yield Odd("VOC of two blocks, cut", content[:-5000], None, "truncated")


def written(folder: Path, odd: Odd) -> Path:
    """An odd file on disk."""
    path = folder / f"odd.{'mp3' if 'MP3' in odd.name and 'WAV' not in odd.name else 'audio'}"
    path.write_bytes(odd.content)
    return path
