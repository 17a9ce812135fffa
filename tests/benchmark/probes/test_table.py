"""Tables of the probe."""

from __future__ import annotations

from benchmark.probes.probe import TaskResult
from benchmark.probes.table import Row, csv_table, document_of, markdown_table, terminal_table

ABOUT = {"parts": "test"}


def test_a_table_of_nothing_but_empty_rows() -> None:
    rows = [Row("vggish", "", [], missing="needs weights")]
    document = document_of(rows, ABOUT)
    assert markdown_table(document).splitlines()[2] == "| vggish | – |"
    assert "not measured: needs weights" in terminal_table(document)
    assert csv_table(rows).splitlines()[1] == "vggish,,,,,,,needs weights"
    assert document["models"]["vggish"]["missing"] == "needs weights"


def test_an_empty_row_is_never_the_best() -> None:
    result = TaskResult("esc50", ["1", "2"], [0.0, 0.0], [1.0, 1.0], [10, 10])
    rows = [Row("empty", "", [], missing="x"), Row("poor", "", [{"esc50": result}])]
    text = markdown_table(document_of(rows, ABOUT))
    assert "| empty | – | – |" in text and "| poor | **0.0 ± 8.1** | **0.0 ± 8.1** |" in text
