"""Maps of embeddings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark.comparison.command import measured_networks
from benchmark.comparison.comparison import compare
from benchmark.comparison.folder import load_run
from benchmark.comparison.page.maps import CLIPS, LABELS, Maps, clips_to_map
from byola_hear.models.model import ByolaModel
from tests.benchmark.comparison.page.made_task import write_task


@pytest.mark.parametrize("event", [False, True])
def test_clips_of_a_map_are_spread_over_labels(tmp_path: Path, event: bool) -> None:
    clips, n_labels = clips_to_map(write_task(tmp_path / "task", 20, event))
    assert n_labels == 20 and len({clip.label for clip in clips}) == LABELS and len(clips) == 2 * LABELS <= CLIPS
    assert {(clip.start, clip.end) for clip in clips} == {(0.1, 0.3) if event else (0.0, 0.5)}
    assert clips == clips_to_map(tmp_path / "task", 0)[0]
    with pytest.raises(FileNotFoundError, match="no task in"):
        clips_to_map(tmp_path / "none")


def test_maps_are_made_once_and_play(tmp_path: Path, small: ByolaModel, monkeypatch: pytest.MonkeyPatch) -> None:
    write_task(tmp_path / "tasks" / "tones", 4)
    tasks = {"tones": "tones", "absent": "absent"}
    made = Maps(tmp_path / "maps", {"small": small}).make(tmp_path / "tasks", tasks)
    assert list(made) == ["tones"]
    tones = made["tones"]
    assert tones["labels"] == [f"label {index}" for index in range(4)] and tones["label"] == sorted(tones["label"])
    places = np.array(tones["places"]["small"]["pca"])
    assert places.shape == (8, 2) and places.min() >= 0 and places.max() <= 1
    # The two tones of a label are the same sound.
    np.testing.assert_allclose(places[0::2], places[1::2], atol=1e-3)
    assert all(sound.startswith("data:audio/mpeg;base64,") for sound in tones["sounds"])
    monkeypatch.setattr("benchmark.comparison.page.maps._embeddings", None)
    assert Maps(tmp_path / "maps", {"small": small}).make(tmp_path / "tasks", tasks) == made
    with pytest.raises(TypeError):
        Maps(tmp_path / "maps", {"small": small}, seed=1).make(tmp_path / "tasks", tasks)


def test_a_task_with_other_content_or_without_sounds_has_no_map(tmp_path: Path, small: ByolaModel) -> None:
    sounds = write_task(tmp_path / "tasks" / "tones", 4) / "16000"
    maps = Maps(tmp_path / "maps", {"small": small})
    assert maps.make(tmp_path / "tasks", {"tones": "another"}) == {}
    sounds.rename(tmp_path / "sounds")
    assert maps.make(tmp_path / "tasks", {"tones": "tones"}) == {}
    (tmp_path / "sounds").rename(sounds)
    assert list(maps.make(tmp_path / "tasks", {"tones": "tones"})) == ["tones"]


def test_maps_are_of_the_networks_that_were_measured(
    new_run: Callable[[], Any], small: ByolaModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("byola_hear.list_models", lambda: ["both", "speech"])
    monkeypatch.setattr("byola_hear.load_model", lambda name: small)
    run = new_run()
    run.task("digits", "speech")
    for model, identity in (("both", small.fingerprint()), ("speech", "other weights"), ("mfcc", small.fingerprint())):
        run.outcome(model, "digits", np.arange(8) % 2, model_identity=f"code-{identity}-timing")
    assert measured_networks(compare(load_run(run.write()))) == {"both": small}
