"""``byola-hear bench``: it measures what it says on whatever it is given."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
import soundfile

import byola_hear
from byola_hear.cli import bench
from byola_hear.cli.main import main
from byola_hear.extraction.clips import Clip


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(["bench", *arguments])
    out, err = capsys.readouterr()
    return int(stopped.value.code or 0), out, err


def test_generated_files_and_a_suggestion(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, clips_folder: Path
) -> None:
    monkeypatch.setattr(bench, "GENERATED", (3, 0.5, 44100, 2))
    monkeypatch.setattr(bench, "NETWORK_SECONDS", 2.0)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    code, out, _ = run(capsys, "--seconds", "0.5", "--model", "speech")
    assert code == 0
    assert "generated FLAC files" in out
    for what in ("decoding, 1 thread", "decoding, 2 threads", "network alone", "rows, --workers 1", "--workers 2"):
        found = re.search(rf"{what}.* ([\d.e-]+)$", out, re.MULTILINE)
        assert found and float(found[1]) > 0, what
    assert re.search(r"^Suggested: --workers [12]\. A hundred hours of such audio take about ", out, re.MULTILINE)


def test_a_folder_with_a_broken_file(
    clips_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "NETWORK_SECONDS", 2.0)
    (tmp_path / "broken.flac").write_bytes(b"fLaC")
    for name in ("drum_stereo_44k.flac", "speech_english_8k.wav"):
        (tmp_path / name).write_bytes((clips_folder / name).read_bytes())
    clips = [Clip(str(file)) for file in sorted(tmp_path.iterdir())]
    assert bench.readable(clips, 16000, 60.0)[0] == clips[1:]
    code, out, _ = run(capsys, str(tmp_path), "--seconds", "0.5")
    assert code == 0
    assert re.match(r"[12] of 3 files; model both", out)


def test_of_long_files_the_first_minute_is_used(clips_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "MOST_SECONDS", 1.0)
    files = [str(clips_folder / name) for name in ("drum_stereo_44k.flac", "shutter_stereo_96k.ogg")]
    clips, speed = bench.readable([Clip(file) for file in files], 16000, 60.0)
    assert clips == [Clip(files[0], 0.0, 1.0), Clip(files[1])]
    assert speed > 0
    model = byola_hear.load_model("speech")
    assert bench.files_to_rows(clips, model, 1, 0.1) > 0


def test_a_missing_path_is_reported_and_the_others_are_measured(
    clips_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "NETWORK_SECONDS", 2.0)
    code, out, err = run(capsys, "nowhere.wav", str(clips_folder / "drum_stereo_44k.flac"), "--seconds", "0.5")
    assert (code, err) == (1, "error: nowhere.wav: no such file or folder\n")
    assert out.startswith("1 of 1 files; model both")


def test_an_empty_list(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    assert run(capsys, "-") == (2, "", "error: expected files to measure, got an empty list\n")


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [("nowhere.wav", 2, "nowhere.wav"), ("notes.txt", 1, "no file can be read: .*notes.txt: not an audio file")],
)
def test_nothing_to_measure(
    name: str, code: int, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("not audio")
    ended, _, err = run(capsys, str(tmp_path / name))
    assert ended == code
    assert re.search(message, err)
    assert err.count("\n") == 1


def test_no_room_for_files_to_measure(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise soundfile.LibsndfileError(2)

    monkeypatch.setattr(soundfile, "write", full)
    code, out, err = run(capsys, "--model", "speech")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("error: files to measure can't be written to ") and err.endswith("; name some\n")
