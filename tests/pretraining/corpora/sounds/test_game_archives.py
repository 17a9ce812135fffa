from __future__ import annotations

import gzip
import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from byola_hear.pretraining.corpora.sounds.clonk_archives import clonk_files
from byola_hear.pretraining.corpora.sounds.qt_resources import qt_sounds
from byola_hear.pretraining.corpora.sounds.sound import SoundError
from tests.pretraining.corpora.made_formats import clonk_file, doom_file, openttd_file, qt_file, queen_file
from tests.pretraining.corpora.samples import noise, wav
from tests.pretraining.corpora.sounds.below import BYTES, RAMP, sounds_below


def test_voices_of_queen(tmp_path: Path) -> None:
    voices = {f"0{index}A1.SB": wav(noise(0.4, 22050, seed=index), 22050, "MP3") for index in range(3)}
    (tmp_path / "queen.1c").write_bytes(queen_file({**voices, "ROOM.PCX": b"no sound", "D9": b"short name"}))
    found = sounds_below(tmp_path)
    assert list(found) == [f"queen.1c/{name}" for name in voices]
    for name, content in voices.items():
        expected, _ = soundfile.read(io.BytesIO(content), dtype="float32")
        samples, rate = found[f"queen.1c/{name}"].read(0.0, None)
        assert rate == 22050
        assert np.allclose(samples[:, 0], expected, atol=1e-6)


def test_openttd_effects(tmp_path: Path) -> None:
    effects = [wav(noise(0.1, seed=index), subtype="PCM_U8") for index in range(4)]
    (tmp_path / "opensfx.cat").write_bytes(openttd_file(effects))
    found = sounds_below(tmp_path)
    assert list(found) == [f"opensfx.cat/{index:03d}" for index in range(4)]
    assert np.array_equal(
        found["opensfx.cat/002"].read(0.0, None)[0][:, 0], soundfile.read(io.BytesIO(effects[2]), dtype="float32")[0]
    )


def test_doom_effects(tmp_path: Path) -> None:
    effects = {"DSPISTOL": (11025, BYTES * 2), "E1M1": (11025, BYTES), "DSDOOR": (22050, BYTES)}
    (tmp_path / "free.wad").write_bytes(doom_file(effects))
    found = sounds_below(tmp_path)
    assert list(found) == ["free.wad/DSPISTOL", "free.wad/DSDOOR"]
    samples, rate = found["free.wad/DSDOOR"].read(0.0, None)
    assert rate == 22050
    assert np.array_equal(samples[:, 0], RAMP / np.float32(128))


def test_nested_folders_of_openclonk(tmp_path: Path) -> None:
    effect = wav(noise(0.3, seed=1))
    files = {"Animals.ocg/Bat.ocg/Chirp.wav": effect, "Fire.wav": wav(noise(0.2)), "authors.txt": b"ann"}
    content = clonk_file(files)
    (tmp_path / "Sound.ocg").write_bytes(content)
    found = sounds_below(tmp_path)
    assert list(found) == ["Sound.ocg/Animals.ocg/Bat.ocg/Chirp.wav", "Sound.ocg/Fire.wav"]
    samples, rate = found["Sound.ocg/Animals.ocg/Bat.ocg/Chirp.wav"].read(0.0, None)
    assert (len(samples), rate) == (4800, 16000)
    for damaged in (content[:-40], content[:2] + b"\0" * 40, b"\x1e\x8c" + gzip.compress(b"nothing")[2:]):
        with pytest.raises(SoundError):
            list(clonk_files("x.ocg", damaged))


def test_resources_of_qt(tmp_path: Path) -> None:
    effect = wav(noise(0.3, seed=1))
    content = qt_file({"cow.wav": effect, "cow.z.wav": effect, "cow.svg": b"<svg/>"})
    (tmp_path / "farm.rcc").write_bytes(content)
    found = sounds_below(tmp_path)
    assert list(found) == ["farm.rcc/folder/cow.wav", "farm.rcc/folder/cow.z.wav"]
    plain, packed = (sound.read(0.0, None)[0] for sound in found.values())
    assert len(plain) == 4800
    assert np.array_equal(plain, packed)
    for damaged in (content[:30], b"qres" + struct.pack(">4I", 9, 20, 20, 20), content[:20] + content[20:42] * 2):
        (tmp_path / "farm.rcc").write_bytes(damaged)
        with pytest.raises(SoundError):
            list(qt_sounds("farm.rcc", tmp_path / "farm.rcc"))


def test_wav_files_one_after_another(tmp_path: Path) -> None:
    effects = [wav(noise(0.1 + 0.1 * i, seed=i)) for i in range(3)]
    (tmp_path / "A_WAVE1.RES").write_bytes(b"table RIFF" + b"".join(effects) + effects[0][:50])
    found = sounds_below(tmp_path)
    assert [len(sound.read(0.0, None)[0]) for sound in found.values()] == [1600, 3200, 4800]
