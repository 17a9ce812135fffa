"""Packages like those of the mini suite, with a few made sounds in them."""

from __future__ import annotations

import io
import struct
import tarfile
from pathlib import Path

import numpy as np
import soundfile

from benchmark.tasks.mini import animals_instruments as mini_animals_instruments
from benchmark.tasks.mini import percussion as mini_percussion
from benchmark.tasks.mini import phones as mini_phones
from benchmark.tasks.mini import speech_music_other as mini_speech_music_other
from tests.pretraining.corpora.samples import deb_of

RATE = 16000

#: Consonants that the voices have: not all, so that a test takes no longer.
SPOKEN = mini_phones.CONSONANTS[:4]


def sound(seed: int, seconds: float = 0.3, form: str = "WAV", rate: int = RATE) -> bytes:
    """A burst of noise that dies away, as a file."""
    n_samples = round(seconds * rate)
    noise = np.random.default_rng(seed).standard_normal(n_samples) * np.exp(-np.arange(n_samples) / (0.2 * n_samples))
    file = io.BytesIO()
    soundfile.write(file, 0.2 * noise / np.abs(noise).max(), rate, format=form)
    return file.getvalue()


def group_file(units: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]], rate: int = RATE) -> bytes:
    """A grouped diphone index: of each unit the mu-law codes, times of frames in seconds and coefficients."""
    index, data = "", b""
    for name, (codes, times, coefficients) in units.items():
        n_frames, order = coefficients.shape
        header = (
            f"EST_File Track\nDataType binary\nByteOrder 01\nNumFrames {n_frames}\nNumChannels {order + 1}\n"
            "BreaksPresent true\nCommentChar ;\n\nEST_Header_End\n"
        )
        frames = np.concatenate([times[:, None], np.ones((n_frames, 2)), coefficients], axis=1).astype("<f4")
        track = header.encode() + frames.tobytes()
        signal = struct.pack(">4s5I", b".snd", 24, len(codes), 1, rate, 1) + codes.astype(np.uint8).tobytes()
        index += f"{name} {len(data)} {len(data) + len(track)} 1\n"
        data += track + signal
    header = f"EST_File index\nDataType ascii\nNumEntries {len(units)}\nDataFormat grouped\nVersion 2\nEST_Header_End\n"
    return header.encode() + index.encode() + data


def voice_file(seed: int) -> bytes:
    """A voice with all the units that the tasks take."""
    random = np.random.default_rng(seed)
    names = [f"{a}-{b}" for c in SPOKEN for v in mini_phones.VOWELS for a, b in ((c, v), (v, c))]
    unit = (np.array([0.02, 0.06]), np.array([[0.5, -0.1], [0.3, 0.1]]))
    return group_file({name: (random.integers(0, 256, 1600).astype(np.uint8), *unit) for name in names})


def sdist_of(files: dict[str, bytes]) -> bytes:
    """A source distribution."""
    stored = io.BytesIO()
    with tarfile.open(fileobj=stored, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return stored.getvalue()


def write_packages(folder: Path) -> None:
    """All packages of the mini suite."""
    for seed, voice in enumerate(mini_phones.VOICES):
        file = f"./usr/share/festival/voices/x/{voice}/group/{voice}.group"
        (folder / f"{voice}_1.0-1_all.deb").write_bytes(deb_of(voice, {file: voice_file(seed)}, compression=""))
    things = " ".join(mini_animals_instruments.KINDS.values()).split() + mini_speech_music_other.OTHER
    names = [f"./{mini_animals_instruments.NOISES}{thing}.ogg" for thing in sorted(set(things))]
    noises = {name: sound(seed, 1.5, "OGG") for seed, name in enumerate(names)}
    words = {f"./{mini_speech_music_other.WORDS}{i}.ogg": sound(1000 + i, 0.8, "OGG") for i in range(16)}
    (folder / "qabcs-data_1.0-1_all.deb").write_bytes(deb_of("qabcs-data", noises | words, compression=""))
    for seed, (name, speakers) in enumerate(mini_speech_music_other.SPEAKERS.items()):
        files = {}
        for number, file in enumerate(speakers):
            content = sound(2000 + 100 * seed + number, 2.5, rate=8000)
            files[f"./usr/share/x/{file}"] = content[44:] if file.endswith(".raw") else content
        (folder / f"{name}_1.0-1_all.deb").write_bytes(deb_of(name, files, compression=""))
    hits = {
        f"foxdot-1.0/FoxDot/snd/{place}/{number}.wav": sound(3000 + 10 * i + number)
        for i, place in enumerate(place for places in mini_percussion.KINDS.values() for place in places)
        for number in range(5)
    }
    dropped = [*mini_percussion.COPIES, *mini_percussion.IN_PRETRAINING, "z/lower/scratch.wav"]
    hits |= {f"foxdot-1.0/FoxDot/snd/{name}": sound(4000) for name in dropped if name.endswith(".wav")}
    (folder / "foxdot-1.0.tar.gz").write_bytes(sdist_of(hits))
