"""The pool of a clip against the plain formula, however the frames are cut."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from byola_hear.models.pooling.clip import ClipPool
from tests.models.pooling.frames import cut, frames_of


@given(st.integers(1, 40), st.lists(st.integers(0, 1000), max_size=6))
def test_clip_pooling_equals_the_plain_formula_however_cut(n_frames: int, edges: list[int]) -> None:
    frames = frames_of(n_frames, n_frames)
    pool = ClipPool("max+mean")
    for piece in cut(frames, edges):
        pool.add(piece)
    torch.testing.assert_close(pool.result(), frames.amax(0) + frames.mean(0), rtol=1e-6, atol=1e-4)


def test_the_mean_of_three_hours_is_exact() -> None:
    frames = torch.full((270_000, 1), 0.1)
    frames[0] = 0.3
    pool = ClipPool("max+mean")
    for piece in frames.split(60):
        pool.add(piece)
    assert pool.result().item() == pytest.approx(frames[0].item() + frames.double().mean().item(), rel=1e-7)


def test_no_frames_are_an_error() -> None:
    with pytest.raises(ValueError, match="expected at least one frame to pool, got none"):
        ClipPool("max+mean").result()
