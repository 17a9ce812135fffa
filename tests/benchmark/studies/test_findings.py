"""A study's numbers are read as they were written."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from benchmark.studies.findings import read_numbers, save_study
from benchmark.studies.study import new_figure


def test_names_are_read_as_they_were_written(tmp_path: Path) -> None:
    numbers = pd.DataFrame({"model": ["01", "1e3", "NA"], "value": [0.5, float("nan"), 2.0]})
    save_study(tmp_path, "some", numbers, {"some": new_figure(1, 1)}, {"command": ""})
    pd.testing.assert_frame_equal(read_numbers(tmp_path, "some"), numbers)
