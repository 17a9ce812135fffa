"""Windows of any length and hop: which frames they pool, and how many a clip has."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from byola_hear.models.pooling.grid import Grid, GridPool

FRAME, CENTRE = 640.0, 240.0


def pooled_plainly(features: torch.Tensor, grid: Grid, n_samples: int) -> torch.Tensor:
    """Each window by the definition: the frames centred in it, else the nearest."""
    centres = CENTRE + FRAME * torch.arange(len(features), dtype=torch.float64)
    rows = []
    for index in range(grid.count(n_samples)):
        start = grid.origin + index * grid.hop
        inside = (centres >= start) & (centres < start + grid.window)
        if not inside.any():
            distance = (centres - start - grid.window / 2).abs()
            inside = distance == distance.min()
        rows.append(features[inside].amax(0) + features[inside].mean(0))
    return torch.stack(rows)


def pooled_in_blocks(features: torch.Tensor, grid: Grid, n_samples: int, sizes: list[int]) -> torch.Tensor:
    pool, given, start = GridPool(grid, "max+mean"), [], 0
    for size in [*sizes, len(features)]:
        block = features[start : start + size]
        start += len(block)
        # Samples seen at least: the centre of the last frame is always within them but for the last frame of all.
        seen = n_samples if start == len(features) else min(int(CENTRE + FRAME * start), n_samples)
        if len(block):
            given += list(pool.add(block, seen))
    given += list(pool.finish(n_samples))
    assert [first for first, _ in given] == list(
        torch.tensor([0, *(len(rows) for _, rows in given)]).cumsum(0)[:-1].tolist()
    )
    return torch.cat([rows for _, rows in given])


@given(
    n_samples=st.integers(1, 60000),
    window=st.floats(100, 20000),
    hop=st.floats(100, 20000),
    centred=st.booleans(),
    sizes=st.lists(st.integers(1, 40), max_size=6),
)
def test_windows_pool_the_frames_centred_in_them(
    n_samples: int, window: float, hop: float, centred: bool, sizes: list[int]
) -> None:
    n_frames = -(-(1 + n_samples // 160) // 4)
    features = torch.randn(n_frames, 3, generator=torch.Generator().manual_seed(n_samples))
    grid = Grid(window, hop, CENTRE - window / 2 if centred else 0.0, CENTRE, FRAME, centred)
    expected = pooled_plainly(features, grid, n_samples)
    actual = pooled_in_blocks(features, grid, n_samples, sizes)
    assert actual.shape == expected.shape
    # A frame just as near on either side may be taken from either.
    nearest_is_a_tie = window < FRAME
    if not nearest_is_a_tie:
        torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-5)


def test_what_lies_between_windows_is_not_kept() -> None:
    pool = GridPool(Grid(2 * FRAME, 10_000 * FRAME, 0.0, CENTRE, FRAME), "max+mean")
    features = torch.randn(12_000, 3)
    rows = []
    for seen, block in enumerate(features.split(300), 1):
        rows += list(pool.add(block, round(seen * 300 * FRAME)))
        assert sum(map(len, pool._kept)) <= 600
    rows += list(pool.finish(round(12_000 * FRAME)))
    expected = torch.stack([piece.amax(0) + piece.mean(0) for piece in (features[:2], features[10_000:10_002])])
    torch.testing.assert_close(torch.cat([row for _, row in rows]), expected)


@given(st.integers(1, 10**7), st.floats(1, 1e6), st.floats(1, 1e6))
def test_windows_from_the_beginning_cover_the_clip_and_no_more(n_samples: int, window: float, hop: float) -> None:
    grid = Grid(window, hop, 0.0, CENTRE, FRAME)
    last = grid.start(grid.count(n_samples) - 1)
    assert last + max(window, hop) >= n_samples * (1 - 1e-6)
    if last > 0:
        assert last < n_samples
        assert last - hop + window < n_samples * (1 + 1e-6)


@given(st.integers(1, 10**7), st.floats(1, 1e6), st.floats(1, 1e6))
def test_centred_windows_have_their_times_in_the_clip(n_samples: int, window: float, hop: float) -> None:
    grid = Grid(window, hop, CENTRE - window / 2, CENTRE, FRAME, centred=True)
    last = CENTRE + (grid.count(n_samples) - 1) * hop
    assert last <= max(n_samples, CENTRE) * (1 + 1e-6)
    assert last + hop > n_samples * (1 - 1e-6)
