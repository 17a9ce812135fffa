"""The tables' files, from a run and in benchmark/results."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import byola_hear
from benchmark.__main__ import main
from benchmark.comparison.advantage import advantages
from benchmark.comparison.command import command, write_comparison
from benchmark.comparison.comparison import compare
from benchmark.comparison.folder import load_run
from benchmark.comparison.long_table import LONG_COLUMNS


def test_files_agree_with_each_other(planted_run: Callable[..., Path], tmp_path: Path) -> None:
    folder = planted_run(0.05, tasks=2, files=150)
    before = set(folder.iterdir())
    written = write_comparison(folder, maps=False)
    assert set(folder.iterdir()) - before == set(written)
    lines = list(csv.DictReader((folder / "table.csv").open(encoding="utf-8")))
    table = pq.read_table(folder / "table.parquet")
    assert table.column_names == list(LONG_COLUMNS) == list(lines[0]) and table.num_rows == len(lines)
    assert json.loads(table.schema.metadata[b"about"])["about"]["provenance"]["commit"] == "abc"
    for line, score in zip(lines, table["score"].to_pylist()):
        assert float(line["score"]) == pytest.approx(score, rel=1e-6)
    found = list(csv.DictReader((folder / "advantage.csv").open(encoding="utf-8")))
    expected = advantages(compare(load_run(folder)))
    total = next(line for line in found if line["scope"] == "advantage" and line["reference"] == "nonspeech")
    assert float(total["difference"]) == pytest.approx(expected[0].value, rel=1e-6)
    assert len(found) == len(expected) * (4 + 3)
    again = {path.name: path.read_bytes() for path in written}
    write_comparison(folder, maps=False)
    assert {path.name: path.read_bytes() for path in written} == again


def test_results_are_kept_under_the_suites_name(planted_run: Callable[..., Path], tmp_path: Path) -> None:
    folder = planted_run(0.05, tasks=1, files=60)
    kept = tmp_path / "kept"
    kept.mkdir()
    done = CliRunner().invoke(command, [str(folder), "--no-maps", "--no-progress", "--keep", str(kept)])
    assert done.exit_code == 0 and "mean of all" in done.output
    assert sorted(path.name for path in kept.iterdir()) == ["tasks.csv", "tasks.json", "tasks.md", "tasks_short.md"]
    assert (kept / "tasks.md").read_bytes() == (folder / "table.md").read_bytes()


def test_committed_results_are_of_the_networks_that_are_shipped(repository: Path) -> None:
    """Networks that were trained anew make numbers of before stale, however well they agree with each other."""
    kept = [repository / "benchmark" / "results" / f"{suite}.json" for suite in ("mini", "public", "hear")]
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in kept if path.is_file()]
    assert documents
    for name in byola_hear.list_models():
        fingerprint = byola_hear.load_model(name).fingerprint()
        for document in documents:
            identities = [row["identity"] for row in document["rows"] if row["name"] == name]
            # The three networks that are compared have rows in all tables.
            assert len(identities) == 1 or (not identities and name not in ("both", "speech", "nonspeech"))
            assert all(fingerprint in identity and "," not in identity for identity in identities)


def test_a_folder_that_cannot_be_created_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as stopped:
        main(["table", str(tmp_path), "--cache", str(tmp_path / "file" / "cache")])
    error = capsys.readouterr().err
    assert stopped.value.code == 2 and error.startswith("error: ") and error.count("\n") == 1
