from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.pretraining.corpora.samples import noise, streamed_flac, wav
from tests.pretraining.corpora.sounds.below import BYTES, sounds_below


@given(start=st.floats(0, 1.5), length=st.floats(0.01, 2))
def test_part_of_a_sound_is_that_part_of_the_whole(start: float, length: float, tmp_path_factory) -> None:
    folder = tmp_path_factory.mktemp("parts")
    (folder / "a.wav").write_bytes(wav(noise(1.0)))
    (folder / "b.als").write_bytes(BYTES * 43)
    for sound in sounds_below(folder).values():
        whole, rate = sound.read(0.0, None)
        part, _ = sound.read(start, length)
        first = round(start * rate)
        assert np.array_equal(part, whole[first : first + round(length * rate)])


def test_streamed_sound_has_the_length_of_its_frames(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_bytes(streamed_flac(noise(0.5)))
    sound = sounds_below(tmp_path)["a.flac"]
    samples, rate = sound.read(0.0, None)
    assert len(samples) == 0.5 * rate and sound.duration_s() == 0.5
