"""Additional sections of the page."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from benchmark.comparison.page import Section, load_section


def test_sections_bring_text_figures_and_tables(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    blocks = [
        "## Time and pitch",
        "**Bold**, *italic* and `code`\nin two lines; 2 * 3 * 4.",
        "![A *figure*](a.svg)",
        "| name | value |\n| --- | --: |\n| **a\\|b** | −1.5 |",
        "- one\n- two",
        "### More",
    ]
    (tmp_path / "pitch_time.md").write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    section = load_section(tmp_path / "pitch_time.md")
    assert section.title == "Time and pitch"
    text, figure, table, listed, heading = section.data()["blocks"]
    assert text == {"kind": "text", "text": "Bold, italic and code in two lines; 2 * 3 * 4."}
    kind, content = figure["source"].split(",")
    assert kind == "data:image/svg+xml;base64" and base64.b64decode(content).startswith(b"<svg")
    assert figure["text"] == "A figure" and heading == {"kind": "heading", "text": "More"}
    assert table == {"kind": "table", "header": ["name", "value"], "rows": [["a|b", "−1.5"]]}
    assert listed == {"kind": "list", "items": ["one", "two"]}
    (tmp_path / "few_shot.md").write_text("Text.\n")
    assert load_section(tmp_path / "few_shot.md").title == "Few shot"
    with pytest.raises(FileNotFoundError, match="no such section"):
        load_section(tmp_path / "none.md")
    (tmp_path / "wrong.md").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="expected Markdown in UTF-8"):
        load_section(tmp_path / "wrong.md")


@pytest.mark.parametrize(
    ("file", "error"), [("a.jpeg", ValueError), ("../a.png", ValueError), ("none.png", FileNotFoundError)]
)
def test_figures_that_cannot_be_shown(tmp_path: Path, file: str, error: type[Exception]) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "below").mkdir()
    with pytest.raises(error, match="figure"):
        Section("T", f"![x]({file})", tmp_path / "below").data()
