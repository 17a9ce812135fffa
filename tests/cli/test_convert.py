"""byola-hear convert: published checkpoints become checkpoints of this package."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import torch

from byola_hear import load_model
from byola_hear.cli.main import main
from byola_hear.models import published
from byola_hear.models.checkpoint import CheckpointError
from byola_hear.models.encoders.convolutional import Encoder, EncoderConfig


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


@pytest.fixture
def pth(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    torch.save(Encoder(EncoderConfig.v1(16)).state_dict(), tmp_path / "some.pth")
    return tmp_path / "some.pth"


def test_id_is_that_of_git(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"content\n")
    done = subprocess.run(["git", "hash-object", tmp_path / "a"], capture_output=True, text=True)
    assert published.git_id(tmp_path / "a") == done.stdout.strip() == "d95f3ad14dee633a758d2e331151e950dd13e4ed"


def test_published_checkpoint_is_recognised_whatever_its_name(
    pth: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(published.PUBLISHED, published.git_id(pth), ("AudioNTT2020-BYOLA-64x96d16", "v1"))
    out = tmp_path / "out.safetensors"
    assert run("convert", pth, "-o", out) == 0
    assert "recognised as AudioNTT2020-BYOLA-64x96d16, mean -9.66029, std 4.72196, licence" in capsys.readouterr().out
    config = load_model(out).config
    assert (config.name, config.licence) == ("AudioNTT2020-BYOLA-64x96d16", "LicenseRef-NTT-evaluation-only")
    assert (config.frontend.mel_scale, config.frontend.window_length) == ("slaney", 1024)
    assert run("convert", pth, "-o", out) == 2
    assert run("convert", out, "-o", out, "--overwrite", "--preset", "v1") == 2
    assert "expected an output that is no input, got" in capsys.readouterr().err
    assert run("convert", pth, "-o", out, "--overwrite", "--mean", -7, "--std", 4) == 0
    assert (load_model(out).config.mean, load_model(out).config.std) == (-7.0, 4.0)


def test_unknown_file_needs_a_front_end_and_statistics(
    pth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.safetensors"
    assert run("convert", pth, "-o", out) == 2
    assert "not one of the published checkpoints" in capsys.readouterr().err
    assert run("convert", pth, "-o", out, "--frontend", "htk-400") == 2
    assert "--frontend needs --mean and --std" in capsys.readouterr().err
    assert not out.exists()
    assert (
        run("convert", pth, "-o", out, "--frontend", "htk-400", "--mean", "-8", "--std", "4.5", "--licence", "X") == 0
    )
    config = load_model(out).config
    assert (config.frontend.window_length, config.frontend.mel_scale, config.mean, config.licence) == (
        400,
        "htk",
        -8,
        "X",
    )


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--preset", "v2"), 1, "expected 2 convolution blocks (preset v2), got 3"),
        (("--preset", "v1", "--frontend", "htk"), 2, "--preset or --frontend, got both"),
        (("--frontend", "htk", "--mean", "-8"), 2, "both --mean and --std"),
        (("--frontend", "htk", "--mean", "-8", "--std", "0"), 2, "--std"),
    ],
)
def test_contradictions_are_refused(
    options: tuple[str, ...], code: int, said: str, pth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("convert", pth, "-o", tmp_path / "out.safetensors", *options) == code
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out.safetensors").exists()


def test_loading_a_pth_names_the_command(pth: Path) -> None:
    with pytest.raises(CheckpointError, match=r"byola-hear convert some\.pth -o some\.safetensors"):
        load_model(pth)
