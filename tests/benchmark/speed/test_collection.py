"""The benchmark from a folder to a table: its files, its contestants and its arithmetic."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

import byola_hear
from benchmark.__main__ import main
from benchmark.reporting.markdown import markdown
from benchmark.speed import collection as collection_speed
from benchmark.speed import collection_ways
from benchmark.speed.collection import collection_speed_command
from benchmark.speed.collection_clips import recordings, write_clips
from benchmark.speed.collection_contestants import (
    ContestantFailed,
    NotAtHand,
    Settings,
    in_a_process,
    network,
    plain,
    run,
    yamnet,
)
from benchmark.speed.collection_report import report
from benchmark.speed.collection_ways import Way, ratios
from byola_hear.audio.reading import read_audio


@pytest.fixture(scope="module")
def files(clips_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    source = recordings(clips_folder, 22050, 2)
    return [str(file) for file in write_clips(tmp_path_factory.mktemp("clips"), source, 22050, 3, 0.7)]


def settings(files: list[str], **changes: Any) -> Settings:
    return Settings(**{"files": files, "model": "speech", "threads": 1, "output": "", "yamnet": "", **changes})


def test_files_have_the_form_asked_for_and_differ(files: list[str]) -> None:
    for file in files:
        info = soundfile.info(file)
        assert (info.format, info.samplerate, info.channels, info.frames) == ("FLAC", 22050, 2, round(0.7 * 22050))
    clips = [read_audio(file, 22050) for file in files]
    assert min(clip.std() for clip in clips) > 1e-4
    assert not np.allclose(clips[0], clips[1])


def test_recordings_are_laid_end_to_end(clips_folder: Path) -> None:
    seconds = sum(soundfile.info(file).duration for file in clips_folder.glob("*_*.*"))
    assert recordings(clips_folder, 8000, 1).shape == (pytest.approx(8000 * seconds, rel=0.01), 1)


def test_the_plain_loop_gets_the_same_embeddings(files: list[str]) -> None:
    ours = byola_hear.get_scene_embeddings(
        [torch.from_numpy(read_audio(file, 16000)) for file in files], byola_hear.load_model("speech")
    )
    np.testing.assert_allclose(network(settings(files))(files), ours, rtol=0, atol=1e-5)
    np.testing.assert_allclose(plain(settings(files))(files), ours, rtol=0, atol=1e-2)


def test_a_way_runs_in_its_own_process(files: list[str], tmp_path: Path) -> None:
    output = tmp_path / "table.parquet"
    result = in_a_process("package", settings(files, output=str(output)))
    assert result["seconds"] > 0
    assert result["start_seconds"] > 0
    assert output.is_file()
    with pytest.raises(ContestantFailed, match="network failed: .*nobody"):
        in_a_process("network", settings(files, model="nobody"))


def test_a_way_that_is_not_at_hand_has_no_numbers(files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.speed.collection_contestants.find_spec", lambda _: None)
    assert run("opensmile", settings(files)) == {"missing": "not installed: pip install opensmile"}
    monkeypatch.setattr("benchmark.speed.collection_contestants.find_spec", lambda _: True)
    with pytest.raises(NotAtHand, match="--yamnet"):
        yamnet(settings(files))


def test_ratios_are_of_whole_programs_turn_by_turn() -> None:
    # The machine is ten times as slow in the second turn: for all.
    ways = {
        "package": Way("package", 100, work=[9.0, 90.0], start=[1.0, 10.0]),
        "plain": Way("plain", 10, work=[3.9, 39.0], start=[1.0, 10.0]),
        "network": Way("network", 50, work=[4.0, 40.0], start=[7.0, 70.0]),
        "yamnet": Way("yamnet", 10, missing="not installed"),
    }
    assert ratios(ways, 100) == {"plain": 4.0, "network": 0.8}


def test_the_table_says_what_is_reached_and_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Seconds of work for all files that a way goes through, and of its start.
    times = {"package": 10.0, "package_bfloat16": 5.0, "network": 1.0}
    times |= {"plain": 9.0, "opensmile": 8.0, "wav2vec2": 100.0}

    def fake(name: str, told: Settings) -> dict[str, Any]:
        if name == "yamnet":
            return {"missing": "its model file is not at hand: --yamnet FILE"}
        return {"seconds": times[name] * len(told.files) / 10, "cpu_seconds": 1.0, "start_seconds": 0.0}

    monkeypatch.setattr(collection_ways, "in_a_process", fake)
    outputs = [tmp_path / "collection_speed.json", tmp_path / "collection_speed.md"]
    arguments = ["--clips", "10", "--seconds", "0.1", "--turns", "2", "--no-progress", "--rate", "8000"]
    collection_speed_command.main([*arguments, *(f"-o{output}" for output in outputs)], standalone_mode=False)
    result = json.loads(outputs[0].read_text())
    assert result["ratios"] == {name: pytest.approx(times[name] / 10) for name in times if name != "package"}
    table = outputs[1].read_text()
    assert report(result, markdown).strip() in table
    for what, reached in (("network", "no"), ("plain loop", "no"), ("openSMILE", "no"), ("wav2vec2", "no")):
        assert re.search(rf"\| .*{what}.* \| {reached} \|", table), what
    assert re.search(r"YAMNet.*\| – \| its model file is not at hand", table)
    result["ratios"].update(network=0.5, plain=3.0, opensmile=1.1, wav2vec2=20.0)
    assert len(re.findall("yes$", report(result), re.MULTILINE)) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "spech"], "no model is called 'spech'"),
        (["--model", "gone.safetensors"], "no such checkpoint: gone.safetensors"),
        (["--seconds", "nan"], "expected a finite number, got nan"),
    ],
)
def test_what_is_wrong_is_told_before_clips_are_written(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collection_speed, "write_clips", lambda *_: pytest.fail("written all the same"))
    with pytest.raises(SystemExit) as stopped:
        main(["collection", "--no-progress", *arguments])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_a_way_that_fails_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str, told: Settings) -> dict[str, Any]:
        raise ContestantFailed(f"{name} failed: MemoryError")

    monkeypatch.setattr(collection_ways, "in_a_process", fail)
    with pytest.raises(SystemExit) as stopped:
        main(["collection", "--clips", "2", "--seconds", "0.1", "--no-progress", "--rate", "8000"])
    assert stopped.value.code == 1
    assert capsys.readouterr().err == "error: package failed: MemoryError\n"
