"""Notes of a SoundFont: which ones there are, and their pitch and length."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from byola_hear.pretraining.corpora.catalogue.corpus import Corpus
from byola_hear.pretraining.corpora.sounds.find import find_sounds
from byola_hear.pretraining.corpora.sounds.rendered import DRUM_KEYS, KEYS, VELOCITIES, render
from byola_hear.pretraining.corpora.sounds.sound import DecoderMissing, SoundError
from tests.pretraining.corpora.made_formats import playable_soundfont

RATE = 44100
#: Exactly ten periods of 441 Hz, on key 69.
WAVE = (np.sin(2 * np.pi * np.arange(1000) / 100) * 20000).astype("<i2").tobytes()
PRESETS = [("Kit", 0, 128), ("Organ", 19, 0), ("Other Organ", 19, 1)]


@pytest.fixture
def font(tmp_path: Path) -> Path:
    path = tmp_path / "font.sf2"
    path.write_bytes(playable_soundfont(WAVE, RATE, 69, PRESETS))
    return path


def test_presets_of_the_first_bank_and_drums_have_notes(font: Path) -> None:
    names = [sound.name for sound in find_sounds(font.parent, lambda name, reason: pytest.fail(reason))]
    assert names[0] == "font.sf2/0000 wave"
    assert names[1] == "font.sf2/notes/000-019 Organ/036-056"
    assert len(names) == 1 + (len(KEYS) + len(DRUM_KEYS)) * len(VELOCITIES)
    assert not any("Other" in name for name in names)


def test_notes_are_taken_only_if_the_catalogue_says_so() -> None:
    recording, note = "sounds/a.sf2/0000 wave", "sounds/a.sf2/notes/000-019 Organ/036-056"
    plain = Corpus("a-soundfont", "instruments", "MIT", "an organ")
    played = Corpus("a-soundfont", "instruments", "MIT", "an organ", notes=True)
    assert [plain.takes(recording), plain.takes(note)] == [True, False]
    assert [played.takes(recording), played.takes(note)] == [True, True]
    assert plain.rules_digest() != played.rules_digest()
    assert played.group_of(note) == "a-soundfont/sounds/a.sf2/notes/000-019 Organ"


@pytest.mark.parametrize(("key", "frequency"), [(57, 220.5), (69, 441.0), (81, 882.0)])
def test_note_has_its_pitch_and_fades(font: Path, key: int, frequency: float) -> None:
    pytest.importorskip("tinysoundfont", reason="tinysoundfont is installed apart: pip install --no-deps tinysoundfont")
    samples, rate = render(font, 0, 19, key, 100)
    assert (samples.shape, rate) == ((RATE * 2, 2), RATE)
    spectrum = np.abs(np.fft.rfft(samples[:RATE, 0] * np.hanning(RATE)))
    assert abs(int(spectrum.argmax()) - frequency) <= 1
    assert np.abs(samples[-1000:]).max() < 1e-3 < np.abs(samples[: RATE // 2]).max()
    soft, _ = render(font, 0, 19, key, 30)
    assert np.abs(soft).max() < np.abs(samples).max()


def test_unplayable_notes_are_errors(font: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "tinysoundfont", None)
        with pytest.raises(DecoderMissing, match="pip install --no-deps tinysoundfont"):
            render(tmp_path / "another.sf2", 0, 19, 60, 100)
    pytest.importorskip("tinysoundfont", reason="tinysoundfont is installed apart: pip install --no-deps tinysoundfont")
    with pytest.raises(SoundError, match="preset 0-77 can't be played"):
        render(font, 0, 77, 60, 100)
    (tmp_path / "text.sf2").write_text("no SoundFont")
    with pytest.raises(SoundError, match=r"text\.sf2: not a SoundFont that can be played"):
        render(tmp_path / "text.sf2", 0, 0, 60, 100)
