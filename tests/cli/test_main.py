"""The command line as a whole: help, exit codes, one line for each error, names in any encoding."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import byola_hear
from byola_hear.extraction import extract
from tests.cli.result import Run

DATA = Path(__file__).parents[1] / "data"
CLIPS = sorted(str(path) for path in DATA.iterdir() if path.suffix != ".md")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["embed"], "expected something to embed"),
        (["embed", "x.wav", "--model", "spech"], "no model is called 'spech'; known names: both, speech"),
        (["embed", "x.wav", "--model", "no.safetensors"], "no such checkpoint: no.safetensors"),
        (["embed", "x.wav", "--kind", "event"], "'event' is not one of 'scene', 'timestamp'"),
        (["embed", "x.wav", "--device", "toaster"], "device 'toaster' can't be used"),
        (["embed", "x.wav", "-o", "t.xlsx"], ".parquet"),
        (["embed", "x.wav", "-o", "nowhere/t.csv"], "nowhere"),
        (["embed", "x.wav", "-o", "t.csv", "--update", "--overwrite"], "either --overwrite or --update"),
        (["embed", "x.wav", "--update"], "--update needs an output"),
        (["embed", "x.wav", "--hop", "1"], "needs a window"),
        (["embed", "x.wav", "--window", "-1"], "window must be a positive number of seconds, got -1.0"),
        (["embed", "x.wav", "--window", "1e-9"], "window must be at least one sample, 6.25e-05 s, got 1e-09"),
        (["embed", "x.wav", "--kind", "timestamp", "--hop", "1e-9"], "hop must be at least one sample"),
        (["embed", "x.wav", "--threads", "1025"], "1025 is not in the range 1<=x<=1024"),
        (["bench", "--threads", "1025"], "1025 is not in the range 1<=x<=1024"),
        (["embed", "x.wav", "-o", str(DATA)], "expected a new or an empty folder"),
        (["embed", "x.wav", "-o", "t.csv", "--update"], "t.csv would not contain the settings"),
        (["embed", "x.wav", "--batch", "0"], "0.0 is not in the range x>0"),
        (["embed", "x.wav", "--batch", "inf"], "expected a finite number, got inf"),
        (["embed", "x.wav", "--save-every", "nan"], "expected a finite number, got nan"),
        (["bench", "--seconds", "nan"], "expected a finite number, got nan"),
        (["embed", "x.wav", "--ray", "local", "--threads", "2"], "--threads does not apply to --ray"),
        (["embed", "x.wav", "--ray", "local", "--device", "cpu"], "--device does not apply to --ray"),
        (["embed", "x.wav", "-o", f"{'x' * 300}.csv"], "File name too long"),
        (["embed", "x.wav", "--shard", "3/3"], "3/3"),
        (["embed", "--list", "nowhere.txt"], "nowhere.txt"),
        (["embed", "--segments", "nowhere.csv"], "nowhere.csv"),
        (["embed", "x.wav", "--colour"], "No such option"),
        (["verify", "nowhere.safetensors", "--x"], "No such option"),
        (["frobnicate"], "No such command 'frobnicate'; known commands: embed, "),
        (["embde", "x.wav"], "No such command 'embde'; did you mean embed? known commands"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.code == 2
    assert result.err.startswith("error: ") and message in result.err
    assert result.err.count("\n") == 1 and result.out == ""
    assert not list(tmp_path.iterdir())


def test_streams_that_are_closed(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    for arguments in (["-"], ["--list", "-"]):
        result = run("embed", *arguments)
        assert (result.code, result.err) == (2, "error: expected paths on standard input, but it is closed\n")
    monkeypatch.setattr("sys.stderr", None)
    assert run("embed", CLIPS[0], "-o", tmp_path / "t.csv").code == 0
    assert run("embed", CLIPS[0], tmp_path / "missing.wav").code == 1


def test_a_name_that_is_not_text_on_stderr(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.TextIOWrapper(io.BytesIO(), "latin-1", errors="backslashreplace")
    monkeypatch.setattr("sys.stderr", shown)
    assert run("embed", os.fsdecode(os.fsencode(tmp_path) + b"/\xff \xe2\x80\xa6.wav")).code == 1
    shown.flush()
    assert b"/\xff \\u2026.wav: no such file" in shown.buffer.getvalue()


#: Encoding and handler of errors of stdout, a file's name, and what is printed of it.
CP1252 = ("cp1252", "strict", "日本é".encode(), b"\\u65e5\\u672c\xe9")


@pytest.mark.parametrize(
    ("command", "encoding", "errors", "name", "printed"),
    [
        # On Windows, redirected output is in cp1252.
        *((command, *CP1252) for command in ("info", "embed", "embed -o", "verify", "map", "export")),
        ("info", "latin-1", "strict", "日é".encode(), b"\\u65e5\xe9"),
        ("info", "utf-8", "strict", b"\xff", b"\xff"),
        ("embed", "utf-8", "surrogateescape", b"\xff", b"\xff"),
        ("export", "utf-8", "strict", b"\xff", b"\xff"),
        # click writes UTF-8 instead of ASCII.
        ("info", "ascii", "surrogateescape", "日".encode(), "日".encode()),
    ],
)
def test_every_command_prints_every_name(
    run: Run, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, encoding: str, errors: str,
    name: bytes, printed: bytes,
) -> None:  # fmt: skip
    if command == "export":
        pytest.importorskip("onnx")
    ending = {"verify": ".safetensors", "map": ".html", "export": ".onnx", "embed -o": ".npz"}.get(command, ".wav")
    path = os.fsencode(tmp_path) + b"/" + name + os.fsencode(ending)
    if command in ("verify", "info", "embed"):
        source = models / "byola-both.safetensors" if command == "verify" else DATA / "drum_stereo_44k.flac"
        shutil.copy(os.fsencode(source), path)
    arguments = [*command.split()[:1], *(["-o"] if command in ("embed -o", "map", "export") else []), os.fsdecode(path)]
    if command == "embed -o":
        arguments.append(CLIPS[0])
    elif command == "map":
        run("embed", *CLIPS, "-o", tmp_path / "t.parquet")
        arguments.append(str(tmp_path / "t.parquet"))
    shown = io.TextIOWrapper(io.BytesIO(), encoding, errors=errors)
    monkeypatch.setattr("sys.stdout", shown)
    assert run(*arguments) == (0, "", "")
    shown.flush()
    assert printed in shown.buffer.getvalue()


def test_an_error_of_the_system_is_one_line(run: Run, tmp_path: Path) -> None:
    result = run("export", "-o", tmp_path / f"{'x' * 300}.onnx")
    assert result.code == 1 and "File name too long" in result.err and result.err.count("\n") == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is full")
def test_a_full_disk_behind_stdout(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w") as full:
        monkeypatch.setattr("sys.stdout", full)
        assert run("models") == (1, "", "error: [Errno 28] No space left on device\n")


def test_help_and_version(run: Run) -> None:
    assert run("--version").out.split()[-1] == byola_hear.__version__
    for arguments in ([], ["--help"], ["-h"]):
        result = run(*arguments)
        assert result.code == 0 and {"embed", "models"} <= set(result.out.split())
    assert "Exit codes" in run("embed", "--help").out
    assert run("embed", "-h") == run("embed", "--help")


def test_as_a_module() -> None:
    process = subprocess.run(
        [sys.executable, "-m", "byola_hear", "embde"],
        capture_output=True,
        text=True,
        cwd=DATA.parents[1],
        check=False,
    )
    assert process.returncode == 2 and process.stderr.startswith("error: No such command 'embde'; did you mean embed?")


def test_to_embed_takes_no_pandas(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from byola_hear.cli.main import commands\n"
        "for output in ('t.csv', 't.parquet'):\n"
        "    commands.main([*sys.argv[1:], '-o', output], standalone_mode=False)\n"
        "print('pyarrow' in sys.modules, 'pandas' in sys.modules)"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(DATA.parents[1]), os.environ.get("PYTHONPATH", "")]),
    }
    command = [sys.executable, "-c", code, "embed", CLIPS[0], "-q"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.split() == ["True", "False"], "pandas takes a third of a second to import"
    assert {path.name for path in tmp_path.iterdir()} == {"t.csv", "t.parquet"}


def test_a_library_that_ends_the_process_says_why(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("import os; os.write(2, b'OMP: Error #15'); os._exit(134)")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(DATA.parents[1])])}
    command = [sys.executable, "-m", "byola_hear", "models"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (134, "OMP: Error #15")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has …"), "CUDA out of memory"),
        (
            RuntimeError("[…] DefaultCPUAllocator: can't allocate memory: you tried … 9. Error code 12"),
            "can't allocate .* 9",
        ),
        (MemoryError("Unable to allocate 9.00 GiB for an array"), "Unable to allocate 9.00 GiB for an array"),
        (MemoryError(), "MemoryError"),
    ],
)
def test_full_memory_is_one_line(
    error: Exception, said: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise error

    monkeypatch.setattr(extract, "_embedded", full)
    done = run("embed", CLIPS[0], "-o", tmp_path / "t.csv")
    assert done.code == 1
    assert re.fullmatch(rf"error: memory ran out \({said}\)\n", done.err)
    monkeypatch.undo()
    assert run("embed", CLIPS[0], "-o", tmp_path / "t.csv").code == 0


def test_help_and_an_interruption_need_no_torch(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise KeyboardInterrupt")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(DATA.parents[1])])}
        command = [sys.executable, "-m", "byola_hear", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    shown = run("--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "embed" in shown.stdout
    stopped = run("models")
    assert (stopped.returncode, stopped.stdout, stopped.stderr.strip()) == (130, "", "error: interrupted")
