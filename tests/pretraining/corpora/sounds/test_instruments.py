from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.pretraining.corpora.made_formats import patch_file, soundfont_file
from tests.pretraining.corpora.samples import noise, wav
from tests.pretraining.corpora.sounds.below import BYTES, RAMP, sounds_below


def test_patches_in_all_four_forms(tmp_path: Path) -> None:
    wide = (RAMP.astype("<i2") * 256).tobytes()
    unsigned = (RAMP.astype(np.int32) * 256 + 32768).astype("<u2").tobytes()
    narrow = RAMP.astype(np.int8).tobytes()
    recordings = [(44100, 1, wide), (22050, 3, unsigned), (11025, 0, narrow), (8000, 2, BYTES)]
    (tmp_path / "piano.pat").write_bytes(patch_file(recordings))
    found = list(sounds_below(tmp_path).values())
    assert [sound.read(0.0, None)[1] for sound in found] == [44100, 22050, 11025, 8000]
    for sound in found:
        assert np.array_equal(sound.read(0.0, None)[0][:, 0], RAMP / np.float32(128))


def test_soundfonts(tmp_path: Path) -> None:
    wide = (RAMP.astype("<i2") * 256).tobytes()
    (tmp_path / "a.sf2").write_bytes(soundfont_file([("Flute", 32000, wide), ("Viola C#4", 44100, wide * 2)]))
    found = sounds_below(tmp_path)
    assert list(found) == ["a.sf2/0000 Flute", "a.sf2/0001 Viola C#4"]
    samples, rate = found["a.sf2/0000 Flute"].read(0.0, None)
    assert rate == 32000
    assert np.array_equal(samples[:, 0], RAMP / np.float32(128))
    assert len(found["a.sf2/0001 Viola C#4"].read(0.0, None)[0]) == 512


def test_compressed_soundfonts(tmp_path: Path) -> None:
    vorbis = [wav(noise(0.2, 32000, seed), 32000, "OGG") for seed in (1, 2)]
    recordings = [("Flute", 0, vorbis[0]), ("Viola", 0, vorbis[1])]
    (tmp_path / "a.sf3").write_bytes(soundfont_file(recordings, compressed=True))
    samples, rate = sounds_below(tmp_path)["a.sf3/0001 Viola"].read(0.0, None)
    assert (len(samples), rate) == (6400, 32000)
