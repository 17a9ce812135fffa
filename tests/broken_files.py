"""Broken, strange and misnamed files, as real collections have them, each with the result that is expected."""

from __future__ import annotations

import gzip
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

DATA = Path(__file__).parent / "data"
#: What the good ones among them hold.
SECONDS, RATE = 1.5, 16000


class Case(NamedTuple):
    """A file and what reading it is to give.

    Attributes:
        path: the file.
        error: what the one line of its error contains; None if it is to be read.
        seconds: what is then read of it.
    """

    path: Path
    error: str | None
    seconds: float | None = None


def broken_files(folder: Path) -> list[Case]:
    """Make the files.

    Args:
        folder: where; it is made.

    Returns:
        One case a file, in no particular order.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cases = [*_no_audio(folder), *_cut(folder), *_changed(folder), *_values(folder), *_odd_but_good(folder)]
    return [*cases, *_no_files(folder), *_names(folder)]


def tone(seconds: float = SECONDS, rate: int = RATE, channels: int = 1) -> np.ndarray:
    """``(n_samples, channels)`` float32: a rising tone in a little noise."""
    times = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(0).standard_normal((len(times), channels)) * 0.01
    return (noise + 0.3 * np.sin(600 * times * (1 + times))[:, None]).astype(np.float32)


def _bytes_of(kind: str, folder: Path, subtype: str | None = None, seconds: float = SECONDS) -> bytes:
    """A good file of some format."""
    path = folder / f"good.{kind}"
    soundfile.write(path, tone(seconds), RATE, format=kind.upper(), subtype=subtype)
    content = path.read_bytes()
    path.unlink()
    return content


def _no_audio(folder: Path) -> list[Case]:
    random = np.random.default_rng(1)
    wav = _bytes_of("wav", folder)
    contents = {
        "empty.wav": (b"", "the file is empty"),
        "empty.mp3": (b"", "the file is empty"),
        "text.wav": (b"Dear diary, today I recorded nothing.\n" * 50, "not an audio file"),
        "page.flac": (b"<!DOCTYPE html><html><body>404 Not Found</body></html>\n", "not an audio file"),
        "random.wav": (random.bytes(50_000), "not an audio file"),
        "random.flac": (b"fLaC" + random.bytes(50_000), "not an audio file"),
        "zeros.mp3": (bytes(50_000), "not an audio file"),
        "tag.mp3": (b"ID3\x04\0\0\0\0\x0a\0" + bytes(1280), "contains no audio, only tags"),
        "half_a_tag.mp3": (b"ID3\x04\0\0\0\0\x0a\0" + bytes(640), "contains no audio, only a part of a tag"),
        "one_byte.ogg": (b"O", "not an audio file"),
        "packed.wav": (gzip.compress(wav), "not an audio file"),
    }
    return [_written(folder, name, *what) for name, what in contents.items()]


def _cut(folder: Path) -> list[Case]:
    def part(kind: str, share: float) -> bytes:
        content = _bytes_of(kind, folder, seconds=10.0)
        return content[: int(len(content) * share)]

    flac, aiff = _bytes_of("flac", folder), _bytes_of("aiff", folder)
    return [
        _written(folder, "cut.wav", part("wav", 0.6), "truncated"),
        _written(folder, "cut.aiff", part("aiff", 0.6), "truncated"),
        _written(folder, "cut.w64", part("w64", 0.6), "truncated"),
        _written(folder, "cut.caf", part("caf", 0.6), "truncated"),
        _written(folder, "cut.flac", part("flac", 0.6), "damaged or truncated"),
        _written(folder, "half_a_picture.flac", flac[:42] + b"\x86\0\x40\0" + bytes(99), "truncated"),
        _written(folder, "half_a_head.aiff", aiff[: aiff.index(b"SSND") + 4] + bytes(6), "contains no samples"),
        _written(folder, "head_only.wav", _bytes_of("wav", folder)[:44], "truncated"),
        _written(folder, "half_a_head.wav", _bytes_of("wav", folder)[:30], "not an audio file"),
        _written(folder, "head_only.ogg", part("ogg", 0.01), "not an audio file"),
    ]


def _changed(folder: Path) -> list[Case]:
    def wav_with(place: int, form: str, value: int) -> bytes:
        content = bytearray(_bytes_of("wav", folder))
        struct.pack_into(form, content, place, value)
        return bytes(content)

    flac = bytearray(_bytes_of("flac", folder, seconds=10.0))
    flipped, blank, aiff = bytearray(flac), bytearray(flac), bytearray(_bytes_of("aiff", folder))
    flipped[len(flac) // 2] ^= 0x10
    blank[len(flac) // 2 : len(flac) // 2 + 20_000] = bytes(20_000)
    aiff[12:60] = np.random.default_rng(2).bytes(48)
    return [
        _written(folder, "flipped_bit.flac", bytes(flipped), "damaged or truncated"),
        _written(folder, "blank_inside.flac", bytes(blank), "damaged or truncated"),
        _written(folder, "garbage_inside.aiff", bytes(aiff), "not an audio file"),
        _written(folder, "rate_of_0.wav", wav_with(24, "<I", 0), "not an audio file"),
        _written(folder, "no_channels.wav", wav_with(22, "<H", 0), "not an audio file"),
        _written(folder, "65535_channels.wav", wav_with(22, "<H", 65535), "not an audio file"),
        _written(folder, "claims_more.wav", wav_with(40, "<I", 1_000_000), "truncated"),
        _written(folder, "unknown_codec.wav", wav_with(20, "<H", 0x7FF1), "not an audio file"),
        # A recorder's unfinished file: as long as it is there.
        _written(folder, "length_unknown.wav", wav_with(40, "<I", 0xFFFFFFFF), None, SECONDS),
    ]


def _values(folder: Path) -> list[Case]:
    def with_sample(value: float, channels: int = 1) -> Callable[[Path], None]:
        samples = tone(channels=channels)
        samples[8000, -1] = value
        return lambda path: soundfile.write(path, samples, RATE, subtype="FLOAT")

    return [
        _made(folder, "nan.wav", with_sample(np.nan), "NaN or infinite samples, the first at 0.500 s"),
        _made(folder, "nan_on_the_right.wav", with_sample(np.nan, 2), "NaN or infinite samples, the first at 0.500 s"),
        _made(folder, "infinite.wav", with_sample(-np.inf), "NaN or infinite samples, the first at 0.500 s"),
        _made(
            folder,
            "huge.wav",
            with_sample(1e30),
            "samples of 1e+30 where [-1, 1] is full scale, the first at 0.500 s",
        ),
        _made(folder, "no_samples.wav", _write(tone(0.0)), "no samples"),
        # 16-bit integers that nobody scaled; and what a mastering engineer may do.
        _made(folder, "not_scaled.wav", _write(tone() * 32768, subtype="FLOAT"), "is full scale, the first at"),
        _made(folder, "clipped.wav", _write(tone() * 9, subtype="FLOAT"), None, SECONDS),
        _made(folder, "silence.wav", _write(tone() * 0), None, SECONDS),
    ]


def _odd_but_good(folder: Path) -> list[Case]:
    mp3, opus = (DATA / "piano_stereo_44k.mp3").read_bytes(), (DATA / "ambience_stereo_48k.opus").read_bytes()
    wav = _bytes_of("wav", folder)
    return [
        _written(folder, "an_mp3.wav", mp3, None, 123998 / 44100),
        _written(folder, "an_opus.mp3", opus, None, 2.5),
        _written(folder, "no_suffix", wav, None, SECONDS),
        _written(folder, "more_behind.wav", wav + bytes(1000), None, SECONDS),
        _made(folder, "one_sample.wav", _write(tone(1 / RATE)), None, 1 / RATE),
        _made(folder, "one_sample_96k.flac", _write(tone(1 / 96000, 96000), 96000), None, 1 / RATE),
        _made(folder, "64_channels.wav", _write(tone(channels=64)), None, SECONDS),
        _made(folder, "384_kHz.wav", _write(tone(rate=384_000), 384_000), None, SECONDS),
        _made(folder, "1_Hz.wav", _write(tone(3.0, 1), 1), None, 3.0),
        _made(folder, "bytes.au", _write(tone(), subtype="PCM_S8"), None, SECONDS),
        _made(folder, "telephone.wav", _write(tone(), subtype="ULAW"), None, SECONDS),
    ]


def _no_files(folder: Path) -> list[Case]:
    (folder / "folder.wav").mkdir()
    (folder / "link_to_nothing.wav").symlink_to(folder / "nowhere.wav")
    (folder / "link_to_itself.wav").symlink_to(folder / "link_to_itself.wav")
    cases = [
        Case(folder / "folder.wav", "folder"),
        Case(folder / "link_to_nothing.wav", "no such audio file"),
        Case(folder / "link_to_itself.wav", "can't be opened"),
        Case(folder / "never_there.wav", "no such audio file"),
        Case(folder / "one_sample.wav" / "inside.wav", "no such audio file"),
        Case(folder / ("long" * 1200 + ".wav"), "can't be opened"),
    ]
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.wav")
        cases.append(Case(folder / "pipe.wav", "got a pipe"))
    if Path("/dev/zero").exists():
        cases.append(Case(Path("/dev/zero"), "got a device"))
    if hasattr(os, "geteuid") and os.geteuid() != 0:
        cases.append(_written(folder, "forbidden.wav", _bytes_of("wav", folder), "not an audio file"))
        (folder / "forbidden.wav").chmod(0)
    return cases


def _names(folder: Path) -> list[Case]:
    """Good files of names that trip programs up."""
    wav = _bytes_of("wav", folder)
    names = ["a, b;c.wav", "two\nlines.wav", "-n.wav", 'it\'s "quoted".wav', "[0-9]*.wav", "données ♫.wav", " .wav"]
    cases = [_written(folder, name, wav, None, SECONDS) for name in names]
    try:
        return [*cases, _written(folder, os.fsdecode(b"latin-1 \xe9\xff.wav"), wav, None, SECONDS)]
    except OSError:
        return cases  # a file system that has only names in UTF-8


def _written(folder: Path, name: str, content: bytes, error: str | None, seconds: float | None = None) -> Case:
    (folder / name).write_bytes(content)
    return Case(folder / name, error, seconds)


def _made(
    folder: Path, name: str, make: Callable[[Path], None], error: str | None, seconds: float | None = None
) -> Case:
    make(folder / name)
    return Case(folder / name, error, seconds)


def _write(samples: np.ndarray, rate: int = RATE, subtype: str | None = None) -> Callable[[Path], None]:
    return lambda path: soundfile.write(path, samples, rate, subtype=subtype)
