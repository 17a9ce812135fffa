from __future__ import annotations

from pathlib import Path

import pytest

import byola_hear
from byola_hear.pretraining.training.run_log import read_log
from tests.pretraining.running import run

QUICK = [
    *("--batch-size", "8", "--crop-frames", "32", "--channels", "4", "--hidden-size", "16", "--warm-up-steps", "2"),
    *("--threads", "1", "--device", "cpu", "--precision", "float32"),
]
STUB = "tests.pretraining.distillation.stub"


def test_a_student_learns_from_two_teachers_and_becomes_a_network(
    tone_manifest: Path, tone_cache_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [tone_manifest, "--cache", tone_cache_folder, "--vectors", tmp_path / "vectors", "--steps", "60", *QUICK]
    options += ["--learning-rate", "0.01", "--teacher", STUB, "--teacher", "byola_hear=both@tones"]
    assert run("distil", *options, "-o", tmp_path / "stopped", "--minutes", "0") == 0
    assert "stopped; the same command resumes" in capsys.readouterr().out
    for name in ("stopped", "whole"):
        assert run("distil", *options, "-o", tmp_path / name) == 0
    stopped, whole = (read_log(tmp_path / name / "log.csv") for name in ("stopped", "whole"))
    assert [row["loss"] for row in stopped] == [row["loss"] for row in whole]
    assert whole[-1]["loss"] < 0.7 * whole[0]["loss"]
    assert run("export", tmp_path / "whole", "-o", tmp_path, "--name", "small") == 0
    model = byola_hear.load_model(tmp_path / "byola-small.safetensors")
    assert model.scene_embedding_size == 4 * 16 + 16
    recipe = model.config.training["recipe"]
    assert recipe["method"] == "distil" and {"projector_hidden", "masking"}.isdisjoint(recipe)
    assert {name: facts["size"] for name, facts in recipe["teachers"].items()} == {"stub": 2, "both@tones": 3072}
    assert run("distil", *options[:-2], "-o", tmp_path / "whole") == 2
    assert "holds a run with another recipe" in capsys.readouterr().err
    # The student's last layer has the teachers in their order.
    assert run("distil", *options[:-4], *options[-2:], "--teacher", STUB, "-o", tmp_path / "whole") == 2
    assert "teachers stub, both@tones, got both@tones, stub" in capsys.readouterr().err


def test_training_begins_with_a_network(tone_manifest: Path, tone_cache_folder: Path, tmp_path: Path) -> None:
    options = [tone_manifest, "--cache", tone_cache_folder, "--vectors", tmp_path / "vectors", "--teacher", STUB]
    options += ["--steps", "12", "--batch-size", "2", "--crop-frames", "32", "--warm-up-steps", "10", "--threads", "1"]
    assert run("distil", *options, "--from", "speech", "-o", tmp_path / "run", "--minutes", "0") == 0
    assert run("export", tmp_path / "run", "-o", tmp_path, "--name", "taught") == 0
    begun, taught = byola_hear.load_model("speech"), byola_hear.load_model(tmp_path / "byola-taught.safetensors")
    assert (taught.config.mean, taught.config.std) == (begun.config.mean, begun.config.std)
    # Ten steps of warm-up: the encoder's weights stay as they are.
    weights = begun.encoder.state_dict()
    assert all(weights[name].half().equal(values.half()) for name, values in taught.encoder.named_parameters())


def test_a_transformer_learns_too(tone_manifest: Path, tone_cache_folder: Path, tmp_path: Path) -> None:
    options = [tone_manifest, "--cache", tone_cache_folder, "--vectors", tmp_path / "vectors", "--teacher", STUB]
    options += ["--encoder", "transformer", "--width", "16", "--layers", "1", "--steps", "20", "--batch-size", "4"]
    assert run("distil", *options, "--crop-frames", "64", "--threads", "1", "-o", tmp_path / "run") == 0
    assert run("export", tmp_path / "run", "-o", tmp_path, "--name", "taught") == 0
    assert byola_hear.load_model(tmp_path / "byola-taught.safetensors").config.encoder.kind == "transformer"
    assert run("distil", *options, "--channels", "4", "-o", tmp_path / "other") == 2


@pytest.mark.parametrize(
    ("teachers", "message"),
    [
        ([STUB, STUB], "expected each --teacher once"),
        ([f"{STUB}=a/x.pt", f"{STUB}=b/x.pt"], "expected teachers with names of their own, got x, x"),
        (["no_such_module"], "could not import 'no_such_module'"),
        ([f"{STUB}@tones+speech"], "kinds of the set (tones) for the teacher stub@tones+speech, got speech"),
    ],
)
def test_wrong_teachers_are_one_line(
    teachers: list[str],
    message: str,
    tone_manifest: Path,
    tone_cache_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = [part for teacher in teachers for part in ("--teacher", teacher)]
    options = [tone_manifest, "--cache", tone_cache_folder, "--vectors", tmp_path / "vectors", "-o", tmp_path / "run"]
    assert run("distil", *options, *QUICK, "--steps", "2", *given) == 2
    error = capsys.readouterr().err.strip()
    assert message in error and "\n" not in error
    assert not (tmp_path / "run").exists()
