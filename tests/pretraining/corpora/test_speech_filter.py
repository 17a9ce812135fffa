from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from byola_hear.pretraining.corpora.decode import to_training_form
from byola_hear.pretraining.corpora.speech_filter import contains_speech, load_detector, longest_speech_s


@pytest.mark.parametrize(
    ("frames", "seconds"),
    [
        ("", 0),
        ("....", 0),
        ("#", 0.032),
        (".##..##.", 0.192),
        ("##...##", 0.224),
        ("##....##", 0.064),
        ("#....####....##", 0.128),
    ],
)
def test_longest_segment_bridges_short_pauses(frames: str, seconds: float) -> None:
    probabilities = np.array([1.0 if frame == "#" else 0.0 for frame in frames], np.float32)
    assert longest_speech_s(probabilities) == pytest.approx(seconds)


def test_detector_separates_speech_from_other_sounds(clips_folder: Path) -> None:
    pytest.importorskip("silero_vad")
    pytest.importorskip("onnxruntime")
    detector = load_detector()
    for name in ("speech_english_8k.wav", "speech_french_16k.wav"):
        pcm = to_training_form(*soundfile.read(clips_folder / name, dtype="float32"))
        assert detector(pcm).shape == (-(-len(pcm) // 512),)
        assert contains_speech(pcm, detector)
    for name in ("ambience_stereo_48k.opus", "drum_stereo_44k.flac", "piano_stereo_44k.mp3"):
        assert not contains_speech(to_training_form(*soundfile.read(clips_folder / name, dtype="float32")), detector)
    assert not contains_speech(np.zeros(0, np.int16), detector)


def test_missing_detector_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "silero_vad", None)
    with pytest.raises(ValueError, match=r"pip install silero-vad.*--keep-speech"):
        load_detector()
