"""The comparison as a JSON document."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmark.comparison.document import Document, read_document
from tests.benchmark.comparison.documents import document_of


def test_a_document_is_what_its_json_says(planted_run: Callable[..., Path]) -> None:
    document = document_of(planted_run(0.05, tasks=2, files=60))
    text = json.dumps(document.as_json(), allow_nan=False)
    assert Document.from_json(json.loads(text)) == document


@pytest.mark.parametrize("suite", ["mini", "public"])
def test_committed_results_are_read_and_written_unchanged(suite: str, repository: Path) -> None:
    path = repository / "benchmark" / "results" / f"{suite}.json"
    text = json.dumps(read_document(path).as_json(), indent=1) + "\n"
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("change", [{"rows": [{"name": "both"}]}, {"columns": None}, {"colour": "red"}, {"hear": 1}])
def test_another_file_is_refused_with_its_name(change: dict[str, object], repository: Path, tmp_path: Path) -> None:
    values = json.loads((repository / "benchmark" / "results" / "mini.json").read_text(encoding="utf-8"))
    path = tmp_path / "table.json"
    path.write_text(json.dumps({**values, **change}), encoding="utf-8")
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: expected tables that"):
        read_document(path)
