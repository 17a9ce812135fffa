"""The proofs find what they look for, and the table says what they found."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from benchmark import CHECKOUT
from benchmark.faults import command, fuzz_target
from benchmark.faults.command import PROOFS
from benchmark.faults.command import command as prove_command
from benchmark.faults.killed import blind_to_direction, killed_until_done, write_sweeps
from benchmark.faults.proof import Found, Settings, collection
from benchmark.faults.report import report
from tests.processes import is_running

needs_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="process groups and /proc are Linux's")

#: Counts to ten, a line at a time, and continues where it was killed. Without "safe" it doubles a line then.
COUNTER = """
import pathlib, sys, time
file, safe = pathlib.Path(sys.argv[1]), sys.argv[2] == "safe"
lines = file.read_text().splitlines() if file.exists() else []
if not safe:
    lines = lines + ["again"] if lines and lines != [str(n) for n in range(10)] else lines
for number in range(len(lines), 10):
    lines.append(str(number))
    file.with_suffix(".new").write_text("\\n".join(lines))
    file.with_suffix(".new").rename(file)
    time.sleep(0.02)
"""


@pytest.fixture(autouse=True)
def temporary_files(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proofs that find something keep their folders, here among those that pytest removes."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("proofs")))


def counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> Found:
    (tmp_path / "counter_to_kill.py").write_text(COUNTER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def arguments(output: Path) -> Sequence[str]:
        return "counter_to_kill", str(output), how

    settings = Settings(tmp_path / "work", kills=4)
    return killed_until_done(settings, "counter", arguments, lambda output: output.read_text(), "counting")


@needs_linux
def test_a_command_that_survives_kills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = counting(tmp_path, monkeypatch, "safe")
    assert found.tried == 4
    assert found.faults == []
    assert found.figures["outputs"] >= 1


@needs_linux
def test_a_command_that_doubles_rows_after_a_kill_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faults: list[str] = []
    for seed in range(5):  # a kill between two starts of Python leaves nothing to double
        folder = tmp_path / str(seed)
        folder.mkdir()
        faults += counting(folder, monkeypatch, "unsafe").faults
        if faults:
            break
    assert faults and "differs from the undisturbed one" in faults[0]


def test_sweeps_rise_and_fall(tmp_path: Path) -> None:
    import numpy as np
    import soundfile

    write_sweeps(tmp_path, seed=0, count=2)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.wav")) == [
        *("falling/0.wav", "falling/1.wav", "rising/0.wav", "rising/1.wav")
    ]
    sound, rate = soundfile.read(tmp_path / "rising" / "0.wav")
    assert (len(sound), rate) == (8000, 16000) and 0.1 < np.abs(sound).max() < 1


def test_the_network_to_be_fine_tuned_does_not_tell_rising_from_falling() -> None:
    encoder = blind_to_direction().encoder.eval()
    log_mel = torch.randn(1, 1, 64, 48, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        forwards, backwards = encoder(log_mel), encoder(log_mel.flip(-1))
    torch.testing.assert_close(forwards, backwards.flip(1), rtol=1e-5, atol=1e-5)
    assert float((forwards - backwards).abs().max()) > 0.1


@needs_linux
@pytest.mark.slow
def test_fine_tuning_survives_kills(tmp_path: Path) -> None:
    found = PROOFS["kill-finetune"](Settings(tmp_path, kills=3))
    assert found.faults == []
    assert found.tried == 3 and found.figures["networks written"] == found.figures["outputs"] >= 1


#: Carries out a proof in a worker, whose command writes its number into a file and then waits for ten minutes.
PROOF_THAT_WAITS = """
import sys
from pathlib import Path
from benchmark.faults.command import workers
from benchmark.faults.proof import finished

def wait(folder):
    finished(("waits", str(folder / "pid")), folder / "log.txt")

if __name__ == "__main__":
    with workers(1) as pool:
        pool.submit(wait, Path(sys.argv[1])).result()
"""


@needs_linux
def test_commands_end_when_the_proofs_are_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script, waits, written = tmp_path / "proof_that_waits.py", tmp_path / "waits.py", tmp_path / "pid"
    script.write_text(PROOF_THAT_WAITS)
    waits.write_text(
        "import os, sys, time; from pathlib import Path\n"
        "Path(sys.argv[1] + '.new').write_text(str(os.getpid())); Path(sys.argv[1] + '.new').rename(sys.argv[1])\n"
        "time.sleep(600)\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(CHECKOUT)]))
    proofs = subprocess.Popen([sys.executable, str(script), str(tmp_path)])
    try:
        assert within_a_minute(written.exists)
        number = int(written.read_text())
    finally:
        proofs.kill()
        proofs.wait()
    assert within_a_minute(lambda: not is_running(number))


def within_a_minute(happens: Callable[[], bool]) -> bool:
    """Wait until something happens, for a minute at most; whether it did."""
    until = time.monotonic() + 60
    while not happens() and time.monotonic() < until:
        time.sleep(0.1)
    return happens()


def test_a_collection_repeats_the_real_clips(tmp_path: Path) -> None:
    folder = collection(tmp_path / "sounds", 8)
    files = sorted(folder.iterdir())
    assert len(files) == 8
    assert files[0].read_bytes() == files[6].read_bytes()
    assert collection(folder, 8) == folder


def test_the_command_keeps_other_proofs_and_reports_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROOFS, "kill-embed", lambda settings: Found("killed", tried=settings.kills))
    monkeypatch.setitem(PROOFS, "disk-full", lambda _: Found("filled", tried=2, faults=["row 3 is missing"]))
    monkeypatch.setitem(PROOFS, "outputs", lambda _: Found("none", not_tried="no root here"))
    monkeypatch.setattr(
        command, "provenance", lambda: {"commit": "abc", "time": "2026-01-01T00", "hardware": "two cores"}
    )
    monkeypatch.setattr(command, "workers", ThreadPoolExecutor)  # which see what is replaced here
    runner, folder = CliRunner(), str(tmp_path)
    assert runner.invoke(prove_command, ["kill-embed", "outputs", "--kills", "7", "-o", folder], standalone_mode=False)
    done = runner.invoke(prove_command, ["disk-full", "-o", folder], standalone_mode=False)
    assert done.return_value == 1
    assert list(json.loads((tmp_path / "prove.json").read_text())["proofs"]) == ["kill-embed", "disk-full", "outputs"]
    text = (tmp_path / "prove.md").read_text()
    assert "| `kill-embed` | 7 | 0 |" in text
    assert "- `disk-full`: row 3 is missing" in text
    assert "`outputs` was not tried: no root here." in text
    assert report(json.loads((tmp_path / "prove.json").read_text())) == text


def test_proofs_run_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both_run = threading.Barrier(2, timeout=60)

    def wait_for_the_other(settings: Settings) -> Found:
        both_run.wait()
        return Found("waited", tried=1, faults=[] if list(settings.work.iterdir()) == [] else ["the folder is shared"])

    monkeypatch.setattr(command, "workers", ThreadPoolExecutor)
    for name in ("outputs", "kill-run"):
        monkeypatch.setitem(PROOFS, name, wait_for_the_other)
    arguments = ["outputs", "kill-run", "outputs", "--jobs", "2", "-o", str(tmp_path)]
    done = CliRunner().invoke(prove_command, arguments, standalone_mode=False)
    assert done.return_value == 0
    # In the order of the table, not of their ends.
    assert list(json.loads((tmp_path / "prove.json").read_text())["proofs"]) == ["kill-run", "outputs"]


def test_a_proof_that_fails_is_a_fault_and_the_others_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Settings) -> Found:
        raise OSError("no room")

    monkeypatch.setattr(command, "workers", ThreadPoolExecutor)
    monkeypatch.setitem(PROOFS, "kill-embed", fail)
    monkeypatch.setitem(PROOFS, "disk-full", lambda _: Found("filled", tried=2))
    arguments = ["kill-embed", "disk-full", "--jobs", "1", "-o", str(tmp_path)]
    assert CliRunner().invoke(prove_command, arguments, standalone_mode=False).return_value == 1
    text = (tmp_path / "prove.md").read_text()
    assert "- `kill-embed`: OSError: no room" in text and "| `disk-full` | 2 | 0 |" in text


def test_proofs_run_in_a_process(tmp_path: Path) -> None:
    arguments = ["fuzz-csv", "fuzz-npz", "--fuzz-seconds", "1", "--jobs", "1", "-o", str(tmp_path)]
    assert CliRunner().invoke(prove_command, arguments, standalone_mode=False).return_value == 0
    assert list(json.loads((tmp_path / "prove.json").read_text())["proofs"]) == ["fuzz-npz", "fuzz-csv"]


def test_an_unknown_proof_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(prove_command, ["kill-all", "-o", str(tmp_path / "new")])
    assert done.exit_code == 2
    assert "expected proofs out of kill-embed, " in done.output
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", fuzz_target.TARGETS)
def test_every_reader_takes_its_seeds_and_refuses_their_halves(name: str, tmp_path: Path) -> None:
    target = fuzz_target.TARGETS[name]
    target.seeds(tmp_path)
    seeds = sorted(tmp_path.iterdir())
    assert seeds
    for index, seed in enumerate(seeds):
        path = tmp_path / f"{index}{target.ending}"
        os.replace(seed, path)
        target.read(path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        try:
            target.read(path)
        except fuzz_target.REFUSALS as error:
            assert str(error)
