"""``byola-hear info``: what it tells of good files and of bad ones."""

from __future__ import annotations

import json
import re
import shutil
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import soundfile

from byola_hear.cli.info import command
from tests.broken_files import broken_files
from tests.odd_files import encoded

DATA = Path(__file__).parents[1] / "data"


def run(*arguments: object) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        code = command.main(list(map(str, arguments)), standalone_mode=False)
    return code, out.getvalue(), err.getvalue()


def test_a_table_of_the_clips() -> None:
    code, out, err = run(DATA)
    header, *lines = out.splitlines()
    assert (code, err) == (0, "")
    assert header.split() == ["file", "format", "codec", "Hz", "channels", "seconds", "samples"]
    rows = {Path(line.split()[0]).name: line.split()[1:] for line in lines}
    assert rows["drum_stereo_44k.flac"] == ["FLAC", "PCM_16", "44100", "2", "1.714", "75600"]
    assert rows["ambience_stereo_48k.opus"] == ["OGG", "OPUS", "48000", "2", "2.500", "120000"]
    # The header of an MP3 may be wrong.
    assert rows["piano_stereo_44k.mp3"] == ["MP3", "MPEG_LAYER_III", "44100", "2", "~2.812", "~123998"]
    assert len({len(line) for line in lines}) == 1
    _, out, _ = run(DATA / "piano_stereo_44k.mp3", "--check")
    assert out.splitlines()[1].split()[5:7] == ["2.812", "123998"]


def test_levels(tmp_path: Path) -> None:
    times = np.arange(16000) / 16000
    sine = 0.5 * np.sin(2 * np.pi * 100 * times)
    # Opposite channels: what is measured is not their mean.
    soundfile.write(tmp_path / "a.wav", np.stack([sine, -sine], axis=1), 16000, subtype="FLOAT")
    soundfile.write(tmp_path / "b.wav", times * 0, 16000)
    code, out, _ = run("--check", tmp_path / "a.wav", tmp_path / "b.wav")
    assert code == 0
    _, sounding, silent = out.splitlines()
    assert sounding.split()[-5:] == ["-6.0", "-9.0", "silent", "channels", "cancel"]
    assert silent.split()[-4:] == ["silent", "silent", "silent", "ok"]
    code, out, _ = run("--check", "--json", tmp_path / "a.wav", tmp_path / "b.wav")
    first, second = map(json.loads, out.splitlines())
    assert first == {
        **{"file": str(tmp_path / "a.wav"), "format": "WAV", "codec": "FLOAT", "sample_rate": 16000, "channels": 2},
        **{"seconds": 1.0, "samples": 16000, "exact": True, "peak_db": -6.02, "rms_db": -9.03, "mono_rms_db": None},
        **{"header_seconds": 1.0, "ffmpeg_seconds": 1.0 if shutil.which("ffmpeg") else None, "agrees": True},
    }
    assert second["peak_db"] is None and second["rms_db"] is None


def test_unreadable_files_have_a_line_each_and_do_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")  # ffmpeg takes its time, file by file
    cases = broken_files(tmp_path / "x")
    # Without a look at the samples, what is wrong with them is not seen.
    bad = [case for case in cases if case.error]
    good = [case for case in cases if not case.error]
    code, out, err = run("--check", *(case.path for case in bad[:5] + good[:5] + bad[5:]))
    assert code == 1
    lines = err.splitlines()
    assert all(re.match("error: .", line) for line in lines)
    assert len(lines) == len(bad) and len(out.splitlines()) == 1 + 5
    code, out, err = run("--json", tmp_path / "none.wav", DATA / "drum_stereo_44k.flac")
    assert (code, err) == (1, f"error: no such file or folder: {tmp_path / 'none.wav'}\n")
    assert [json.loads(line).get("error") for line in out.splitlines()] == [err[7:-1], None]


def test_samples_that_embed_refuses_are_no_good_file(tmp_path: Path) -> None:
    samples = np.full((16000, 2), 0.1)
    samples[8000] = 8000.0, -7000.0
    soundfile.write(tmp_path / "loud.wav", samples, 16000, subtype="FLOAT")
    # What is embedded is the mean of the channels.
    samples[8000] = 8000.0, -8000.0
    soundfile.write(tmp_path / "cancelled.wav", samples, 16000, subtype="FLOAT")
    code, out, err = run("--check", tmp_path)
    what = "contains samples of 500 where [-1, 1] is full scale, the first at 0.500 s"
    assert (code, err) == (1, f"error: {tmp_path / 'loud.wav'}: {what}\n")
    assert [Path(line.split()[0]).name for line in out.splitlines()[1:]] == ["cancelled.wav"]


def test_lengths_that_disagree_are_shown_and_end_in_exit_code_1(tmp_path: Path) -> None:
    good = encoded("WAV")
    (tmp_path / "good.wav").write_bytes(good)
    too_few = bytearray(good)
    too_few[40:44] = (16000).to_bytes(4, "little")
    (tmp_path / "too_few.wav").write_bytes(too_few)
    too_few[40:44] = bytes(4)
    (tmp_path / "unknown.wav").write_bytes(too_few)
    code, out, err = run("--check", tmp_path)
    rows = {Path(line.split()[0]).name: line.split() for line in out.splitlines()[1:]}
    assert (code, err) == (1, "")
    # Seconds read, samples, seconds by the header.
    assert rows["good.wav"][5:8] == ["1.500", "24000", "1.500"]
    assert rows["too_few.wav"][5:8] == ["1.500", "24000", "0.500"]
    assert rows["unknown.wav"][5:8] == ["1.500", "24000", "?"]
    assert rows["good.wav"][-1] == rows["unknown.wav"][-1] == "ok"
    assert "header" in rows["too_few.wav"] and rows["too_few.wav"][-1].startswith("differ")
    if shutil.which("ffmpeg"):
        assert [rows[name][8] for name in rows] == ["1.500", "0.500", "1.500"]
    assert run("--check", tmp_path / "good.wav", tmp_path / "unknown.wav")[0] == 0


def test_ffmpeg_is_not_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    (tmp_path / "good.wav").write_bytes(encoded("WAV"))
    code, out, _ = run("--check", tmp_path)
    assert code == 0 and out.splitlines()[1].split()[7:9] == ["1.500", "?"]
