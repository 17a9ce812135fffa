"""The command line as a user meets it: tables, exit codes, one line an error."""

from __future__ import annotations

import csv
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
from byola_hear import terminal, zoo
from byola_hear.audio import read_audio
from byola_hear.checkpoint import load_checkpoint
from byola_hear.cli import main
from byola_hear.encoder import EncoderConfig
from byola_hear.frontend import FrontendConfig
from byola_hear.model import ByolaModel, ModelConfig
from byola_hear.zoo import add_to_zoo

DATA = Path(__file__).parent / "data"
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
    header, *lines = result.out.splitlines()
    assert header.split() == ["file", "model", "duration", "e0", "e1", "e2", "e3", "norm"]
    assert len({len(line) for line in result.out.splitlines()}) == 1
    assert [line.split()[0] for line in lines] == CLIPS
    for file, line in zip(CLIPS, lines, strict=True):
        embedding = expected_scene(models, file)
        _, name, version, duration, unit, *numbers = line.split()
        assert (name, version, unit) == ("both", "1.5", "s")
        assert float(duration) == pytest.approx(len(read_audio(file, 16000)) / 16000, abs=0.006)
        assert [float(n) for n in numbers] == pytest.approx([*embedding[:4], np.linalg.norm(embedding)], abs=6e-4)


def test_csv_of_clips(run: Callable[..., Result], models: Path, tmp_path: Path) -> None:
    result = run("embed", DATA, "-o", tmp_path / "t.csv", "--model", "speech")
    assert (result.code, result.err) == (0, "")
    header, *rows = rows_of(tmp_path / "t.csv")
    assert header == ["file", "duration_s", *(f"e{index}" for index in range(26))]
    assert [row[0] for row in rows] == CLIPS
    for row in rows:
        assert float(row[1]) == len(read_audio(row[0], 16000)) / 16000
        actual = np.array(row[2:], dtype=np.float32)
        np.testing.assert_allclose(actual, expected_scene(models, row[0], "speech"), atol=1e-5)


@pytest.mark.parametrize("name", ["t.npz", "t.csv"])
def test_timestamps(run: Callable[..., Result], models: Path, tmp_path: Path, name: str) -> None:
    assert run("embed", *CLIPS, "-o", tmp_path / name, "--kind", "timestamp").code == 0
    if name == "t.npz":
        content = np.load(tmp_path / name)
        files = content["files"][content["file_index"]]
        times, embeddings = content["timestamp_ms"], content["embeddings"]
    else:
        rows = rows_of(tmp_path / name)[1:]
        files = np.array([row[0] for row in rows])
        times = np.array([float(row[1]) for row in rows])
        embeddings = np.array([row[2:] for row in rows], dtype=np.float32)
    model = load_checkpoint(models / "byola-both.safetensors")
    for file in CLIPS:
        (expected,), (milliseconds,) = model.timestamp_embeddings([torch.from_numpy(read_audio(file, 16000))])
        np.testing.assert_allclose(embeddings[files == file], expected.numpy(), atol=1e-5)
        np.testing.assert_array_equal(times[files == file], milliseconds.numpy())


def test_a_table_of_timestamps_for_the_eye(run: Callable[..., Result]) -> None:
    result = run("embed", CLIPS[-1], "--kind", "timestamp")
    assert result.out.split() == [
        *["file", "model", "timestamps", "last", "at", "e0", "e1", "e2", "e3", "norm"],
        *[CLIPS[-1], "both", "1.5", "37", "1455", "ms"],
        *result.out.split()[-5:],
    ]


def test_bad_files_do_not_stop_the_others(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no audio")
    soundfile.write(tmp_path / "nan.wav", np.full(9, np.nan, np.float32), 16000, subtype="FLOAT")
    soundfile.write(tmp_path / "integers.wav", np.full(9, 3e4, np.float32), 16000, subtype="FLOAT")
    bad = [tmp_path / name for name in ("text.wav", "nan.wav", "integers.wav", "missing.wav")]
    result = run("embed", *bad, *CLIPS[:2], "-o", tmp_path / "t.csv")
    assert result.code == 1
    assert [row[0] for row in rows_of(tmp_path / "t.csv")[1:]] == CLIPS[:2]
    lines = result.err.splitlines()
    assert len(lines) == 4 and all(line.startswith("error: ") for line in lines)
    for path in bad:
        assert sum(str(path) in line for line in lines) == 1
    assert "scaled to [-1, 1]" in result.err


def test_when_every_file_fails_nothing_is_written(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no audio")
    result = run("embed", tmp_path / "text.wav", "-o", tmp_path / "t.csv")
    assert result.code == 1
    assert "no file could be embedded" in result.err
    assert [path.name for path in tmp_path.iterdir()] == ["text.wav"]
    assert run("embed", tmp_path / "missing.wav").code == 1
    (tmp_path / "folder").mkdir()
    result = run("embed", tmp_path / "folder")
    assert (result.code, result.err) == (1, f"error: no audio files in the folder {tmp_path / 'folder'}\n")


def test_nothing_is_overwritten_unasked(run: Callable[..., Result], tmp_path: Path) -> None:
    output = tmp_path / "t.csv"
    output.write_text("precious")
    result = run("embed", CLIPS[0], "-o", output)
    assert (result.code, result.err) == (2, f"error: {output} exists; give --overwrite to replace it\n")
    assert output.read_text() == "precious"
    (tmp_path / "text.wav").write_text("no audio")
    assert run("embed", tmp_path / "text.wav", "-o", output, "--overwrite").code == 1
    assert output.read_text() == "precious"
    assert run("embed", CLIPS[0], "-o", output, "--overwrite").code == 0
    assert len(rows_of(output)) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.csv", "text.wav"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["embed"], "Missing argument 'PATH...'"),
        (["embed", "x.wav", "--model", "spech"], "no model is called 'spech'; known names: both, speech"),
        (["embed", "x.wav", "--model", "no.safetensors"], "no such checkpoint: no.safetensors"),
        (["embed", "x.wav", "--kind", "event"], "'event' is not one of 'scene', 'timestamp'"),
        (["embed", "x.wav", "--device", "toaster"], "device 'toaster' can't be used"),
        (["embed", "x.wav", "-o", "t.xlsx"], "expected an output file that ends in .csv or .npz, got t.xlsx"),
        (["embed", "x.wav", "-o", "nowhere/t.csv"], "the folder of nowhere/t.csv does not exist"),
        (["embed", "x.wav", "--colour"], "No such option"),
        (["frobnicate"], "No such command"),
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


def test_folders_are_searched_and_files_named_twice_done_once(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for name in ("deep/a.flac", "b.flac"):
        shutil.copy(DATA / "drum_stereo_44k.flac", tmp_path / "in" / name)
    result = run("embed", tmp_path / "in", tmp_path / "in" / "b.flac", "-o", tmp_path / "t.csv")
    assert result.code == 0
    rows = rows_of(tmp_path / "t.csv")[1:]
    assert [row[0] for row in rows] == [str(tmp_path / "in/b.flac"), str(tmp_path / "in/deep/a.flac")]
    assert rows[0][1:] == rows[1][1:]


def test_the_length_of_blocks_does_not_matter(
    run: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("embed", DATA, "-o", tmp_path / "a.npz")
    monkeypatch.setattr("byola_hear.cli.BLOCK_SECONDS", 0.1)
    run("embed", DATA, "-o", tmp_path / "b.npz")
    one, other = np.load(tmp_path / "a.npz"), np.load(tmp_path / "b.npz")
    np.testing.assert_allclose(one["embeddings"], other["embeddings"], atol=1e-5)
    np.testing.assert_array_equal(one["duration_s"], other["duration_s"])


def test_progress_is_for_terminals(run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert run("embed", DATA, "-o", tmp_path / "a.csv").err == ""
    monkeypatch.setattr(terminal, "_UPDATE_SECONDS", 0)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    shown = run("embed", DATA, "-o", tmp_path / "b.csv").err
    assert re.search(r"5/6 files, 0:00:1\d of audio, \d+ × real time, speech_french_16k\.wav", shown)
    assert shown.endswith("\r\033[K")


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
        "numbers",
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


def test_help_and_version(run: Callable[..., Result]) -> None:
    assert run("--version").out.split()[-1] == byola_hear.__version__
    for arguments in ([], ["--help"]):
        result = run(*arguments)
        assert result.code == 0 and {"embed", "models"} <= set(result.out.split())
    assert "Exit codes" in run("embed", "--help").out


def test_as_a_module() -> None:
    process = subprocess.run(
        [sys.executable, "-m", "byola_hear", "embed", "nowhere.wav", "--model", "nowhere.safetensors"],
        capture_output=True,
        text=True,
        cwd=DATA.parents[1],
        check=False,
    )
    assert (process.returncode, process.stderr) == (2, "error: no such checkpoint: nowhere.safetensors\n")
