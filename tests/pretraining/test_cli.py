"""The commands as a user types them, from a folder of audio to a checkpoint."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from byola_hear.models.loading import load_named
from byola_hear.models.zoo import list_models
from byola_hear.pretraining import train_command
from byola_hear.pretraining.cli import main
from byola_hear.pretraining.data.manifest import ManifestClip, write_manifest
from byola_hear.pretraining.training import curves
from byola_hear.pretraining.training.run_log import read_log
from byola_hear.utils.files import locked

SMALL = ["--batch-size", "4", "--crop-frames", "32", "--hidden-size", "16", "--projector-hidden", "16"]
QUICK = [*SMALL, "--warm-up-steps", "2", "--threads", "1", "--device", "cpu", "--precision", "float32"]


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


def test_from_a_folder_to_a_checkpoint(tones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("manifest", tones, "-o", tmp_path / "a.csv", "--kind", "tones", "--licence", "CC0-1.0") == 0
    assert run("manifest", tones, "-o", tmp_path / "b.csv", "--kind", "more") == 0
    assert run("match", tmp_path / "a.csv", tmp_path / "b.csv", "-o", tmp_path / "sets", "--names", "x", "y") == 0
    assert sorted(path.name for path in (tmp_path / "sets").iterdir()) == [
        "both.csv",
        "matching.json",
        "x.csv",
        "y.csv",
    ]
    assert run("cache", tmp_path / "sets" / "both.csv", "-o", tmp_path / "sets" / "both.cache") == 0
    options = ["--steps", "11", *QUICK, "--channels", "8"]
    assert run("train", tmp_path / "sets" / "both.csv", "-o", tmp_path / "run", *options) == 0
    assert "step 11 of 11" in capsys.readouterr().out
    assert run("plot", tmp_path / "run", "-o", tmp_path / "curves.png") == 0
    assert (tmp_path / "curves.png").stat().st_size > 10_000
    assert run("export", tmp_path / "run", "-o", tmp_path / "zoo", "--name", "mine") == 0
    assert list_models(tmp_path / "zoo") == ["mine"]
    shape = load_named("mine", tmp_path / "zoo").config.encoder
    assert (shape.hidden_size, shape.channels, shape.n_blocks) == (16, 8, 2)
    assert (tmp_path / "zoo" / "byola-mine.log.csv").read_bytes() == (tmp_path / "run" / "log.csv").read_bytes()


def test_a_killed_run_ends_like_one_that_was_not(tone_manifest: Path, tmp_path: Path) -> None:
    options = [str(tone_manifest), "--cache", str(tmp_path / "cache"), "--steps", "60", "--save-every", "0", *QUICK]
    command = [sys.executable, "-m", "byola_hear.pretraining", "train", *options, "-o", str(tmp_path / "killed")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until = time.monotonic() + 120
    while not (tmp_path / "killed" / "state.safetensors").exists() and process.poll() is None:
        assert time.monotonic() < until
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert subprocess.run(command, capture_output=True).returncode == 0
    assert run("train", *options, "-o", tmp_path / "whole") == 0
    assert [row["loss"] for row in read_log(tmp_path / "killed" / "log.csv")] == [
        row["loss"] for row in read_log(tmp_path / "whole" / "log.csv")
    ]


def test_two_processes_train_together(tone_manifest: Path, tmp_path: Path) -> None:
    # By address, on the loopback device: looking the machine's own name up fails where there is no name service.
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = ["--master-addr", "127.0.0.1", "--master-port", str(server.getsockname()[1])]
    launch = [sys.executable, "-m", "torch.distributed.run", "--nnodes", "1", "--nproc-per-node", "2", *place]
    loopback = next(name for _, name in socket.if_nameindex() if name.startswith("lo"))
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": loopback}
    options = [str(tone_manifest), "--cache", str(tmp_path / "cache"), "--steps", "20", *QUICK]
    options += ["-o", str(tmp_path / "run")]
    command = [*launch, "-m", "byola_hear.pretraining", "train", *options, "--minutes", "0"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("step 10 of 20") == 1
    assert "Warning" not in done.stderr
    # One goes on alone, and the crops that both have seen are counted.
    assert run("train", *options) == 0
    assert [row["crops"] for row in read_log(tmp_path / "run" / "log.csv")] == [10 * 4 * 2, 10 * 4 * 3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["manifest", "{tmp}/none", "-o", "{tmp}/m.csv"], "does not exist"),
        (["match", "{tmp}/a.csv", "{tmp}/b.csv", "-o", "{tmp}/sets"], "a.csv"),
        (["match", "{tones}", "{tones}", "-o", "{tmp}/sets", "--limit", "music"], "KIND=SHARE"),
        (["match", "{tones}", "{tones}", "-o", "{tmp}/sets", "--hours", "99"], "99.0000 hours"),
        (["match", "{tones}", "{tones}", "-o", "{tmp}/sets", "--limit", "musik=0.5"], "kinds tones, got musik"),
        (["match", "{tones}", "{tones}", "-o", "{folder}", "--names", "manifest", "b"], "is one of the collections"),
        (["train", "{tones}", "-o", "{tmp}/run", "--crop-frames", "95"], "multiple"),
        (["train", "{tones}", "-o", "{tmp}/run", "--device", "abacus"], "abacus"),
        (["train", "{tones}", "-o", "{tmp}/run", "--threads", "-1"], "x>=1"),
        (["train", "{tones}", "-o", "{tmp}/run", "--fader-gain", "-1"], "got -1"),
        (["train", "{tones}", "-o", "{tmp}/run", "--minutes", "-1"], "x>=0"),
        (["train", "{tones}", "-o", "{tmp}/run", "--minutes", "nan"], "expected a finite number, got nan"),
        (["train", "{tones}", "-o", "{tmp}/run", "--save-every", "nan"], "expected a finite number, got nan"),
        (["export", "{tmp}", "-o", "{tmp}/zoo"], "state.safetensors"),
        (["plot", "{tmp}", "-o", "{tmp}/x.png"], "log.csv"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    arguments: list[str], message: str, tone_manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {"tmp": tmp_path, "tones": tone_manifest, "folder": tone_manifest.parent}
    assert run(*[text.format(**places) for text in arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1


def test_a_run_that_is_under_way_is_left_alone(
    tone_manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open(tmp_path / "lock", "a") as file:
        assert locked(file)
        assert run("train", tone_manifest, "--cache", tmp_path / "cache", "-o", tmp_path, *QUICK) == 2
    assert "another process is training there" in capsys.readouterr().err


def test_training_says_which_rows_it_does_without(
    tones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_manifest(
        [ManifestClip(f"{tones}/tone11.wav", 2.4, 16000), ManifestClip("gone.wav", 1.0, 16000)], tmp_path / "m.csv"
    )
    assert run("train", tmp_path / "m.csv", "-o", tmp_path / "run", "--steps", "1", *QUICK) == 0
    error = capsys.readouterr().err
    assert "1 of 2 rows left out, the first: " in error and "gone.wav" in error


def test_too_little_memory_on_a_gpu_is_one_line(
    tone_manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has …")

    monkeypatch.setattr(train_command, "Trainer", full)
    assert run("train", tone_manifest, "--cache", tmp_path / "cache", "-o", tmp_path / "run", *QUICK) == 2
    assert capsys.readouterr().err == "error: CUDA out of memory; a smaller --batch-size needs less\n"


def test_runs_of_one_name_are_two_curves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(curves, "draw_curves", lambda logs, output: drawn.extend(logs))
    for name in ("a/run", "b/run", "b/other"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert run("plot", "a/run", "b/run", "b/other", "-o", "curves.png") == 0
    assert drawn == ["a/run", "b/run", "other"]


def test_limits_of_what_has_no_kinds_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for path in paths:
        write_manifest([ManifestClip("x.wav", 1.0, 16000)], path)
    assert run("match", *paths, "-o", tmp_path / "sets", "--limit", "music=0.5") == 2
    assert capsys.readouterr().err == "error: expected no --limit for manifests without kinds, got one of music\n"
    write_manifest([ManifestClip("x.wav", 1.0, 16000), ManifestClip("y.wav", 1.0, 16000, kind="speech")], paths[0])
    assert run("match", *paths, "-o", tmp_path / "sets", "--limit", "music=0.5") == 2
    assert "of one of the kinds speech, got music" in capsys.readouterr().err


@pytest.mark.parametrize("group", [[], ["corpora"]])
def test_without_a_command_there_is_help(group: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*group) == 0
    output = capsys.readouterr()
    assert not output.err
    assert output.out.startswith(" ".join(["Usage: python -m byola_hear.pretraining", *group]))
    # No sentence is cut off.
    assert "..." not in output.out.replace("[ARGS]...", "")
