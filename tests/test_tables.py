"""Tables: exact numbers, clips whole or not at all, files whole or not at all."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from byola_hear.tables import TableError, open_table

RNG = np.random.default_rng(0)
NAMES = ["a.wav", 'with "quotes", commas.wav', "new\nline.wav", "\udcffnot utf-8.wav", "ünï.wav"]


def embeddings(n_rows: int) -> np.ndarray:
    """Of all magnitudes that float32 has."""
    return (RNG.standard_normal((n_rows, 5)) * 10.0 ** RNG.integers(-37, 38, (n_rows, 5))).astype(np.float32)


def read(path: Path) -> tuple[list[str], list[float], np.ndarray]:
    """A table's files, numbers and embeddings, row by row."""
    if path.suffix == ".npz":
        content = np.load(path)
        files = content["files"]
        if "file_index" in content:
            return list(files[content["file_index"]]), list(content["timestamp_ms"]), content["embeddings"]
        return list(files), list(content["duration_s"]), content["embeddings"]
    with open(path, newline="", encoding="utf-8", errors="surrogateescape") as stream:
        rows = list(csv.reader(stream))
    assert rows[0][0] == "file" and rows[0][1] in ("duration_s", "timestamp_ms")
    assert rows[0][2:] == [f"e{index}" for index in range(5)]
    numbers = np.array([[float(cell) for cell in row[1:]] for row in rows[1:]]).reshape(-1, 6)
    return [row[0] for row in rows[1:]], list(numbers[:, 0]), numbers[:, 1:].astype(np.float32)


@pytest.mark.parametrize("extension", [".csv", ".npz", ".CSV"])
def test_scenes(tmp_path: Path, extension: str) -> None:
    path, expected = tmp_path / f"t{extension}", embeddings(len(NAMES))
    with open_table(path, "scene", 5, "m 1") as table:
        for index, name in enumerate(NAMES):
            with table.clip(name) as add:
                add(expected[index : index + 1], np.array([index + 0.0625]))
        assert not path.exists()
    path = path.rename(tmp_path / f"t{extension.lower()}")
    files, numbers, actual = read(path)
    assert files == NAMES
    assert numbers == [index + 0.0625 for index in range(len(NAMES))]
    np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("extension", [".csv", ".npz"])
def test_timestamps_and_clips_that_fail_halfway(tmp_path: Path, extension: str) -> None:
    path, expected = tmp_path / f"t{extension}", embeddings(7)
    with open_table(path, "timestamp", 5, "m 1") as table:
        with table.clip("a") as add:
            add(expected[:2], np.array([15.0, 55.0]))
            add(expected[2:3], np.array([95.0]))
        with pytest.raises(ZeroDivisionError), table.clip("bad") as add:
            add(embeddings(4000), np.arange(4000.0))
            raise ZeroDivisionError
        with table.clip("b") as add:
            add(expected[3:], np.array([15.0, 55.0, 95.0, 135.0]))
    files, numbers, actual = read(path)
    assert files == ["a"] * 3 + ["b"] * 4
    assert numbers == [15, 55, 95, 15, 55, 95, 135]
    np.testing.assert_array_equal(actual, expected)


def test_npz_says_which_model(tmp_path: Path) -> None:
    with open_table(tmp_path / "t.npz", "scene", 5, "speech 1.0"):
        pass
    content = np.load(tmp_path / "t.npz")
    assert str(content["model"]) == "speech 1.0"
    assert content["embeddings"].shape == (0, 5) and content["embeddings"].dtype == np.float32


@pytest.mark.parametrize("extension", [".csv", ".npz"])
def test_a_run_that_breaks_off_leaves_what_was_there(tmp_path: Path, extension: str) -> None:
    path = tmp_path / f"t{extension}"
    path.write_text("before")
    with pytest.raises(KeyboardInterrupt), open_table(path, "scene", 5, "m") as table:
        with table.clip("a") as add:
            add(embeddings(1), np.array([1.0]))
        raise KeyboardInterrupt
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises((TableError, FileNotFoundError)), open_table(tmp_path / "no" / "t.csv", "scene", 5, "m"):
        pass


@pytest.mark.parametrize("extension", [".csv", ".npz"])
def test_a_full_disk_is_the_tables_fault(tmp_path: Path, extension: str, monkeypatch: pytest.MonkeyPatch) -> None:
    attribute = "rows" if extension == ".npz" else "stream"
    path = tmp_path / f"t{extension}"
    with pytest.raises(TableError, match="can't be written: No space left"), open_table(path, "scene", 5, "m") as table:
        monkeypatch.setattr(table, attribute, _Full(getattr(table, attribute)))
        with table.clip("a") as add:
            add(embeddings(1), np.array([1.0]))
    assert list(tmp_path.iterdir()) == []


class _Full:
    """A stream on a full disk."""

    def __init__(self, stream: object) -> None:
        self.stream = stream

    def __getattr__(self, name: str) -> object:
        return getattr(self.stream, name)

    def write(self, content: bytes) -> int:
        raise OSError(28, "No space left on device")
