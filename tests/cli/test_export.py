"""byola-hear export: a model as an ONNX file."""

from __future__ import annotations

from pathlib import Path

import pytest

from byola_hear.cli.main import main
from byola_hear.models.zoo import add_to_zoo, list_models, zoo_folder
from byola_hear.onnx import TOLERANCE
from tests.onnx.models import V2, model_of

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    add_to_zoo(model_of(*V2), tmp_path)
    return tmp_path


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


def test_command(zoo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "out.onnx"
    checkpoint = zoo / "byola-test.safetensors"
    assert run("export", checkpoint, "-o", output, "--kind", "timestamp") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "test 1.0, timestamp embeddings of 80 dimensions, audio at 16000 Hz" in lines[0]
    assert float(lines[1].split("PyTorch: ")[1].split()[0]) < TOLERANCE
    before = output.read_bytes()
    assert run("export", checkpoint, "-o", output) == 2
    assert output.read_bytes() == before
    assert run("export", checkpoint, "-o", output, "--overwrite") == 0
    assert output.read_bytes() != before


@pytest.mark.parametrize(
    ("model", "output", "message"),
    [
        ("byola-test.safetensors", "model.tflite", "ends in .onnx"),
        ("byola-test.safetensors", "nowhere/model.onnx", "does not exist"),
        ("missing.safetensors", "model.onnx", "no such checkpoint"),
    ],
)
def test_wrong_usage_is_one_line(
    zoo: Path, capsys: pytest.CaptureFixture[str], model: str, output: str, message: str
) -> None:
    assert run("export", zoo / model, "-o", zoo / output) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("error: ") and message in shown and shown.count("\n") == 1
    assert not (zoo / "model.onnx").exists()


def test_a_classifier_with_its_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("sklearn")
    if not list_models():
        pytest.skip("no networks in weights/")
    from tests.classification.sounds import write_clips

    monkeypatch.chdir(tmp_path)
    write_clips(tmp_path / "clips")
    assert run("learn", "clips", "-o", "calls.safetensors", "--model", "speech", "-q") == 0
    assert run("export", "--classifier", "calls.safetensors", "-o", "calls.onnx") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert (
        first.startswith("calls.onnx: speech ")
        and "and calls.safetensors, 2 classes, windows of 0.5 s every 0.25 s, audio at 16000 Hz" in first
    )
    assert float(second.rpartition(" ")[2]) < 1e-3
    for arguments, message in (
        (["--classifier", "calls.safetensors", "--kind", "timestamp"], "--kind and --dimensions do not apply"),
        (["--classifier", "calls.safetensors", "--dimensions", "3"], "--kind and --dimensions do not apply"),
        (["--classifier", zoo_folder() / "byola-speech.safetensors"], "not a classifier"),
        (["--classifier", "nothing.safetensors"], "nothing.safetensors"),
    ):
        assert run("export", *arguments, "-o", "other.onnx") == 2
        assert message in capsys.readouterr().err
    assert not (tmp_path / "other.onnx").exists()
