"""Pooling against naive loops, however the frames are cut, and timestamps against exact fractions."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from byola_hear.models.pooling.clip import ClipPool
from byola_hear.models.pooling.timestamps import timestamp_centre, timestamp_count, timestamps
from byola_hear.models.pooling.window import WindowPool, slide


def naive_windows(frames: Tensor, width: int) -> Tensor:
    """Maximum plus mean of each truncated window, in float64."""
    rows = []
    for centre in range(len(frames)):
        window = frames[max(centre - width // 2, 0) : centre + width // 2 + 1].double()
        rows.append(window.amax(0) + window.mean(0))
    return torch.stack(rows)


def cut(frames: Tensor, edges: list[int]) -> list[Tensor]:
    """Pieces between the edges, empty ones where two are the same."""
    places = [0, *sorted(edge % (len(frames) + 1) for edge in edges), len(frames)]
    return [frames[first:last] for first, last in pairwise(places)]


def frames_of(n_frames: int, seed: int, size: int = 3) -> Tensor:
    """Whole numbers, positive and negative, so that sums are exact."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(-1000, 1000, (n_frames, size), generator=generator).float()


@given(st.integers(1, 40), st.data())
def test_slide_equals_a_loop(n_frames: int, data: st.DataObject) -> None:
    width = data.draw(st.integers(1, n_frames))
    frames = frames_of(n_frames, width)
    sums = torch.stack([frames[i : i + width].sum(0) for i in range(n_frames - width + 1)])
    maxima = torch.stack([frames[i : i + width].amax(0) for i in range(n_frames - width + 1)])
    assert torch.equal(slide(frames, width, torch.add), sums)
    assert torch.equal(slide(frames, width, torch.maximum), maxima)


@given(st.integers(1, 40), st.integers(0, 12), st.lists(st.integers(0, 1000), max_size=6))
def test_windows_equal_a_loop_however_cut(n_frames: int, half: int, edges: list[int]) -> None:
    frames = frames_of(n_frames, half)
    windows = torch.cat(list(WindowPool(2 * half + 1).windows(cut(frames, edges))))
    torch.testing.assert_close(windows.double(), naive_windows(frames, 2 * half + 1), rtol=1e-6, atol=1e-4)


@given(st.integers(1, 60), st.lists(st.integers(0, 1000), min_size=1, max_size=6))
def test_windows_are_the_same_to_the_bit_however_cut(n_frames: int, edges: list[int]) -> None:
    frames = torch.randn(n_frames, 5, generator=torch.Generator().manual_seed(n_frames))
    whole = torch.cat(list(WindowPool(9).windows([frames])))
    assert torch.equal(torch.cat(list(WindowPool(9).windows(cut(frames, edges)))), whole)


def test_windows_of_three_hours_do_not_drift() -> None:
    # Loud hours before a quiet end: a difference of float32 running sums would be off by more than the value.
    frames = torch.full((270_000, 1), 1000.1)
    frames[-1000:] = torch.rand(1000, 1, generator=torch.Generator().manual_seed(0)) * 1e-3
    windows = torch.cat(list(WindowPool(9).windows(frames.split(4096))))
    assert len(windows) == len(frames)
    torch.testing.assert_close(windows[-900:].double(), naive_windows(frames[-1000:], 9)[-900:], rtol=1e-6, atol=0)


@given(st.integers(1, 40), st.lists(st.integers(0, 1000), max_size=6))
def test_clip_pooling_equals_the_plain_formula_however_cut(n_frames: int, edges: list[int]) -> None:
    frames = frames_of(n_frames, n_frames)
    pool = ClipPool()
    for piece in cut(frames, edges):
        pool.add(piece)
    torch.testing.assert_close(pool.result(), frames.amax(0) + frames.mean(0), rtol=1e-6, atol=1e-4)


def test_the_mean_of_three_hours_is_exact() -> None:
    frames = torch.full((270_000, 1), 0.1)
    frames[0] = 0.3
    pool = ClipPool()
    for piece in frames.split(60):
        pool.add(piece)
    assert pool.result().item() == pytest.approx(frames[0].item() + frames.double().mean().item(), rel=1e-7)


def test_nothing_to_pool_is_an_error() -> None:
    with pytest.raises(ValueError, match="no frame"):
        ClipPool().result()
    with pytest.raises(ValueError, match="no frame"):
        WindowPool(9).finish()


@pytest.mark.parametrize("width", [0, 4, -1])
def test_a_window_has_a_centre(width: int) -> None:
    with pytest.raises(ValueError, match=f"odd, positive window width, got {width}"):
        WindowPool(width)


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
