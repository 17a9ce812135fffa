"""Tables for Embedding Atlas: the columns that it reads, and what they hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

from byola_hear.analysis.atlas import write_atlas


def table_of(n: int = 30) -> pd.DataFrame:
    """Two clusters."""
    rng = np.random.default_rng(0)
    embeddings = rng.normal(0, 0.1, (n, 8)) + rng.normal(0, 1, (2, 8))[np.arange(n) % 2]
    index = pd.MultiIndex.from_arrays(
        [[f"{row % 2}/é{row}.wav" for row in range(n)], np.zeros(n), np.full(n, 1.5)], names=["file", "start", "end"]
    )
    return pd.DataFrame(embeddings.astype(np.float32), index)


def test_layout_neighbours_vectors_and_sound(tmp_path: Path) -> None:
    table = table_of()
    labels = [str(row % 2) for row in range(len(table))]
    sounds: list[tuple[str, float, float]] = []

    def sound(*span: object) -> bytes:
        sounds.append(span)  # type: ignore[arg-type]
        return b"fLaC"

    size = write_atlas(tmp_path / "a.parquet", table, labels, vectors=True, audio=sound)
    assert size == (tmp_path / "a.parquet").stat().st_size
    read = parquet.read_table(tmp_path / "a.parquet").to_pandas()
    assert list(read) == ["file", "start", "end", "label", "x", "y", "neighbours", "audio", "vector"]
    np.testing.assert_array_equal(np.stack(read["vector"]), table.to_numpy())
    assert read["audio"][3] == {"bytes": b"fLaC", "path": "1/é3.wav"} and sounds[3] == ("1/é3.wav", 0.0, 1.5)
    for row, near in enumerate(read["neighbours"]):
        assert len(near["ids"]) == 15 and row not in near["ids"]
        assert (np.diff(near["distances"]) >= 0).all() and (near["distances"] >= 0).all()
        assert {labels[other] for other in near["ids"][:3]} == {labels[row]}
    apart = read.groupby("label")[["x", "y"]].mean()
    assert float(np.abs(apart.iloc[0] - apart.iloc[1]).max()) > 0.5


def test_few_rows_and_wrong_input(tmp_path: Path) -> None:
    write_atlas(tmp_path / "one.parquet", table_of(1), ["a"])
    read = parquet.read_table(tmp_path / "one.parquet").to_pandas()
    assert len(read["neighbours"][0]["ids"]) == 0 and "audio" not in read and "vector" not in read
    for table, labels, message in (
        (table_of(3), ["a"], "expected a label for each of 3 rows, got 1"),
        (table_of(3).iloc[:0], [], "with rows"),
        (table_of(3) * np.nan, ["a"] * 3, "not finite"),
    ):
        with pytest.raises(ValueError, match=message):
            write_atlas(tmp_path / "two.parquet", table, labels)
    assert not (tmp_path / "two.parquet").exists()
