"""Recordings with events."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmark.baselines.untrained import untrained_network
from benchmark.studies.onsets.recordings import EventSet, Recording, activity, event_set, tracks_of, windowed
from benchmark.tasks.task import Event
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.pooling.combination import POOLINGS
from tests.benchmark.studies.onsets.made_items import items

LABELS = ("high", "low")


@pytest.mark.parametrize("pooling", POOLINGS)
def test_windows_are_the_networks_own(pooling: str) -> None:
    model = untrained_network("untrained", EncoderConfig.v2(), pooling, 0, -8.0, 4.5)
    rng = np.random.default_rng(0)
    sound = (0.1 * rng.standard_normal(30000)).astype(np.float32)
    events = EventSet(("a",), {split: [Recording(sound, ())] for split in ("train", "valid", "test")})
    track = tracks_of(model, events)["valid"][0]
    embeddings, moments = model.timestamp_embeddings(torch.from_numpy(sound)[None])
    np.testing.assert_allclose(track.times_ms, moments[0])
    # The last frame may be centred beyond the end; it still counts in the network's own windows.
    ours, theirs = windowed(track, 9)[:-4], embeddings[0].numpy()[:-4]
    np.testing.assert_allclose(ours, theirs, atol=5e-3 * np.abs(theirs).max())


def test_activity_is_from_onset_to_offset() -> None:
    recorded = Recording(np.zeros(16000, np.float32), (Event("low", 100, 200), Event("high", 150, 160)))
    active = activity(recorded, LABELS, np.arange(0, 300, 50.0))
    assert active.T.tolist() == [[0, 0, 0, 1, 0, 0], [0, 0, 1, 1, 0, 0]]


def test_a_split_without_recordings_is_named() -> None:
    with pytest.raises(ValueError, match="found none in test"):
        event_set([item for item in items(Path()) if item.split != "test"])
