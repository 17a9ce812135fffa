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

from byola_hear.pretraining.cli import main
from byola_hear.pretraining.run_log import read_log
from byola_hear.zoo import list_models, load_named

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
    options = [str(tone_manifest), "--cache", str(tmp_path / "cache"), "--steps", "10", *QUICK]
    command = [*launch, "-m", "byola_hear.pretraining", "train", *options, "-o", str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert read_log(tmp_path / "run" / "log.csv")[-1]["crops"] == 10 * 4 * 2
    assert done.stdout.count("step 10 of 10") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["manifest", "{tmp}/none", "-o", "{tmp}/m.csv"], "does not exist"),
        (["match", "{tmp}/a.csv", "{tmp}/b.csv", "-o", "{tmp}/sets"], "a.csv"),
        (["match", "{tones}", "{tones}", "-o", "{tmp}/sets", "--limit", "music"], "KIND=SHARE"),
        (["match", "{tones}", "{tones}", "-o", "{tmp}/sets", "--hours", "99"], "99.0000 hours"),
        (["train", "{tones}", "-o", "{tmp}/run", "--crop-frames", "95"], "multiple"),
        (["train", "{tones}", "-o", "{tmp}/run", "--device", "abacus"], "abacus"),
        (["export", "{tmp}", "-o", "{tmp}/zoo"], "state.safetensors"),
        (["plot", "{tmp}", "-o", "{tmp}/x.png"], "log.csv"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    arguments: list[str], message: str, tone_manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*[text.format(tmp=tmp_path, tones=tone_manifest) for text in arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1
