"""Tables that are read in batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from byola_hear.extraction.clips import Clip
from byola_hear.tables import TableError, TableRefused, open_scan, read_table
from byola_hear.tables.batches import Batch, joined, names_array
from byola_hear.tables.formats import as_parquet
from byola_hear.tables.scan import spread_rows
from tests.tables.extraction import SIZE, request
from tests.tables.test_formats import NAMES, OUTPUTS, write


@pytest.mark.parametrize("output", OUTPUTS)
def test_batches_have_the_rows_of_the_table(tmp_path: Path, output: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(as_parquet, "_GROUP_BYTES", 4 * SIZE * 3)
    path = f"{tmp_path}/{output}"
    write(path, [Clip(name) for name in NAMES], n_rows=7)
    scan = open_scan(path)
    known = not output.endswith(".csv")
    assert (scan.request, scan.n_rows) == ((request(), 7 * len(NAMES)) if known else (None, None))
    for _ in range(2):
        rows = joined(list(scan.batches()))
        table = read_table(path)
        np.testing.assert_array_equal(rows.embeddings, table.to_numpy())
        assert rows.file.tolist() == table.index.get_level_values("file").tolist()
        np.testing.assert_array_equal(rows.start, table.index.get_level_values("start"))
    # Reading may stop anywhere.
    assert len(next(scan.batches()))


@pytest.mark.parametrize("most", [1, 1 << 27])
def test_row_groups_of_any_size_are_read_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(as_parquet, "_GROUP_BYTES", 4 * SIZE * 3)
    monkeypatch.setattr(as_parquet, "_MOST_GROUP_BYTES", most)
    write(str(tmp_path / "t.parquet"), [Clip(f"{index}.wav") for index in range(50)])
    batches = list(open_scan(tmp_path / "t.parquet").batches())
    assert len(batches) > 10
    assert joined(batches).file.tolist() == [f"{index}.wav" for index in range(50)]


def test_what_can_not_be_scanned(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no table of embeddings"):
        open_scan(tmp_path / "none.parquet")
    with pytest.raises(TableRefused, match="expected a table that ends in"):
        open_scan(tmp_path / "t.txt")
    write(f"{tmp_path}/out/", [Clip("a.wav"), Clip("b.wav")], n_rows=3)
    index = (tmp_path / "out" / "index.csv").read_text()
    for wrong in (index.replace(",2\n", ",3\n"), index.replace(",0\n", ",-1\n"), index.replace(",1\n", ",one\n")):
        (tmp_path / "out" / "index.csv").write_text(wrong)
        with pytest.raises(TableError, match=r"index\.csv can't be read"):
            list(open_scan(tmp_path / "out").batches())


@given(sizes=st.lists(st.integers(0, 30), max_size=8), count=st.integers(1, 20))
def test_spread_rows_are_at_equal_distances(sizes: list[int], count: int) -> None:
    total = sum(sizes)
    every = np.arange(total, dtype=np.float32)[:, None]
    edges = np.cumsum([0, *sizes])
    zeros = np.zeros(total)
    rows = Batch(names_array("x" for _ in range(total)), zeros, zeros, None, every)
    found = spread_rows(iter([rows[first:last] for first, last in zip(edges[:-1], edges[1:])]), count)
    assert min(total, -(-count // 2)) <= len(found) <= count
    distances = set(np.diff(found[:, 0])) if len(found) else set()
    assert len(distances) <= 1 and (not len(found) or found[0, 0] == 0)
