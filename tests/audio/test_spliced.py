"""Views of a file are read as the bytes that they stand for."""

from __future__ import annotations

import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from byola_hear.audio.spliced import Spliced, overwritten

CONTENT = np.random.default_rng(0).bytes(300)
PARTS = st.one_of(
    st.binary(max_size=20), st.tuples(st.integers(0, 150), st.integers(0, 150)).map(lambda part: (part[0], sum(part)))
)


@given(
    parts=st.lists(PARTS, max_size=6), reads=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 200)), max_size=5)
)
def test_reads_from_anywhere(parts: list, reads: list[tuple[int, int]]) -> None:
    expected = b"".join(part if isinstance(part, bytes) else CONTENT[slice(*part)] for part in parts)
    view = Spliced(io.BytesIO(CONTENT), parts)
    assert view.seek(0, io.SEEK_END) == len(expected)
    for place, size in reads:
        view.seek(place)
        assert view.read(size) == expected[place : place + size]
        assert view.tell() == place + len(expected[place : place + size])
    view.seek(0)
    assert view.read() == expected


def test_file_that_became_shorter_ends_early() -> None:
    assert Spliced(io.BytesIO(b"abc"), [(0, 10), b"d"]).read() == b"abc"


def test_overwritten() -> None:
    assert Spliced(io.BytesIO(b"0123456789"), overwritten({8: b"x", 2: b"ab"}, 9)).read() == b"01ab4567x"
