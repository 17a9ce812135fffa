from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import soundfile

from tests.pretraining.corpora.made_formats import doom_file, openttd_file, queen_file
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
