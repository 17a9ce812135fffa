"""Tables of the probe."""

from __future__ import annotations

import json

from benchmark.probes.probe import TaskResult
from benchmark.probes.table import Row, csv_table, json_table, markdown_table, terminal_table


def test_a_table_of_nothing_but_empty_rows() -> None:
    rows = [Row("vggish", "", [], missing="needs weights")]
    assert markdown_table(rows).splitlines()[2] == "| vggish | – |"
    assert "not measured: needs weights" in terminal_table(rows)
    assert csv_table(rows).splitlines()[1] == "vggish,,,,,,,needs weights"
    assert json.loads(json_table(rows, {}))["models"]["vggish"]["missing"] == "needs weights"


def test_an_empty_row_is_never_the_best() -> None:
    result = TaskResult("esc50", ["1", "2"], [0.0, 0.0], [1.0, 1.0], [10, 10])
    text = markdown_table([Row("empty", "", [], missing="x"), Row("poor", "", [{"esc50": result}])])
    assert "| empty | – | – |" in text and "| poor | **0.0 ± 0.0** | **0.0 ± 0.0** |" in text
