"""A rehearsal on the CPU, a thousandth of the size, of what a GPU does in a quarter of an hour."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from byola_hear import load_model
from byola_hear.pretraining.data.build_cache import build_cache
from byola_hear.pretraining.data.collect import build_manifest
from byola_hear.pretraining.data.matching import match, write_matched
from byola_hear.pretraining.data.packing import PackSource, pack
from byola_hear.pretraining.training import several
from byola_hear.pretraining.training.run_log import read_log
from byola_hear.pretraining.training.train import Trainer
from byola_hear.utils.files import locked
from tests.pretraining.running import run

RECIPE = {
    "crop_frames": 32,
    "warm_up_steps": 2,
    "projector_hidden": 16,
    "second_view": "clip",
    "ambience_mix": 0.0,
    "encoder": {"channels": 4, "hidden_size": 16},
    "views": {"mixup_ratio": 0.3},
}


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """Three matched sets of half a minute."""
    random = np.random.default_rng(0)
    found = []
    for kind, pitch in (("speech", 200.0), ("effects", 2000.0)):
        (tmp_path / kind).mkdir()
        for i in range(10):
            samples = np.sin(np.arange(48000) * 2 * np.pi * pitch * (1 + i / 5) / 16000) + random.standard_normal(48000)
            soundfile.write(tmp_path / kind / f"{i}.wav", 0.1 * samples, 16000)
        found.append(build_manifest([tmp_path / kind], tmp_path / f"{kind}.csv", kind=kind))
    drawn = match(found[0], found[1], seed=0, wanted_hours=25 / 3600)
    write_matched(drawn, tmp_path, ("speech_set", "nonspeech_set"), {"seed": 0, "limits": {}})
    return tmp_path


def packed(folder: Path, names: tuple[str, ...]) -> list[Any]:
    """Pack sets in their folder; returns the arguments with which all of them are trained on the CPU."""
    assert run("pack", *(folder / f"{name}.csv" for name in names), "-o", folder / "packed") == 0
    (folder / "recipe.json").write_text(json.dumps(RECIPE))
    options = [folder / "packed", "-o", folder / "out", "--recipe", folder / "recipe.json", "--batch-size", 4]
    return [*options, "--device", "cpu", "--precision", "float32"]


@pytest.mark.parametrize("backend", ["none", pytest.param("aot_eager", marks=pytest.mark.slow)])
def test_rehearsal(backend: str, sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("speech_set", "nonspeech_set", "both")
    assert run("pack", *(sets / f"{name}.csv" for name in names), "-o", tmp_path / "packed", "--piece", 1) == 0
    (tmp_path / "recipe.json").write_text(json.dumps(RECIPE))
    options = (
        "--minutes",
        9,
        "--most-steps",
        12,
        "--batch-size",
        4,
        "--device",
        "cpu",
        "--measured-steps",
        3,
        "--compile",
        backend,
    )
    torch.set_num_threads(1)
    code = run(
        "train-packed", tmp_path / "packed", "-o", tmp_path / "out", "--recipe", tmp_path / "recipe.json", *options
    )
    said = capsys.readouterr()
    assert code == 0, said.err
    assert "3 sets, 0.01 hours on cpu" in said.out
    assert "steps for each of 3 networks" in said.out
    steps = set()
    for name in names:
        model = load_model(tmp_path / "out" / f"byola-{name}.safetensors")
        training = model.config.training
        assert training["recipe"]["second_view"] == "clip"
        assert training["hours"] == pytest.approx(25 / 3600, abs=1e-3)
        assert training["crops"] == 4 * training["step"] == 48
        steps.add(training["recipe"]["steps"])
        assert read_log(tmp_path / "out" / "runs" / name / "log.csv")
    assert len(steps) == 1


def test_runs_that_time_stopped_are_resumed(
    sets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [*packed(sets, ("speech_set", "both")), "--compile", "none"]
    # Far more steps are planned than there is time for.
    monkeypatch.setattr(several, "measured_seconds", lambda *arguments: 1e-9)
    monkeypatch.setattr(several, "PLANNED", 1e9)
    assert run("train-packed", *options, "--minutes", 1e-6, "--most-steps", 12) == 1
    error = capsys.readouterr().err
    assert error == "error: time was over before speech_set, both had all steps; the same command resumes\n"
    assert load_model(tmp_path / "out" / "byola-both.safetensors").config.training["step"] == 10
    assert run("train-packed", *options, "--minutes", 9) == 0
    assert "its runs are continued: 12 steps for each of 2 networks" in capsys.readouterr().out
    assert load_model(tmp_path / "out" / "byola-both.safetensors").config.training["step"] == 12
    assert run("train-packed", *options, "--minutes", 9, "--most-steps", 11) == 2
    assert "holds runs of 12 steps, more than 11; choose another folder" in capsys.readouterr().err


def test_a_run_that_was_killed_is_resumed(
    sets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [*packed(sets, ("both",)), "--compile", "none", "--most-steps", 20]
    monkeypatch.setattr(several, "measured_seconds", lambda *arguments: 1e-3)
    monkeypatch.setattr(several, "SAVE_EVERY", 0.0)
    step = Trainer.train_step

    def dying(trainer: Trainer, *arguments: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if trainer.step == 15:
            raise KeyboardInterrupt
        return step(trainer, *arguments)

    with monkeypatch.context() as first:
        first.setattr(Trainer, "train_step", dying)
        assert run("train-packed", *options) == 130
    assert run("train-packed", *options) == 0
    assert "its runs are continued: 20 steps for each of 1 networks" in capsys.readouterr().out
    assert [row["step"] for row in read_log(tmp_path / "out" / "runs" / "both" / "log.csv")] == [10, 20]


def test_networks_are_written_before_the_next_one_begins(
    sets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = [*packed(sets, ("speech_set", "both")), "--compile", "none", "--most-steps", 12]
    monkeypatch.setattr(several, "measured_seconds", lambda *arguments: 1e-3)
    train = Trainer.train

    def dying(trainer: Trainer, *arguments: Any) -> bool:
        if trainer.folder.name == "both":
            raise KeyboardInterrupt
        return train(trainer, *arguments)

    monkeypatch.setattr(Trainer, "train", dying)
    assert run("train-packed", *options) == 130
    # A machine that is lent for a time may be gone when the command ends.
    assert load_model(tmp_path / "out" / "byola-speech_set.safetensors").config.training["step"] == 12
    assert not (tmp_path / "out" / "byola-both.safetensors").exists()


def test_networks_are_trained_where_none_can_be_compiled(
    sets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [*packed(sets, ("both",)), "--most-steps", 10, "--measured-steps", 1]

    def without_compiler(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> None:
        raise OSError("no C compiler")

    compiling = torch.compile
    monkeypatch.setattr(torch, "compile", lambda network, backend: compiling(network, backend=without_compiler))
    assert run("train-packed", *options) == 0
    said = capsys.readouterr().out
    assert "the networks are not compiled, as torch.compile does not work here: " in said
    assert "no C compiler" in said and "TORCHDYNAMO" not in said
    assert load_model(tmp_path / "out" / "byola-both.safetensors").config.training["step"] == 10


def test_recipe_that_suits_not_all_sets_is_refused_before_training(
    sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("pack", *(sets / f"{name}.csv" for name in ("nonspeech_set", "speech_set")), "-o", tmp_path / "p") == 0
    (tmp_path / "recipe.json").write_text(json.dumps({**RECIPE, "kind_weights": {"effects": 2.0}}))
    options = ("--recipe", tmp_path / "recipe.json", "--device", "cpu", "--compile", "none", "--most-steps", 2)
    assert run("train-packed", tmp_path / "p", "-o", tmp_path / "out", "--batch-size", 4, *options) == 2
    assert "error: speech_set: expected weights of kinds of the set" in capsys.readouterr().err
    assert not (tmp_path / "out" / "runs" / "nonspeech_set").exists()


def test_running_training_is_not_started_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "runs").mkdir()
    with open(tmp_path / "runs" / "lock", "a") as file:
        assert locked(file)
        assert run("train-packed", tmp_path, "-o", tmp_path, "--device", "cpu") == 2
    assert "runs: another process is training in this folder" in capsys.readouterr().err


def test_several_processes_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert run("train-packed", tmp_path, "-o", tmp_path / "out", "--device", "cpu") == 2
    assert "train-packed trains on one device; start it without torchrun" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "content",
    [
        *("[1]", '{"stepz": 1}', '{"batch_size": 1}', '{"views": 3}', "nothing", '{"batch_size": 4.5}'),
        *('{"seed": true}', '{"kind_weights": [1]}', '{"views": {"memory_size": 1.5}}', '{"learning_rate": "fast"}'),
    ],
)
def test_wrong_recipe_is_refused(content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "recipe.json").write_text(content)
    assert run("train-packed", tmp_path, "-o", tmp_path / "out", "--recipe", tmp_path / "recipe.json") == 2
    assert "expected a JSON object with values of a recipe" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_names_that_no_network_may_have_are_refused_before_the_work(
    sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = (sets / "both.csv").rename(sets / "my set.csv")
    assert run("pack", both, "-o", tmp_path / "packed") == 2
    assert "my set.csv: its network gets this name: expected a model name of" in capsys.readouterr().err
    assert not both.with_suffix(".cache").exists()
    # Packed before names were checked.
    source = PackSource("my set", both, tmp_path / "cache", build_cache(both, tmp_path / "cache"))
    pack([source], tmp_path / "packed", 1 << 20)
    assert run("train-packed", tmp_path / "packed", "-o", tmp_path / "out", "--device", "cpu", "--compile", "none") == 2
    assert "expected a model name of letters, digits, '-' and '_', got 'my set'" in capsys.readouterr().err
    assert not (tmp_path / "out" / "runs" / "my set").exists()


def test_packing_says_what_could_not_be_read(sets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (sets / "speech" / "0.wav").write_bytes(b"damaged")
    assert run("pack", sets / "speech.csv", "-o", tmp_path / "packed") == 0
    error = capsys.readouterr().err
    assert "1 of 10 rows left out; the first: " in error and "0.wav" in error
