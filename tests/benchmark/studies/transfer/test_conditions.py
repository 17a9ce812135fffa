"""Labels under several conditions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmark.datasets.labelled_set import LabelledSet
from benchmark.studies.study import set_of_clips
from benchmark.studies.transfer.conditions import TRANSFERS


def made(name: str, **columns: list[str]) -> LabelledSet:
    manifest = pd.DataFrame(columns)
    return set_of_clips(name, manifest, [np.zeros(4, np.float32)] * len(manifest), 16000)


def test_digits_are_found_among_the_other_words() -> None:
    commands = made(
        "speech_commands_12",
        file=["_unknown__seven_1_nohash_0.opus", "_unknown__tree_2_nohash_0.opus", "yes_3_nohash_0.opus"],
        label=["unknown", "unknown", "yes"],
        speaker=["1", "2", "3"],
    )
    spoken = made("spoken_digits", file=["7_jackson_0.opus"], label=["7"], speaker=["jackson"])
    found = TRANSFERS["digits"].conditions({"spoken_digits": spoken, "speech_commands_12": commands})
    words = found["speech commands"][0]
    assert words.rows.tolist() == [0] and words.labels.tolist() == ["7"]


def test_detection_is_tested_on_other_sets() -> None:
    apart = TRANSFERS["detection"].apart
    assert apart is not None
    assert apart("digits | ESC-50") & apart("languages | ESC-50")
    assert not apart("digits | ESC-50") & apart("languages | drums")


def test_a_set_without_a_column_is_named() -> None:
    drums = made("drum_strokes", file=["a.wav"], label=["kick"], stroke=["1"])
    with pytest.raises(
        ValueError, match="drum_strokes: expected a column 'microphone' in the manifest, found file, la"
    ):
        TRANSFERS["microphones"].conditions({"drum_strokes": drums})
