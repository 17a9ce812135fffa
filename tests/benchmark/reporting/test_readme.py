"""README's tables are those that the cards and results make."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import byola_hear
from benchmark.reporting import readme
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel
from byola_hear.models.zoo import add_to_zoo


def test_readme_is_up_to_date(repository: Path) -> None:
    text = (repository / "README.md").read_text(encoding="utf-8")
    assert "<!-- table:models -->" in text
    assert readme.filled(text, repository / "benchmark" / "results") == text, "stale tables: run `make readme`"


def test_models_table_says_what_the_cards_say(tmp_path: Path) -> None:
    encoder = EncoderConfig(channels=4, hidden_size=8)
    for name, training in (("first", {"hours": 3.25}), ("second", {})):
        config = ModelConfig(name, "0.3", FrontendConfig(), encoder, -5.0, 4.0, training=training)
        add_to_zoo(ByolaModel(config), tmp_path)
    lines = readme.models_table(tmp_path).splitlines()
    assert len(lines) == 4 and len({line.count("|") for line in lines}) == 1
    assert lines[2].startswith("| `first` | 3.2 | ") and "| 72 |" in lines[2]
    assert lines[3].startswith("| `second` | not stated | ")


def test_tables_are_replaced_and_the_rest_stays(tmp_path: Path) -> None:
    (tmp_path / "speed.md").write_text("| new |\n\n")
    text = "before\n<!-- table:speed -->\n| old |\n| older |\n<!-- /table:speed -->\nafter\n"
    once = readme.filled(text, tmp_path)
    assert once == "before\n<!-- table:speed -->\n| new |\n<!-- /table:speed -->\nafter\n"
    assert readme.filled(once, tmp_path) == once


def test_readmes_python_runs(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not byola_hear.list_models():
        pytest.skip("no networks in weights/")
    blocks = re.findall(r"```python\n(.*?)```", (repository / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 1 and len([line for line in blocks[0].splitlines() if line]) == 10
    monkeypatch.chdir(repository)
    exec(compile(blocks[0], "README.md", "exec"), {"__name__": "readme"})


def test_readme_is_short_and_its_links_lead_somewhere(repository: Path) -> None:
    text = (repository / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 130 and len(text.split()) <= 900
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link]
    assert len(links) > 10
    assert [link for link in links if not (repository / link).exists()] == []


def test_open_marker_or_missing_result_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape("expected <!-- /table:speed -->")):
        readme.filled("<!-- table:speed -->\n", tmp_path)
    with pytest.raises(FileNotFoundError):
        readme.filled("<!-- table:speed -->\n<!-- /table:speed -->\n", tmp_path)
