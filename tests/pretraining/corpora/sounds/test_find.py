from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byola_hear.pretraining.corpora.sounds.find import find_sounds, sound_suffixes
from tests.pretraining.corpora.made_formats import doom_file, openttd_file, patch_file, queen_file, soundfont_file
from tests.pretraining.corpora.samples import noise, wav
from tests.pretraining.corpora.sounds.below import BYTES, errors_below, sounds_below


def test_every_format_that_libsndfile_reads_is_found(tmp_path: Path) -> None:
    samples = noise(0.5)
    for name, form in (("a.wav", "WAV"), ("b.ogg", "OGG"), ("c.FLAC", "FLAC"), ("d/e.aiff", "AIFF"), ("f.mp3", "MP3")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(wav(samples, form=form))
    (tmp_path / "notes.txt").write_text("no sound")
    (tmp_path / ".hidden.wav").write_text("no sound")
    (tmp_path / "link.wav").symlink_to(tmp_path / "a.wav")
    found = sounds_below(tmp_path)
    assert sorted(found) == ["a.wav", "b.ogg", "c.FLAC", "d/e.aiff", "f.mp3"]
    for sound in found.values():
        assert sound.duration_s() == pytest.approx(0.5, abs=0.08)
        read, rate = sound.read(0.0, None)
        assert read.shape == (round(sound.duration_s() * rate), 1)


@pytest.mark.parametrize("ending", ["m4a", "wma", "webm"])
def test_formats_that_ffmpeg_reads_are_found_in_own_folders_alone(ending: str, tmp_path: Path) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("needs ffmpeg")
    (tmp_path / "a.wav").write_bytes(wav(noise(0.5)))
    subprocess.run(["ffmpeg", "-loglevel", "error", "-i", tmp_path / "a.wav", tmp_path / f"b.{ending}"], check=True)
    found = sounds_below(tmp_path)
    assert sorted(found) == ["a.wav", f"b.{ending}"]
    assert found[f"b.{ending}"].duration_s() == pytest.approx(0.5, abs=0.15)
    assert f".{ending}" not in sound_suffixes()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("queen.1c", b"nothing"),
        ("queen.1c", queen_file({"A.SB": b"12345"})[:30]),
        ("queen.1c", queen_file({"A.SB": b"12345"})[:-2]),
        ("queen.1c", queen_file({"A.SB": b"no mp3 at all"})),
        ("a.cat", b""),
        ("a.cat", b"\xff\xff\xff\x7f more"),
        ("a.wad", b"nothing that doom knows"),
        ("a.wad", doom_file({"DSA": (11025, BYTES)})[:-8]),
        ("a.pat", b"GF1PATCH"),
        ("a.pat", patch_file([(8000, 0, BYTES)])[:300]),
        ("a.sf2", b"RIFF"),
        ("a.sf2", soundfont_file([("A", 8000, BYTES)])[:40]),
        ("a.zip", b"PK nothing"),
        ("a.wav", b"nothing"),
        ("a.ogg", b""),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)} bytes",
)
def test_broken_file_is_reported_and_the_others_are_found(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / "z.wav").write_bytes(wav(noise(0.1)))
    names = [found.name for found in find_sounds(tmp_path, lambda name, reason: None)]
    assert "z.wav" in names
    errors = errors_below(tmp_path)
    assert errors
    assert all(where.startswith(name) and reason for where, reason in errors)


@given(cut=st.integers(0, 400), flip=st.integers(0, 399), by=st.integers(0, 255))
def test_any_damage_is_an_error_that_names_the_file(cut: int, flip: int, by: int, tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("damage")
    makers: dict[str, Callable[[], bytes]] = {
        "queen.1c": lambda: queen_file({"A.SB": bytes(300)}),
        "a.cat": lambda: openttd_file([wav(noise(0.01), subtype="PCM_U8")] * 2),
        "a.wad": lambda: doom_file({"DSA": (11025, BYTES)}),
        "a.pat": lambda: patch_file([(8000, 1, BYTES)]),
        "a.sf2": lambda: soundfont_file([("A", 8000, BYTES)]),
    }
    for name, make in makers.items():
        data = bytearray(make())
        if flip < len(data):
            data[flip] = by
        (folder / name).write_bytes(bytes(data[: len(data) - cut]))
    errors_below(folder)


def test_unpacked_endings_cover_the_formats() -> None:
    expected = ".wav .ogg .opus .1c .als .g722 .gsm .sf2 .sf3 .pat .cat .wad .pk3 .wz"
    assert set(expected.split()) <= sound_suffixes()
