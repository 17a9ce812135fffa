"""Labelled sets out of their originals: the right clips and labels, at 16 kHz, as the benchmark reads them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from benchmark.datasets import origin as module
from benchmark.datasets.fetch_command import command
from benchmark.datasets.labelled_set import load_set, read_manifest
from benchmark.datasets.labelled_tar import OriginalClip, decode, write_set
from benchmark.datasets.origin import build_set
from benchmark.datasets.origins import ORIGINS
from benchmark.datasets.selection import selection
from tests.benchmark.datasets.originals import ORIGINALS, Rows, sound
from tests.file_server import serving

#: Sets with ratings are tested in test_rated_set.py, and that of many archives in test_origin_hear_small.py.
SETS = tuple(name for name, origin in ORIGINS.items() if origin.ratings is None and not origin.parts)

#: A few clips of each set, with what the manifest says of them.
ROWS: dict[str, list[dict[str, str]]] = {
    "speech_commands_12": [
        {"file": "_silence__1024.x", "label": "silence", "split": "train", "speaker": "sil1024"},
        {
            "file": "_unknown__backward_0c540988_nohash_0.x",
            "label": "unknown",
            "split": "test",
            "speaker": "0c540988",
        },
        {"file": "yes_fe1916ba_nohash_1.x", "label": "yes", "split": "valid", "speaker": "fe1916ba"},
    ],
    "spoken_digits": [
        {"file": "0_george_4.x", "label": "0", "speaker": "george", "split": "test"},
        {"file": "0_george_5.x", "label": "0", "speaker": "george", "split": "train"},
        {"file": "9_yweweler_49.x", "label": "9", "speaker": "yweweler", "split": "train"},
    ],
    "language_id": [
        {
            "file": "en_common_voice_en_23609062.x",
            "label": "en",
            "split": "train",
            "speaker": "19728bddc3e09033",
            "gender": "male",
        },
        {
            "file": "zh-CN_common_voice_zh-CN_22166717.x",
            "label": "zh-CN",
            "split": "test",
            "speaker": "424a06a6b77760bb",
            "gender": "",
        },
    ],
    "read_speech_speakers": [
        {
            "file": "000240287.x",
            "speaker": "0024",
            "gender": "f",
            "age_group": "adult",
            "age": "25",
            "split": "train",
        },
        {
            "file": "010460041.x",
            "speaker": "1046",
            "gender": "m",
            "age_group": "child",
            "age": "7",
            "split": "test",
        },
    ],
    "vocal_bursts": [
        {"file": "000054-02-2.x", "label": "Amusement", "split": "train", "speaker": "000054"},
        {"file": "000213-24-1.x", "label": "Sadness", "split": "test", "speaker": "000213"},
        {"file": "000095-28-2.x", "label": "Surprise (Positive)", "split": "test", "speaker": "000095"},
    ],
    "emodb": [
        {"file": "03a01Fa.x", "emotion": "happiness", "speaker": "03", "gender": "m", "text": "a01"},
        {"file": "16b10Wb.x", "emotion": "anger", "speaker": "16", "gender": "f", "text": "b10"},
    ],
    "esc50": [
        {"file": "1-100032-A-0.x", "label": "dog", "fold": "1", "esc10": "True", "source_recording": "100032"},
        {"file": "5-61635-A-8.x", "label": "sheep", "fold": "5", "esc10": "False", "source_recording": "61635"},
    ],
    "orchestral_notes": [
        {
            "file": "bass-clarinet_D5_1_mezzo-forte_normal.x",
            "label": "bass clarinet",
            "midi_pitch": "74",
            "dynamics": "mezzo-forte",
            "split": "train",
            "note": "bass clarinet_D5",
        },
        {
            "file": "english-horn_Cs4_15_pianissimo_normal.x",
            "label": "cor anglais",
            "midi_pitch": "61",
            "dynamics": "pianissimo",
            "split": "test",
            "note": "cor anglais_Cs4",
        },
    ],
    "drum_strokes": [
        {"file": "2-China-AmbR.x", "label": "China", "split": "train", "stroke": "China#2", "microphone": "AmbR"},
        {
            "file": "6-KdrumL-Snare_top.x",
            "label": "Kdrum",
            "split": "valid",
            "stroke": "KdrumL#6",
            "microphone": "Snare_top",
        },
        {
            "file": "3-RideLBell-OHL.x",
            "label": "RideLBell",
            "split": "test",
            "stroke": "RideLBell#3",
            "microphone": "OHL",
        },
    ],
}


def only(monkeypatch: pytest.MonkeyPatch, name: str, rows: Rows) -> None:
    """Let a set be of these clips alone."""
    chosen = {row["file"].rpartition(".")[0]: row.get("split", "") for row in rows}
    monkeypatch.setattr(module, "selection", lambda asked: chosen if asked == name else selection(asked))


@pytest.mark.parametrize("name", SETS)
def test_a_set_out_of_its_original(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = ROWS[name]
    only(monkeypatch, name, rows)
    original = ORIGINALS[name](tmp_path / ORIGINS[name].archive.file, rows)
    assert build_set(ORIGINS[name], tmp_path / "sets", tmp_path, original) == len(rows)
    labelled = load_set(tmp_path / "sets" / f"{name}.tar", tmp_path / "cache")
    assert labelled.sample_rate == 16000
    assert tuple(labelled.manifest.columns) == ORIGINS[name].columns
    found = labelled.manifest.drop(columns="duration_s").to_dict("records")
    assert found == [{**row, "file": row["file"].replace(".x", ".flac")} for row in rows]
    # An MP3 holds whole frames: up to two more of 1152 samples.
    assert (labelled.lengths >= 790).all() and (labelled.lengths <= 800 + 2500).all()
    for index in range(len(rows)):
        clip = labelled.clip(index)[:800]
        spectrum = np.abs(np.fft.rfft(clip * np.hanning(len(clip)), 16000))
        assert abs(int(spectrum.argmax()) - 440) < 15


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name == "drum_strokes" else pytest.mark.slow) for name in SETS]
)
def test_the_sets_that_were_measured_come_out_of_originals_that_hold_more(
    name: str, labelled_sets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every row, its order and its labels."""
    expected = read_manifest(labelled_sets / f"{name}.tar")
    original = ORIGINALS[name](tmp_path / ORIGINS[name].archive.file, expected.to_dict("records"))
    # Of the sounds nothing is to be learned here.
    monkeypatch.setattr("benchmark.datasets.labelled_tar.decode", lambda clip, _: np.ones(16, np.int16))
    build_set(ORIGINS[name], tmp_path, tmp_path, original)
    found = read_manifest(tmp_path / f"{name}.tar")
    assert list(found.columns) == list(expected.columns)
    for table in (found, expected):
        table["file"] = table["file"].str.replace(r"\.\w+$", "", regex=True)
    pd.testing.assert_frame_equal(found.drop(columns="duration_s"), expected.drop(columns="duration_s"))


@pytest.mark.parametrize("name", [name for name in SETS if ORIGINS[name].selected])
def test_selections_have_all_three_splits(name: str) -> None:
    chosen = selection(name)
    assert len(chosen) > 700 and set(chosen.values()) == {"train", "valid", "test"}


@pytest.mark.parametrize("name", SETS)
def test_an_original_that_is_another_is_refused(name: str, tmp_path: Path) -> None:
    original = ORIGINALS[name](tmp_path / "a", ROWS[name][:1]) if name != "spoken_digits" else tmp_path / "a"
    if name == "spoken_digits":
        ORIGINALS["esc50"](original, ROWS["esc50"])
    if name in ("esc50", "emodb"):
        ORIGINALS["spoken_digits"](original, ROWS["spoken_digits"])
    with pytest.raises(ValueError, match="lacks"):
        build_set(ORIGINS[name], tmp_path / "sets", tmp_path, original)
    assert list((tmp_path / "sets").iterdir()) == []


def test_what_an_original_says_of_itself_is_believed_only_if_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = ROWS["read_speech_speakers"]
    only(monkeypatch, "read_speech_speakers", rows)
    original = ORIGINALS["read_speech_speakers"](tmp_path / "a", [{**rows[0], "age": "unknown"}, rows[1]])
    with pytest.raises(ValueError, match="speaker, gender and age of '000240287'"):
        build_set(ORIGINS["read_speech_speakers"], tmp_path / "sets", tmp_path, original)


def test_a_set_is_downloaded_checked_and_the_same_every_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, "speech_commands_12", ROWS["speech_commands_12"])
    content = ORIGINALS["speech_commands_12"](tmp_path / "a.tar.gz", ROWS["speech_commands_12"]).read_bytes()
    origin = ORIGINS["speech_commands_12"]
    with serving() as server:
        server.files["/a.tar.gz"] = content
        sha256 = hashlib.sha256(content).hexdigest()
        remote = replace(
            origin.archive, urls=(f"{server.url}/a.tar.gz",), checksum=f"sha256:{sha256}", size=len(content)
        )
        for folder in ("one", "two"):
            build_set(replace(origin, archive=remote), tmp_path / folder, tmp_path / f"originals-{folder}")
        with pytest.raises(ValueError, match="expected sha256 0+"):
            other = replace(remote, checksum=f"sha256:{'0' * 64}")
            build_set(replace(origin, archive=other), tmp_path / "three", tmp_path / "three")
    one, two = (tmp_path / folder / "speech_commands_12.tar" for folder in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    assert not (tmp_path / "three" / "speech_commands_12.tar").exists()


def test_the_command_builds_what_it_can_and_says_what_it_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digits = ORIGINALS["spoken_digits"](tmp_path / "digits.zip", ROWS["spoken_digits"])
    with serving() as server:
        server.files["/esc50.zip"] = b"no such archive"
        arguments = [
            "esc50",
            "spoken_digits",
            "-q",
            "-o",
            str(tmp_path / "sets"),
            "--downloads",
            str(tmp_path / "kept"),
        ]
        arguments += ["--archive", f"spoken_digits={digits}", "--from", f"esc50={server.url}/esc50.zip"]
        result = CliRunner().invoke(command, arguments)
    assert isinstance(result.exception, ValueError) and "esc50" in str(result.exception)
    assert "\n" not in str(result.exception) and str(result.exception).count("esc50: ") == 1
    assert [path.name for path in (tmp_path / "sets").iterdir()] == ["spoken_digits.tar"]
    assert "spoken_digits: 3 clips" in result.output and "CC BY-SA 4.0" in result.output
    again = CliRunner().invoke(command, ["spoken_digits", "-o", str(tmp_path / "sets")])
    assert again.exit_code == 0 and "exists already" in again.output


def test_a_set_that_can_not_be_written_stops_no_other(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    digits = ORIGINALS["spoken_digits"](tmp_path / "digits.zip", ROWS["spoken_digits"])
    arguments = ["spoken_digits", "esc50", "-q", "-o", str(tmp_path / "file" / "sets"), "--downloads", str(tmp_path)]
    for name in ("spoken_digits", "esc50"):
        arguments += ["--archive", f"{name}={digits}"]
    result = CliRunner().invoke(command, arguments)
    assert isinstance(result.exception, ValueError)
    assert "spoken_digits: " in str(result.exception) and "esc50: " in str(result.exception)


def test_the_command_lists_every_set_with_licence_address_and_check() -> None:
    result = CliRunner().invoke(command, ["--list"])
    assert result.exit_code == 0
    for origin in ORIGINS.values():
        assert f"{origin.name}: {origin.title}, {origin.licence}" in result.output
        assert origin.archive.urls[0] in result.output
    assert result.output.count("the hash of the first download") == sum(
        origin.archive.checksum is None for origin in ORIGINS.values()
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "x"], "expected names of sets"),
        (["esc50"], "expected a folder"),
        (["nothing", "-o", "x"], "expected a labelled set out of"),
        (["esc50", "-o", "x", "--archive", "esc50"], "NAME=VALUE"),
        (["esc50", "-o", "x", "--archive", "esc50=missing.zip"], "found no file"),
    ],
)
def test_invalid_input_of_the_command_is_named(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BYOLA_BENCHMARK_AUDIO", raising=False)
    monkeypatch.setenv("BYOLA_BENCHMARK_CACHE", str(tmp_path / "cache"))
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code != 0
    assert message in f"{result.output} {result.exception}"


def test_clips_are_mixed_down_cut_and_kept_exactly() -> None:
    stereo = decode(OriginalClip("a", sound(44100, channels=2), {}))
    mono = decode(OriginalClip("a", sound(44100), {}))
    assert stereo.dtype == np.int16 and np.abs(stereo.astype(int) - mono).max() <= 1
    assert len(decode(OriginalClip("a", sound(16000), {}), longest_s=0.01)) == 160
    times = np.arange(800) / 16000
    assert np.abs(decode(OriginalClip("a", sound(16000), {})) - 16384 * np.sin(2 * np.pi * 440 * times)).max() <= 1.5


@pytest.mark.parametrize(
    ("clips", "message"),
    [
        ([OriginalClip("a", b"no sound", {})], "a: could not be decoded"),
        ([OriginalClip("a", sound(seconds=0), {})], "a: could not be decoded: .*no samples"),
        ([OriginalClip("a", sound(), {}), OriginalClip("a", sound(), {})], "holds 'a' twice"),
        ([OriginalClip("b", sound(), {})], "lacks 1 clip, such as 'a'"),
    ],
)
def test_no_set_is_written_by_half(clips: list[OriginalClip], message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        write_set(tmp_path / "x.tar", clips, ("file", "duration_s"), ["a"])
    assert list(tmp_path.iterdir()) == []


def test_writing_draws_no_bar_where_there_is_no_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert write_set(tmp_path / "x.tar", [OriginalClip("a", sound(), {})], ("file", "duration_s"), progress=True) == 1
    assert capsys.readouterr().err == ""
