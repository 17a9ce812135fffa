"""A whole collection, the process killed in the middle. The short form is in tests/cli/test_embed.py."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from byola_hear.models.checkpoint import save_checkpoint
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel
from byola_hear.tables import read_table

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
FILES = sorted(path for path in DATA.iterdir() if path.suffix != ".md")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small checkpoint; its size is not what matters here."""
    torch.manual_seed(0)
    encoder = EncoderConfig(n_mels=16, channels=4, hidden_size=10)
    path = tmp_path_factory.mktemp("model") / "small.safetensors"
    save_checkpoint(path, ByolaModel(ModelConfig("small", "1", FrontendConfig(n_mels=16), encoder, -7.0, 4.0)))
    return path


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "byola_hear", "embed", *(str(argument) for argument in arguments)]


@pytest.mark.slow
def test_killed_again_and_again_it_ends_with_the_same_table(model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "sounds"
    folder.mkdir()
    for index in range(240):
        shutil.copy(FILES[index % len(FILES)], folder / f"{index:03}{FILES[index % len(FILES)].suffix}")
    (folder / "bad.wav").write_text("no audio")
    arguments = (folder, "--model", model, "--kind", "timestamp", "--hop", 0.1, "--save-every", 0)
    undisturbed = tmp_path / "undisturbed.parquet"
    assert subprocess.run(command(*arguments, "-o", undisturbed), cwd=ROOT, capture_output=True).returncode == 1

    output = tmp_path / "out.parquet"
    parts = tmp_path / "out.parquet.parts"
    n_killed = n_before = 0
    for _ in range(2):
        process = subprocess.Popen(command(*arguments, "-o", output), cwd=ROOT, stderr=subprocess.DEVNULL)
        # Kill once it has made some progress beyond what was there.
        give_up = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < give_up:
            n_now = len(list(parts.glob("*"))) if parts.is_dir() else 0
            if n_now > n_before + 40:
                process.kill()
            time.sleep(0.005)
        if process.wait() == -9:
            n_killed += 1
            n_before = len(list(parts.glob("*")))
        assert output.exists() == (process.returncode == 1)
    assert n_killed >= 2
    if not output.exists():
        assert subprocess.run(command(*arguments, "-o", output), cwd=ROOT, capture_output=True).returncode == 1
    one, other = read_table(undisturbed), read_table(output)
    assert one.index.equals(other.index) and one.index.get_level_values("file").nunique() == 240
    np.testing.assert_allclose(one, other, atol=1e-5, rtol=1e-5)
    assert not parts.exists()
    assert Path(f"{output}.errors.csv").read_text() == Path(f"{undisturbed}.errors.csv").read_text()
