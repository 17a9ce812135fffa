from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byola_hear.pretraining.corpora.sampling import PIECE_S, draw_order, pieces, share_per_track


@given(duration=st.floats(0.1, 5000))
def test_pieces_cover_a_recording_in_equal_parts(duration: float) -> None:
    parts = pieces(duration)
    assert sum(length for _, length in parts) == pytest.approx(duration)
    assert all(length <= PIECE_S + 0.002 for _, length in parts)
    assert [start for start, _ in parts] == pytest.approx([index * parts[0][1] for index in range(len(parts))])


@given(durations=st.lists(st.floats(1, 1000), min_size=1, max_size=30), part=st.floats(0, 1.5))
def test_shares_add_up_to_the_total(durations: list[float], part: float) -> None:
    wanted = part * sum(durations)
    share = share_per_track(durations, wanted)
    taken = sum(min(duration, share) for duration in durations)
    assert taken == pytest.approx(min(wanted, sum(durations)), rel=1e-6, abs=1e-6)


def test_order_depends_only_on_seed_and_track() -> None:
    first = draw_order(600, "a", seed=1)
    assert first == draw_order(600, "a", seed=1)
    assert first != draw_order(600, "a", seed=2)
    assert first != draw_order(600, "b", seed=1)
    assert sorted(first) == pieces(600)
