"""README's tables are those that the cards and results make."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import byola_hear
from benchmark.__main__ import COMMANDS as BENCHMARK_COMMANDS
from benchmark.reporting import readme
from byola_hear.cli.main import COMMANDS
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
    parts = (("effects", 0.5), ("music", 2.0), ("effects", 0.75))
    sources = [{"kind": kind, "hours": hours} for kind, hours in parts]
    heard = {"hours": 3.25, "sources": sources, "crops": 1_280_000}
    for name, training in (("first", heard), ("second", {})):
        config = ModelConfig(name, "0.3", FrontendConfig(), encoder, -5.0, 4.0, training=training)
        add_to_zoo(ByolaModel(config), tmp_path)
    lines = readme.models_table(tmp_path).splitlines()
    assert len(lines) == 4 and len({line.count("|") for line in lines}) == 1
    assert lines[2].startswith("| `first` | 0.3 | 3.2 | music 2.0, effects 1.2 | 1.28 M |")
    assert "| 72 numbers | 40 ms |" in lines[2]
    assert lines[3].startswith("| `second` | 0.3 | not stated | not stated | not stated |")


def test_tables_are_replaced_and_the_rest_stays(tmp_path: Path) -> None:
    (tmp_path / "speed.md").write_text("| new |\n\n")
    text = "before\n<!-- table:speed -->\n| old |\n| older |\n<!-- /table:speed -->\nafter\n"
    once = readme.filled(text, tmp_path)
    assert once == "before\n<!-- table:speed -->\n| new |\n<!-- /table:speed -->\nafter\n"
    assert readme.filled(once, tmp_path) == once


def test_readmes_python_runs(repository: Path, tmp_path: Path) -> None:
    """All of it, one block after the other; what a reader has of their own is given first."""
    if not byola_hear.list_models():
        pytest.skip("no networks in weights/")
    blocks = re.findall(r"```python\n(.*?)```", (repository / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len([line for line in blocks[0].splitlines() if line]) == 10
    given = """
import numpy as np
from torch.utils.data import DataLoader
left = right = np.zeros(44100)
files = [f"tests/data/{name}" for name in ("speech_english_8k.wav", "speech_french_16k.wav") * 5]
labels = ["english", "french"] * 5
dataset = [(torch.zeros(16000 + 100 * index), index % 2) for index in range(4)]
"""
    written = f"byola_hear.embed(files[:2]).to_csv({str(tmp_path / 'clips.csv')!r})\n"
    rest = [block.replace("clips.parquet", str(tmp_path / "clips.csv")) for block in blocks[1:]]
    code = "\n".join([blocks[0], given, written, *rest])
    # The loader's processes begin by reading the program again.
    (tmp_path / "readme.py").write_text(code.replace("num_workers=2", "num_workers=0"))
    command = [sys.executable, str(tmp_path / "readme.py")]
    paths = {**os.environ, "PYTHONPATH": str(repository)}
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, env=paths)
    assert done.returncode == 0, done.stderr


def test_every_command_in_the_readme_exists(repository: Path) -> None:
    text = (repository / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"byola-hear ([a-z]+)", text))
    assert named <= set(COMMANDS) and len(named) == len(COMMANDS)
    assert set(re.findall(r"python -m benchmark ([a-z-]+)", text)) == set(BENCHMARK_COMMANDS)


def test_open_marker_or_missing_result_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=re.escape("expected <!-- /table:speed -->")):
        readme.filled("<!-- table:speed -->\n", tmp_path)
    with pytest.raises(FileNotFoundError):
        readme.filled("<!-- table:speed -->\n<!-- /table:speed -->\n", tmp_path)
