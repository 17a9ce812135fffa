"""Sliding windows against a naive loop, however the frames are cut."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from byola_hear.models.pooling.window import WindowPool, slide
from tests.models.pooling.frames import cut, frames_of


def naive_windows(frames: Tensor, width: int) -> Tensor:
    """Maximum plus mean of each truncated window, in float64."""
    rows = []
    for centre in range(len(frames)):
        window = frames[max(centre - width // 2, 0) : centre + width // 2 + 1].double()
        rows.append(window.amax(0) + window.mean(0))
    return torch.stack(rows)


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
    windows = torch.cat(list(WindowPool(2 * half + 1, "max+mean").windows(cut(frames, edges))))
    torch.testing.assert_close(windows.double(), naive_windows(frames, 2 * half + 1), rtol=1e-6, atol=1e-4)


@given(st.integers(1, 60), st.lists(st.integers(0, 1000), min_size=1, max_size=6))
def test_windows_are_the_same_to_the_bit_however_cut(n_frames: int, edges: list[int]) -> None:
    frames = torch.randn(n_frames, 5, generator=torch.Generator().manual_seed(n_frames))
    whole = torch.cat(list(WindowPool(9, "max+mean").windows([frames])))
    assert torch.equal(torch.cat(list(WindowPool(9, "max+mean").windows(cut(frames, edges)))), whole)


def test_windows_of_three_hours_do_not_drift() -> None:
    # Loud hours before a quiet end: a difference of float32 running sums would be off by more than the value.
    frames = torch.full((270_000, 1), 1000.1)
    frames[-1000:] = torch.rand(1000, 1, generator=torch.Generator().manual_seed(0)) * 1e-3
    windows = torch.cat(list(WindowPool(9, "max+mean").windows(frames.split(4096))))
    assert len(windows) == len(frames)
    torch.testing.assert_close(windows[-900:].double(), naive_windows(frames[-1000:], 9)[-900:], rtol=1e-6, atol=0)


@pytest.mark.parametrize("width", [0, 4, -1])
def test_a_window_has_a_centre(width: int) -> None:
    with pytest.raises(ValueError, match=f"odd, positive window width, got {width}"):
        WindowPool(width, "max+mean")


def test_no_frames_are_an_error() -> None:
    with pytest.raises(ValueError, match="expected at least one frame to pool, got none"):
        WindowPool(9, "max+mean").finish()
