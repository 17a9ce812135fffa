"""A study's numbers, and the report made from them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from benchmark.studies.figures import new_figure
from benchmark.studies.findings import Report, read_numbers, save_numbers, save_report


def test_names_are_read_as_they_were_written(tmp_path: Path) -> None:
    numbers = pd.DataFrame({"model": ["01", "1e3", "NA"], "value": [0.5, float("nan"), 2.0]})
    save_numbers(tmp_path, "some", numbers, {"command": ""})
    pd.testing.assert_frame_equal(read_numbers(tmp_path, "some"), numbers)


def test_a_report_holds_findings_figures_tables_and_the_command(tmp_path: Path) -> None:
    save_numbers(tmp_path, "some", pd.DataFrame({"value": [1.0]}), {"command": "python -m benchmark some"})
    figures = {"some": (lambda: new_figure(1, 1), "A figure."), "kept": (None, "Drawn before.")}
    written = save_report(tmp_path, "some", Report("Title", ["One.", "Two."], ["| a |\n"], figures))
    assert [path.name for path in written] == ["some.png", "some_findings.md", "some.md"]
    assert (tmp_path / "some_findings.md").read_text() == "- One.\n- Two.\n"
    *parts, last = (tmp_path / "some.md").read_text().split("\n\n")
    assert parts == ["# Title", "- One.\n- Two.", "![A figure.](some.png)", "![Drawn before.](kept.png)", "| a |"]
    assert last.startswith("Measured by `python -m benchmark some` at commit ")


def test_missing_numbers_name_the_command_that_measures_them(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"few_shot.csv; python -m benchmark few-shot writes it"):
        read_numbers(tmp_path, "few_shot")
