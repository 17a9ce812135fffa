"""Size against data: nested volumes, cells that are trained once, a table of two tiny runs."""

from __future__ import annotations

import io
import shutil
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

import byola_hear
from benchmark.__main__ import run
from benchmark.comparison.page import load_section
from benchmark.studies.findings import read_numbers
from benchmark.studies.size.cells import SizeCell, shape_of, volume
from benchmark.studies.size.command import size_command
from benchmark.studies.size.report import sentences
from benchmark.studies.size.run import cells_of
from byola_hear.pretraining.data.manifest import ManifestClip, hours, write_manifest
from byola_hear.utils.files import locked

RATE = 16000


@pytest.fixture(scope="module")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two manifests of eight seconds each, and drum_strokes.tar: tones of three pitches."""
    folder = tmp_path_factory.mktemp("sounds")
    rng = np.random.default_rng(0)
    for kind in ("speech", "nonspeech"):
        clips = []
        for number in range(4):
            name = f"{kind}{number}.wav"
            soundfile.write(folder / name, 0.1 * rng.standard_normal(2 * RATE), RATE)
            clips.append(ManifestClip(name, 2.0, RATE, kind=kind))
        write_manifest(clips, folder / f"{kind}.csv")
    rows = ["file,label,split,stroke,microphone"]
    with tarfile.open(folder / "drum_strokes.tar", "w") as tar:

        def add(name: str, data: bytes) -> None:
            member = tarfile.TarInfo(f"drum_strokes/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))

        for stroke in range(48):
            tone = np.sin(np.arange(4000) * 2 * np.pi * 300 * 3 ** (stroke % 3) / RATE)
            stream = io.BytesIO()
            soundfile.write(stream, 0.3 * tone + 0.003 * rng.standard_normal(4000), RATE, format="WAV")
            add(f"audio/{stroke}.wav", stream.getvalue())
            split = ("train", "train", "valid", "test")[stroke // 3 % 4]
            rows.append(f"{stroke}.wav,{'abc'[stroke % 3]},{split},{stroke},1")
        add("manifest.csv", "\n".join(rows).encode())
    return folder


def arguments_for(
    sounds: Path, folder: Path, steps: int = 3, first: str = "speech", volumes: str = "0.002"
) -> list[str]:
    return [
        str(sounds / f"{first}.csv"), str(sounds / "nonspeech.csv"), "--runs", str(folder / "runs"),
        "--widths", "32,64", "--hours", volumes, "--steps", str(steps), "--batch-size", "2",
        "--tasks", "drum_strokes", "--device", "cpu",
        "--audio", str(sounds), "--cache", str(folder / "cache"), "-o", str(folder / "out"), "--no-progress",
    ]  # fmt: skip


def test_a_table_of_two_tiny_runs(sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        with pytest.raises(SystemExit) as stopped:
            run(size_command, arguments_for(sounds, tmp_path), "size")
        output = capsys.readouterr()
        assert not stopped.value.code, output.err
    numbers = read_numbers(tmp_path / "out", "size")
    assert set(numbers["task"]) == {"drum_strokes", "mean"}
    trained = numbers.query("task == 'mean' and hours > 0").set_index("width")
    assert trained["crops"].tolist() == [6, 6]
    assert trained["features"].to_dict() == {32: 32 + 16, 64: 64 + 32}
    for width in (32, 64):
        # A cell is a checkpoint like any other.
        model = byola_hear.load_model(str(tmp_path / "runs" / f"width{width}-0.002h.safetensors"))
        assert model.config.encoder == shape_of(width)
        assert sum(each.numel() for each in model.encoder.parameters()) == trained.loc[width, "parameters"]
        assert model.config.training["crops"] == 6
    assert numbers["accuracy"].between(0, 100).all()
    assert sorted(numbers.query("hours == 0")["width"].unique()) == [32, 64]
    assert "With 6 crops each" in sentences(numbers)[0]
    assert " ".join(sentences(numbers)) in output.out
    assert any(block["kind"] == "figure" for block in load_section(tmp_path / "out" / "size.md").data()["blocks"])
    # Another recipe's networks, other manifests' audio and networks of other audio are refused.
    other = arguments_for(sounds, tmp_path, first="nonspeech")
    assert "trained with another recipe" in refused(arguments_for(sounds, tmp_path, steps=4), capsys)
    assert "0.002h.csv: drawn from other manifests" in refused(other, capsys)
    shutil.rmtree(tmp_path / "runs" / "audio")
    assert "width32-0.002h.safetensors: trained on other audio" in refused(other, capsys)


@pytest.mark.skipif(sys.platform == "win32", reason="no locks there")
def test_two_processes_do_not_train_in_one_folder(
    sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "runs").mkdir()
    with open(tmp_path / "runs" / "lock", "a") as lock:
        assert locked(lock)
        assert "another process is training in this folder" in refused(arguments_for(sounds, tmp_path), capsys)


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as stopped:
        run(size_command, arguments, "size")
    assert stopped.value.code == 2
    return capsys.readouterr().err


def test_too_little_audio_is_reported_before_any_network_is_trained(
    sounds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "hours to draw from" in refused(arguments_for(sounds, tmp_path, volumes="0.002,1"), capsys)
    assert not list((tmp_path / "runs").glob("width*"))


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--device", "gpu", "expected a device such as 'cpu'"),
        ("--hours", "nan", "positive hours, got [32, 64] and [nan]"),
        ("--hours", "1,inf", "positive hours"),
        ("--seed", "not a manifest", "expected columns path"),
    ],
)
def test_wrong_options_are_reported_before_sets_are_decoded(
    option: str,
    value: str,
    message: str,
    sounds: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("benchmark.studies.size.command.plan", lambda *_, **__: pytest.fail("decoded all the same"))
    arguments = arguments_for(sounds, tmp_path)
    if value == "not a manifest":
        (tmp_path / "other.csv").write_text("a,b\n1,2\n")
        arguments[0] = str(tmp_path / "other.csv")
    else:
        arguments += [option, value]
    assert message in refused(arguments, capsys)


def test_volumes_are_nested_and_even(sounds: Path, tmp_path: Path) -> None:
    manifests = [sounds / "speech.csv", sounds / "nonspeech.csv"]
    small, large = (volume(manifests, seconds / 3600, 1, tmp_path) for seconds in (4, 12))
    for rows, seconds in ((small, 4), (large, 12)):
        assert hours(rows) * 3600 == pytest.approx(seconds)
        assert hours(clip for clip in rows if clip.kind == "speech") * 3600 == pytest.approx(seconds / 2)
    assert {clip.path for clip in small} <= {clip.path for clip in large}
    assert all((tmp_path / clip.path).resolve().is_file() for clip in large)
    with pytest.raises(ValueError, match="at least"):
        volume(manifests, 1.0, 1, tmp_path)


def test_cells_are_every_width_and_volume() -> None:
    assert cells_of([64, 32], [5, 1]) == [SizeCell(32, 1), SizeCell(64, 1), SizeCell(32, 5), SizeCell(64, 5)]
    for widths, volumes in (([], [1]), ([32], [0]), ([33], [1])):
        with pytest.raises(ValueError, match="expected"):
            cells_of(widths, volumes)
