"""All windows and hops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import strategies as st

from benchmark.probes.ridge import RidgeRegression
from benchmark.studies.onsets import grid
from benchmark.studies.onsets.grid import chosen_setting, lines_of
from benchmark.studies.onsets.recordings import windowed
from tests.benchmark.studies.onsets.planted import HOP, forgetful, planted


def test_planted_onsets_are_found_with_the_window_that_fits() -> None:
    events, tracks = planted()
    numbers = lines_of(lambda: tracks, events, HOP, forgetful, widths=(1, 25), hops=(1, 10))
    test = numbers[numbers["split"] == "test"].set_index(["window_ms", "hop_ms"])
    assert test.loc[(40, 40), "f1_200"] == 1
    assert test.loc[(40, 40), "error_ms"] == 0
    assert test.loc[(1000, 40), "f1_200"] < 0.9
    assert test.loc[(40, 400), "f1_200"] < 0.9
    assert chosen_setting(numbers) == (40, 40)


def test_a_finished_window_is_not_repeated() -> None:
    events, tracks = planted()
    kept: dict[int, Any] = {}

    def remembered(width: int, compute: Any) -> Any:
        if width not in kept:
            kept[width] = compute()
        return kept[width]

    first = lines_of(lambda: tracks, events, HOP, remembered, widths=(1, 3), hops=(1,))
    again = lines_of(lambda: 1 / 0, events, HOP, remembered, widths=(1, 3), hops=(1,))  # type: ignore[arg-type, return-value]
    assert first.equals(again)


def test_training_frames_are_evenly_chosen_over_all_recordings(monkeypatch: pytest.MonkeyPatch) -> None:
    events, tracks = planted()
    learnt: list[np.ndarray] = []

    class Spy(RidgeRegression):
        def __init__(self, features: torch.Tensor, targets: torch.Tensor) -> None:
            learnt.append(features.numpy())
            super().__init__(features, targets)

    monkeypatch.setattr(grid, "RidgeRegression", Spy)
    monkeypatch.setattr(grid, "MOST_FRAMES", 300)
    lines_of(lambda: tracks, events, HOP, forgetful, widths=(3,), hops=(1,))
    every = np.concatenate([windowed(track, 3) for track in tracks["train"]])
    np.testing.assert_array_equal(learnt[0], every[::4])


times = st.lists(st.integers(0, 60), max_size=12, unique=True).map(lambda each: np.sort(np.array(each, dtype=float)))
