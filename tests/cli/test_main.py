"""The command line as a user meets it: tables, exit codes, one line an error."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import soundfile
import torch

import byola_hear
from byola_hear.audio.reading import read_audio
from byola_hear.cli.main import main
from byola_hear.models import zoo
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.loading import load_checkpoint
from byola_hear.models.model import ByolaModel
from byola_hear.models.zoo import add_to_zoo
from byola_hear.tables import read_table

DATA = Path(__file__).parents[1] / "data"
CLIPS = sorted(str(path) for path in DATA.iterdir() if path.suffix != ".md")


class Result(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A zoo of two small models."""
    folder = tmp_path_factory.mktemp("zoo")
    encoder = EncoderConfig(n_mels=16, channels=4, hidden_size=10)
    for seed, name in enumerate(("both", "speech")):
        torch.manual_seed(seed)
        config = ModelConfig(name, "1.5", FrontendConfig(n_mels=16), encoder, -7.0, 4.0, training={"hours": 12.25})
        add_to_zoo(ByolaModel(config), folder)
    return folder


@pytest.fixture
def run(models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Runs the command line in this process, with the small models as its zoo."""
    monkeypatch.setattr(zoo, "zoo_folder", lambda: models)

    def run(*arguments: object) -> Result:
        with pytest.raises(SystemExit) as exit_:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return Result(int(exit_.value.code or 0), out, err)

    return run


def rows_of(path: Path) -> list[list[str]]:
    with open(path, newline="") as stream:
        return list(csv.reader(stream))


def expected_scene(models: Path, file: str, name: str = "both") -> np.ndarray:
    model = load_checkpoint(models / f"byola-{name}.safetensors")
    return model.scene_embeddings([torch.from_numpy(read_audio(file, 16000))])[0].numpy()


def test_a_table_for_the_eye(run: Callable[..., Result], models: Path) -> None:
    result = run("embed", DATA)
    assert (result.code, result.err) == (0, "")
    header, *lines, last = result.out.splitlines()
    assert header.split() == ["file", "start", "s", "end", "s", "rows", "e0", "e1", "e2", "e3", "norm"]
    assert len({len(line) for line in (header, *lines)}) == 1
    assert [line.split()[0] for line in lines] == CLIPS
    for file, line in zip(CLIPS, lines, strict=True):
        embedding = expected_scene(models, file)
        _, start, end, n_rows, *numbers = line.split()
        assert (start, n_rows) == ("0.00", "1")
        assert float(end) == pytest.approx(len(read_audio(file, 16000)) / 16000, abs=0.006)
        assert [float(n) for n in numbers] == pytest.approx([*embedding[:4], np.linalg.norm(embedding)], abs=6e-4)
    assert "both 1.5" in last


def test_csv_of_clips(run: Callable[..., Result], models: Path, tmp_path: Path) -> None:
    result = run("embed", DATA, "-o", tmp_path / "t.csv", "--model", "speech")
    assert (result.code, result.err) == (0, "")
    assert re.fullmatch(
        rf"{tmp_path}/t.csv: 6 clips, 0:00:11, 6 rows of 26 numbers, model speech 1.5; "
        r"0:00:11 of audio now, at \d+ × real time\n",
        result.out,
    )
    header, *rows = rows_of(tmp_path / "t.csv")
    assert header == ["file", "start", "end", *(f"e{index}" for index in range(26))]
    assert [row[0] for row in rows] == CLIPS
    for row in rows:
        assert [float(row[1]), float(row[2])] == [0, len(read_audio(row[0], 16000)) / 16000]
        actual = np.array(row[3:], dtype=np.float32)
        np.testing.assert_allclose(actual, expected_scene(models, row[0], "speech"), atol=1e-5)


@pytest.mark.parametrize("name", ["t.parquet", "t.csv", "t.npz", "t.h5", "t.zarr", "folder/"])
def test_every_format_holds_the_same(run: Callable[..., Result], models: Path, tmp_path: Path, name: str) -> None:
    output = f"{tmp_path}/{name}"
    assert run("embed", *CLIPS, "-o", output, "--kind", "timestamp").code == 0
    table = read_table(output)
    model = load_checkpoint(models / "byola-both.safetensors")
    for file in CLIPS:
        (expected,), (milliseconds,) = model.timestamp_embeddings([torch.from_numpy(read_audio(file, 16000))])
        rows = table.loc[file]
        np.testing.assert_allclose(rows, expected.numpy(), atol=1e-5)
        np.testing.assert_allclose(rows.index.get_level_values("time") * 1000, milliseconds.numpy(), rtol=1e-6)


def test_bad_files_do_not_stop_the_others(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no audio")
    soundfile.write(tmp_path / "nan.wav", np.full(9, np.nan, np.float32), 16000, subtype="FLOAT")
    soundfile.write(tmp_path / "integers.wav", np.full(9, 3e4, np.float32), 16000, subtype="FLOAT")
    bad = [tmp_path / name for name in ("text.wav", "nan.wav", "integers.wav", "missing.wav")]
    result = run("embed", *bad, *CLIPS[:2], "-o", tmp_path / "t.csv")
    assert result.code == 1
    assert [row[0] for row in rows_of(tmp_path / "t.csv")[1:]] == CLIPS[:2]
    *lines, last = result.err.splitlines()
    assert len(lines) == 4 and all(line.startswith("error: ") for line in lines)
    assert last == f"4 could not be embedded, see {tmp_path}/t.errors.csv"
    header, *rows = rows_of(tmp_path / "t.errors.csv")
    assert header == ["file", "start", "end", "error"]
    reasons = {row[0]: row[3] for row in rows}
    for path in bad:
        assert sum(str(path) in line for line in lines) == 1
        assert f"error: {path}: {reasons[str(path)]}" in lines
    assert "where [-1, 1] is full scale" in reasons[str(bad[2])]
    result = run("embed", *bad, *CLIPS, "-o", tmp_path / "s.csv", "--strict")
    assert result.code == 1 and not (tmp_path / "s.csv").exists()
    assert "--strict" in result.err


def test_when_every_file_fails_nothing_is_written(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no audio")
    result = run("embed", tmp_path / "text.wav", "-o", tmp_path / "t.csv")
    assert result.code == 1
    assert "no file could be embedded" in result.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.errors.csv", "text.wav"]
    assert run("embed", tmp_path / "missing.wav").code == 1
    (tmp_path / "folder").mkdir()
    result = run("embed", tmp_path / "folder")
    assert (result.code, result.err) == (1, f"error: {tmp_path / 'folder'}: no audio files in the folder\n")


def test_nothing_is_overwritten_unasked(run: Callable[..., Result], tmp_path: Path) -> None:
    output = tmp_path / "t.csv"
    output.write_text("precious")
    result = run("embed", CLIPS[0], "-o", output)
    assert result.code == 2 and result.err.startswith(f"error: {output} exists; ") and result.err.count("\n") == 1
    assert output.read_text() == "precious"
    (tmp_path / "text.wav").write_text("no audio")
    assert run("embed", tmp_path / "text.wav", "-o", output, "--overwrite").code == 1
    assert output.read_text() == "precious"
    assert run("embed", CLIPS[0], "-o", output, "--overwrite").code == 0
    assert len(rows_of(output)) == 2
    assert not list(tmp_path.glob("*.parts"))


def test_a_table_is_brought_up_to_date(run: Callable[..., Result], tmp_path: Path) -> None:
    output = tmp_path / "t.parquet"
    assert run("embed", *CLIPS[:2], "-o", output).code == 0
    result = run("embed", *CLIPS, "-o", output, "--update")
    assert result.code == 0 and "6 clips" in result.out
    assert sorted(read_table(output).index.get_level_values("file")) == CLIPS
    assert "nothing was left to embed" in run("embed", *CLIPS, "-o", output, "--update").out
    result = run("embed", *CLIPS, "-o", output, "--update", "--model", "speech")
    assert result.code == 2 and "both 1.5" in result.err


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
        (["embed", "x.wav", "-o", "t.csv", "--update"], "t.csv would not say what it was made with"),
        (["embed", "x.wav", "--batch", "0"], "0.0 is not in the range x>0"),
        (["embed", "x.wav", "--batch", "inf"], "expected a finite number, got inf"),
        (["embed", "x.wav", "--save-every", "nan"], "expected a finite number, got nan"),
        (["bench", "--seconds", "nan"], "expected a finite number, got nan"),
        (["embed", "x.wav", "--ray", "local", "--threads", "2"], "--threads is for this machine"),
        (["embed", "x.wav", "--ray", "local", "--device", "cpu"], "--device is for this machine"),
        (["embed", "x.wav", "-o", f"{'x' * 300}.csv"], "File name too long"),
        (["embed", "x.wav", "--shard", "3/3"], "3/3"),
        (["embed", "--list", "nowhere.txt"], "nowhere.txt"),
        (["embed", "--segments", "nowhere.csv"], "nowhere.csv"),
        (["embed", "x.wav", "--colour"], "No such option"),
        (["verify", "nowhere.safetensors", "--x"], "No such option"),
        (["frobnicate"], "No such command 'frobnicate'; known commands: embed, map, models"),
        (["embde", "x.wav"], "No such command 'embde'; did you mean embed? known commands"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.code == 2
    assert result.err.startswith("error: ") and message in result.err
    assert result.err.count("\n") == 1 and result.out == ""
    assert not list(tmp_path.iterdir())


def test_folders_are_searched_and_files_named_twice_done_once(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for name in ("deep/a.flac", "b.flac"):
        shutil.copy(DATA / "drum_stereo_44k.flac", tmp_path / "in" / name)
    result = run("embed", tmp_path / "in", tmp_path / "in" / "b.flac", "-o", tmp_path / "t.csv")
    assert result.code == 0
    rows = rows_of(tmp_path / "t.csv")[1:]
    assert [row[0] for row in rows] == [str(tmp_path / "in/b.flac"), str(tmp_path / "in/deep/a.flac")]
    np.testing.assert_allclose(np.array(rows[0][1:], float), np.array(rows[1][1:], float), rtol=1e-5)


def test_lists_segments_and_shares(run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("\n".join(CLIPS[:2]).encode())))
    assert run("embed", "-", "-o", tmp_path / "list.csv").code == 0
    assert [row[0] for row in rows_of(tmp_path / "list.csv")[1:]] == CLIPS[:2]
    (tmp_path / "s.csv").write_text(f"start,end,file\n0.25,0.75,{CLIPS[0]}\n1,,{CLIPS[0]}\n")
    assert run("embed", "--segments", tmp_path / "s.csv", "-o", tmp_path / "segments.csv").code == 0
    rows = rows_of(tmp_path / "segments.csv")[1:]
    assert [(row[0], float(row[1])) for row in rows] == [(CLIPS[0], 0.25), (CLIPS[0], 1.0)]
    shares = []
    for index in range(4):
        assert run("embed", DATA, "--shard", f"{index}/4", "-o", tmp_path / f"{index}.csv").code == 0
        shares += [row[0] for row in rows_of(tmp_path / f"{index}.csv")[1:]]
    assert sorted(shares) == CLIPS
    result = run("embed", CLIPS[0], "--shard", "1/2", "-o", tmp_path / "none.csv")
    assert (result.code, result.err) == (0, "nothing to embed in share 1/2\n")


def test_nothing_to_embed(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "list.txt").touch()
    assert run("embed", "--list", tmp_path / "list.txt") == (0, "", "nothing to embed\n")


def test_streams_that_are_closed(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    for arguments in (["-"], ["--list", "-"]):
        result = run("embed", *arguments)
        assert (result.code, result.err) == (2, "error: expected paths on standard input, got none: it is closed\n")
    monkeypatch.setattr("sys.stderr", None)
    assert run("embed", CLIPS[0], "-o", tmp_path / "t.csv").code == 0
    assert run("embed", CLIPS[0], tmp_path / "missing.wav").code == 1


def test_a_name_with_a_line_break(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "two\nlines.wav").write_text("no audio")
    result = run("embed", tmp_path / "two\nlines.wav", "-o", tmp_path / "t.csv")
    told = result.err.splitlines()[0]
    assert told.startswith(f"error: {tmp_path}/two lines.wav: not an audio file") and told.count("lines.wav") == 1


def test_a_name_that_is_no_text_on_stderr(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = io.TextIOWrapper(io.BytesIO(), "latin-1", errors="backslashreplace")
    monkeypatch.setattr("sys.stderr", shown)
    assert run("embed", os.fsdecode(os.fsencode(tmp_path) + b"/\xff \xe2\x80\xa6.wav")).code == 1
    shown.flush()
    assert b"/\xff \\u2026.wav: no such file" in shown.buffer.getvalue()  # type: ignore[attr-defined]


def test_a_name_that_is_no_text(run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = shutil.copy(CLIPS[0], os.fsencode(tmp_path) + b"/\xff.wav")
    shown = io.TextIOWrapper(io.BytesIO(), "utf-8", errors="strict")
    monkeypatch.setattr("sys.stdout", shown)
    for command in ("info", "embed"):
        assert run(command, os.fsdecode(file)).code == 0
    assert shown.buffer.getvalue().count(file) == 2  # type: ignore[attr-defined]


def test_an_error_of_the_system_is_one_line(run: Callable[..., Result], tmp_path: Path) -> None:
    result = run("export", "-o", tmp_path / f"{'x' * 300}.onnx")
    assert result.code == 1 and "File name too long" in result.err and result.err.count("\n") == 1


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is full")
def test_a_full_disk_behind_stdout(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w") as full:
        monkeypatch.setattr("sys.stdout", full)
        assert run("models") == (1, "", "error: [Errno 28] No space left on device\n")


def test_progress_is_for_terminals(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert run("embed", DATA, "-o", tmp_path / "a.csv").err == ""
    assert run("embed", DATA, "-o", tmp_path / "c.csv", "--quiet") == (0, "", "")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("tqdm.std.tqdm.monitor_interval", 0)
    shown = run("embed", DATA, "-o", tmp_path / "b.csv").err
    assert "/6" in shown and "file" in shown


def test_the_list_of_models(run: Callable[..., Result], models: Path) -> None:
    result = run("models")
    assert (result.code, result.err) == (0, "")
    header, *lines = result.out.splitlines()
    assert header.split() == [
        "name",
        "version",
        "licence",
        "frame",
        "ms",
        "dimensions",
        "MB",
        "hours",
        "sha256",
        "verified",
    ]
    table = zoo.read_hashes(models)
    assert [line.split() for line in lines] == [
        [name, "1.5", "Apache-2.0", "40", "26", "0.0", "12.2", table[name]["sha256"][:12], "yes"]
        for name in ("both", "speech")
    ]


def test_damaged_models_are_listed_as_such(
    run: Callable[..., Result], models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = Path(shutil.copytree(models, tmp_path / "zoo"))
    monkeypatch.setattr(zoo, "zoo_folder", lambda: damaged)
    with open(damaged / "byola-speech.safetensors", "r+b") as stream:
        stream.seek(-1, 2)
        stream.write(b"\x55")
    result = run("models")
    assert result.code == 1
    assert [line.split()[-1] for line in result.out.splitlines()] == ["verified", "yes", "no"]
    (damaged / "byola-speech.safetensors").unlink()
    result = run("models")
    assert result.code == 1 and "byola-speech.safetensors" in result.err and result.err.count("\n") == 1
    assert [line.split()[-1] for line in result.out.splitlines()] == ["verified", "yes", "no"]
    (damaged / "hashes.json").unlink()
    assert run("models").code == 1
    (damaged / "hashes.json").write_text("{")
    for command in ("models", "verify"):
        result = run(command)
        assert (result.code, result.out) == (1, "") and "hashes.json: damaged table of checkpoints" in result.err


def test_verify(run: Callable[..., Result], models: Path, tmp_path: Path) -> None:
    result = run("verify")
    assert (result.code, result.err) == (0, "")
    assert [line.split()[0] for line in result.out.splitlines()] == ["model", "both", "speech"]
    copy = Path(shutil.copy(models / "byola-both.safetensors", tmp_path / "copy.safetensors"))
    result = run("verify", copy, "speech")
    assert result.code == 0 and zoo.read_hashes(models)["both"]["sha256"] in result.out
    copy.write_bytes(copy.read_bytes()[:-9])
    result = run("verify", copy, "speech", "nowhere.safetensors")
    assert result.code == 1 and result.err.count("\n") == 2 and "intact" in result.out
    result = run("verify", "spech")
    assert (result.code, result.out) == (1, "") and "'spech'; known names: both, speech" in result.err


def test_help_and_version(run: Callable[..., Result]) -> None:
    assert run("--version").out.split()[-1] == byola_hear.__version__
    for arguments in ([], ["--help"], ["-h"]):
        result = run(*arguments)
        assert result.code == 0 and {"embed", "models"} <= set(result.out.split())
    assert "Exit codes" in run("embed", "--help").out
    assert run("embed", "-h") == run("embed", "--help")


def test_as_a_module() -> None:
    process = subprocess.run(
        [sys.executable, "-m", "byola_hear", "embed", "nowhere.wav", "--model", "nowhere.safetensors"],
        capture_output=True,
        text=True,
        cwd=DATA.parents[1],
        check=False,
    )
    assert (process.returncode, process.stderr) == (2, "error: no such checkpoint: nowhere.safetensors\n")


def test_help_is_there_before_torch_and_so_is_an_interruption(tmp_path: Path) -> None:
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
