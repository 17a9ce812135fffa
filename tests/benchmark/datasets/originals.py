"""The originals of the labelled sets, as they are published but for their sounds: archives in the true layout."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import soundfile


@cache
def sound(rate: int = 16000, form: str = "WAV", seconds: float = 0.05, channels: int = 1) -> bytes:
    """A short tone as a file's bytes."""
    times = np.arange(round(seconds * rate)) / rate
    samples = np.repeat((0.5 * np.sin(2 * np.pi * 440 * times))[:, None], channels, 1)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=form)
    return buffer.getvalue()


def tar_gz(path: Path, files: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def zip_bytes(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as opened:
        for name, content in files.items():
            opened.writestr(name, content)
    return buffer.getvalue()


Rows = list[dict[str, str]]


def stem(row: dict[str, str]) -> str:
    return row["file"].rpartition(".")[0]


def speech_commands_12(path: Path, rows: Rows) -> Path:
    files = {"./LICENSE": b"CC BY 4.0", "./README.md": b"", "./right/0a7c2a8d_nohash_9.wav": sound()}
    for row in rows:
        for folder in ("_silence_", "_unknown_", row["label"]):
            if stem(row).startswith(f"{folder}_"):
                files[f"./{folder}/{stem(row)[len(folder) + 1 :]}.wav"] = sound()
    return tar_gz(path, files)


def spoken_digits(path: Path, rows: Rows) -> Path:
    root = "free-spoken-digit-dataset-1.0.10"
    files = {f"{root}/recordings/{stem(row)}.wav": sound(8000) for row in rows}
    path.write_bytes(zip_bytes({f"{root}/README.md": b"", f"{root}/metadata.py": b"", **files}))
    return path


def language_id(path: Path, rows: Rows) -> Path:
    root, header = "rsample-100-cv-corpus-6.1-2020-12-11-6785f86", "client_id\tpath\tsentence\tup_votes\tgender\tlocale"
    files: dict[str, bytes] = {}
    for label in sorted({row["label"] for row in rows}):
        lines = [header]
        for row in (row for row in rows if row["label"] == label):
            file = f"{stem(row).partition('_')[2]}.mp3"
            files[f"{root}/{label}/clips/{file}"] = sound(48000, "MP3")
            sentence = '"A ""quoted"" word\u2028and more'
            lines.append(f"{row['speaker']}{'0' * 112}\t{file}\t{sentence}\t2\t{row['gender']}\t{label}")
        files[f"{root}/{label}/validated.tsv"] = "\n".join(lines).encode()
    files[f"{root}/ab/clips/common_voice_ab_19904194.mp3"] = b"not wanted"
    files[f"{root}/ab/validated.tsv"] = b"not wanted"
    return tar_gz(path, files)


def read_speech_speakers(path: Path, rows: Rows) -> Path:
    files: dict[str, bytes] = {"speechocean762/README": b"", "speechocean762/resource/scores.json": b"{}"}
    speakers = sorted({row["speaker"] for row in rows})
    for half, members in (("train", speakers[::2]), ("test", speakers[1::2])):
        of_half = [row for row in rows if row["speaker"] in members]
        by_speaker = {row["speaker"]: row for row in of_half}
        tables = {
            "utt2spk": [f"{stem(row)}\t{row['speaker']}" for row in of_half],
            "spk2gender": [f"{speaker} {row['gender']}" for speaker, row in by_speaker.items()],
            "spk2age": [f"{speaker}\t{row['age']}" for speaker, row in by_speaker.items()],
            "wav.scp": [f"{stem(row)}\tWAVE/SPEAKER{row['speaker']}/{stem(row)}.WAV" for row in of_half],
        }
        for name, lines in tables.items():
            files[f"speechocean762/{half}/{name}"] = ("\n".join(lines) + "\n").encode()
    for row in rows:
        files[f"speechocean762/WAVE/SPEAKER{row['speaker']}/{stem(row)}.WAV"] = sound()
    return tar_gz(path, files)


def vocal_bursts(path: Path, rows: Rows) -> Path:
    root = "EmoGator-51eeca515a95f168ab73391cd9e7c975ab964429"
    files = {f"{root}/data/mp3/{stem(row)}.mp3": sound(44100, "MP3") for row in rows}
    return tar_gz(path, {f"{root}/LICENSE": b"", **files, f"{root}/data/mp3/000357-30-3.mp3": b"not wanted"})


def emodb(path: Path, rows: Rows) -> Path:
    root = "voice-emotion-analysis-916a08e79c1bf782b7cd345652f6af2a6ad5ab6e"
    files = {f"{root}/wav/{stem(row)}.wav": sound() for row in reversed(rows)}
    return tar_gz(path, {f"{root}/README.md": b"", f"{root}/audio_labels.csv": b"", **files})


def esc50(path: Path, rows: Rows) -> Path:
    root = "ESC-50-33c8ce9eb2cf0b1c2f8bcf322eb349b6be34dbb6"
    lines = ["filename,fold,target,category,esc10,src_file,take"]
    for row in rows:
        source, take, target = stem(row).split("-")[1:]
        lines.append(f"{stem(row)}.wav,{row['fold']},{target},{row['label']},{row['esc10']},{source},{take}")
    files = {f"{root}/audio/{stem(row)}.wav": sound(44100) for row in reversed(rows)}
    path.write_bytes(zip_bytes({**files, f"{root}/meta/esc50.csv": "\r\n".join(lines).encode()}))
    return path


def orchestral_notes(path: Path, rows: Rows) -> Path:
    inner: dict[str, dict[str, bytes]] = {}
    for row in rows:
        folder = inner.setdefault(row["label"], {})
        folder[f"{row['label']}/{stem(row)}.mp3"] = sound(44100, "MP3", channels=2)
        folder[f"__MACOSX/{row['label']}/._{stem(row)}.mp3"] = b"what a Mac notes"
        folder[f"__MACOSX/{row['label']}/{stem(row)}.mp3"] = b"what a Mac notes"
    files = {f"all-samples/{label}.zip": zip_bytes(content) for label, content in inner.items()}
    files["__MACOSX/all-samples/._flute.zip"] = b"what a Mac notes"
    path.write_bytes(zip_bytes(files))
    return path


def drum_strokes(path: Path, rows: Rows) -> Path:
    root = "DrumGizmo.MuldjordKit-fc165714974aa843125ce88597f341b31376e1d5/DrumGizmo/MuldjordKit"
    files = {f"{root}/Data/global.txt": b"", f"{root}/Samples/China/1-China-AmbL.flac": b"not wanted"}
    for row in rows:
        drum = row["stroke"].partition("#")[0]
        files[f"{root}/Samples/{drum}/{stem(row)}.flac"] = sound(44100, "FLAC")
    return tar_gz(path, files)


#: Makes a set's original for the rows of a manifest.
ORIGINALS: dict[str, Callable[[Path, Rows], Path]] = {
    function.__name__: function
    for function in (
        speech_commands_12,
        spoken_digits,
        language_id,
        read_speech_speakers,
        vocal_bursts,
        emodb,
        esc50,
        orchestral_notes,
        drum_strokes,
    )
}
