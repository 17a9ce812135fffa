"""Timestamps against exact fractions."""

from __future__ import annotations

from fractions import Fraction

import torch
from hypothesis import given
from hypothesis import strategies as st

from byola_hear.models.pooling.timestamps import timestamp_centre, timestamp_count, timestamps


def test_timestamps_are_exact_over_three_hours() -> None:
    n_samples = 4 * 3600 * 16000
    count = timestamp_count(n_samples, 4, 160)
    times = timestamps(0, count, n_samples, 4, 160, 16000)
    assert times.dtype == torch.float32
    assert torch.equal(times.long(), 15 + 40 * torch.arange(count))
    assert torch.equal(times, times.round())


@given(st.integers(0, 10**9), st.sampled_from([16000, 22050, 44100]), st.sampled_from([4, 8]))
def test_timestamps_are_the_nearest_float_anywhere(index: int, sample_rate: int, stride: int) -> None:
    (time,) = timestamps(index, index + 1, 10**15, stride, 160, sample_rate).tolist()
    exact = Fraction(timestamp_centre(index, stride, 160)) * 1000 / sample_rate
    nearest = torch.tensor(float(exact), dtype=torch.float64).float().item()
    assert time == nearest


@given(st.integers(1, 100_000), st.sampled_from([4, 8]))
def test_timestamps_fill_the_clip_and_stay_within(n_samples: int, stride: int) -> None:
    count = timestamp_count(n_samples, stride, 160)
    times = timestamps(0, count, n_samples, stride, 160, 16000)
    duration = n_samples / 16
    assert len(times) == count >= 1
    assert times[-1] <= duration
    assert times[-1] > duration - stride * 10 - 1e-3
    # The next one would be outside.
    assert timestamp_centre(count, stride, 160) > n_samples


@given(st.integers(1, 5000))
def test_only_the_last_frame_may_be_left_out(n_samples: int) -> None:
    n_features = -(-(1 + n_samples // 160) // 4)
    assert n_features - timestamp_count(n_samples, 4, 160) in (0, 1)
