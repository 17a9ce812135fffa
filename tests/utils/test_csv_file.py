from __future__ import annotations

import csv
from pathlib import Path

import pytest

from byola_hear.utils.csv_file import write_csv


def test_cells_come_back_as_they_were(tmp_path: Path) -> None:
    rows = [["file", "label"], ["a, b.wav", 'an "owl"'], ["日本.wav", "line\nbreak"], ["return.wav", "a\rb"]]
    write_csv(tmp_path / "table.csv", rows)
    with open(tmp_path / "table.csv", newline="", encoding="utf-8") as stream:
        assert list(csv.reader(stream)) == rows


def test_what_cannot_be_written_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("before")
    with pytest.raises(UnicodeEncodeError):
        write_csv(path, [["file"], ["caf\udce9.wav"]])
    assert path.read_text() == "before" and list(tmp_path.iterdir()) == [path]
