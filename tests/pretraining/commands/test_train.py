from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import torch

from byola_hear.pretraining.commands import train
from byola_hear.pretraining.data import build_cache
from byola_hear.pretraining.data.manifest import ManifestClip, write_manifest
from byola_hear.pretraining.training import distributed
from byola_hear.pretraining.training.run_log import read_log
from byola_hear.utils.files import locked
from tests import forked
from tests.pretraining.running import QUICK, QUICK_MASKED, run


@pytest.mark.skipif(os.name != "posix", reason="processes are forked")
def test_killed_run_ends_like_an_uninterrupted_one(
    tone_manifest: Path, tone_cache_folder: Path, tmp_path: Path
) -> None:
    options = [str(tone_manifest), "--cache", str(tone_cache_folder), "--steps", "30", "--save-every", "0", *QUICK]

    def dying() -> None:
        forked.kill_at(2, "state.safetensors")
        run("train", *options, "-o", tmp_path / "killed")

    assert forked.wait(forked.start(dying)) == -signal.SIGKILL
    for name in ("killed", "whole"):
        assert run("train", *options, "-o", tmp_path / name) == 0
    assert [row["loss"] for row in read_log(tmp_path / "killed" / "log.csv")] == [
        row["loss"] for row in read_log(tmp_path / "whole" / "log.csv")
    ]


@pytest.mark.parametrize("method", ["byol", pytest.param("masked", marks=pytest.mark.slow)])
def test_two_processes_train_together(
    method: str,
    tone_manifest: Path,
    tone_cache_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = [str(tone_manifest), "--cache", str(tone_cache_folder), "--steps", "20"]
    options += ["-o", str(tmp_path / "run"), *(QUICK if method == "byol" else QUICK_MASKED)]
    # What torchrun sets. The loopback device needs no name service.
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
    loopback = next(name for _, name in socket.if_nameindex() if name.startswith("lo"))
    place = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "GLOO_SOCKET_IFNAME": loopback}
    command = [sys.executable, "-m", "byola_hear.pretraining", "train", *options, "--minutes", "0"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **place, "RANK": "1", "LOCAL_RANK": "1"}
    second = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    monkeypatch.setattr(distributed, "LONGEST_WAIT", timedelta(minutes=2))
    with monkeypatch.context() as first:
        for name, value in {**place, "RANK": "0", "LOCAL_RANK": "0"}.items():
            first.setenv(name, value)
        code = run("train", *options, "--minutes", "0")
    output, error = second.communicate()
    assert (code, second.returncode) == (0, 0), error
    assert capsys.readouterr().out.count("step 10 of 20") == 1
    assert not output
    assert "Warning" not in error
    # One process continues alone. The crops of both are counted.
    assert run("train", *options) == 0
    assert [row["crops"] for row in read_log(tmp_path / "run" / "log.csv")] == [10 * 4 * 2, 10 * 4 * 3]


def test_running_run_is_not_started_twice(
    tone_manifest: Path, tone_cache_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open(tmp_path / "lock", "a") as file:
        assert locked(file)
        assert run("train", tone_manifest, "--cache", tone_cache_folder, "-o", tmp_path, *QUICK) == 2
    assert "another process is training in this folder" in capsys.readouterr().err


def test_training_reports_rows_left_out(
    tones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_cache, "crop_statistics", lambda *arguments: (0.0, 1.0))
    write_manifest(
        [ManifestClip(f"{tones}/tone11.wav", 2.4, 16000), ManifestClip("gone.wav", 1.0, 16000)], tmp_path / "m.csv"
    )
    assert run("train", tmp_path / "m.csv", "-o", tmp_path / "run", "--steps", "1", *QUICK) == 0
    error = capsys.readouterr().err
    assert "1 of 2 rows left out; the first: " in error and "gone.wav" in error
    assert "; delete this folder to try them again" in error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has …"),
            "CUDA out of memory; a smaller --batch-size needs less memory",
        ),
        (
            RuntimeError(
                "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried "
                "to allocate 49152000000 bytes. Error code 12 (Cannot allocate memory)"
            ),
            "can't allocate memory: you tried to allocate 49152000000 bytes; a smaller --batch-size, or shorter "
            "recordings, need less memory",
        ),
        (
            MemoryError("Unable to allocate 9.00 GiB for an array"),
            "Unable to allocate 9.00 GiB for an array; a smaller --batch-size, or shorter recordings, need less memory",
        ),
    ],
)
def test_full_memory_is_one_line(
    error: Exception,
    said: str,
    tone_manifest: Path,
    tone_cache_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(train, "Trainer", full)
    assert run("train", tone_manifest, "--cache", tone_cache_folder, "-o", tmp_path / "run", *QUICK) == 2
    assert capsys.readouterr().err == f"error: {said}\n"
