"""The speed benchmark: what it compares gives the same embeddings, and its arithmetic is right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import soundfile
import torch

from benchmark.__main__ import main
from benchmark.baselines.untrained import untrained_model
from benchmark.reporting.markdown import markdown
from benchmark.speed import reference as speed_reference
from benchmark.speed.children import measured
from benchmark.speed.embeddings import measure, report, verdicts, write_long_file
from benchmark.speed.race import Contestant, ratio, sound
from benchmark.speed.reference import PlainModel, windowed_embeddings
from byola_hear.models.checkpoint import save_checkpoint
from byola_hear.models.model import ByolaModel


@pytest.fixture(scope="module")
def model() -> ByolaModel:
    return untrained_model(0, -8.0, 4.5)


@pytest.mark.parametrize("with_torchaudio", [True, False])
def test_the_plain_way_leads_to_the_same_embeddings(
    model: ByolaModel, with_torchaudio: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not with_torchaudio:
        monkeypatch.setattr(speed_reference, "_import_mel_spectrogram", lambda: None)
    plain = PlainModel(model)
    if with_torchaudio and not plain.front_end.startswith("torchaudio"):
        pytest.skip("torchaudio is not installed")
    clips = sound(2, 1.3, model.sample_rate)
    torch.testing.assert_close(plain.scene_embeddings(clips), model.scene_embeddings(clips), rtol=1e-4, atol=1e-4)


def test_windows_are_around_their_times(model: ByolaModel) -> None:
    clip = sound(1, 2.0, model.sample_rate)[0]
    windowed = windowed_embeddings(model.scene_embeddings, clip, model.sample_rate, batch=7)
    assert windowed.shape == (41, model.scene_embedding_size)
    alone = model.scene_embeddings(clip[None, 8000:24000])
    torch.testing.assert_close(windowed[20:21], alone, rtol=1e-4, atol=1e-4)


def test_a_ratio_is_taken_turn_by_turn() -> None:
    # The machine is ten times as slow in the second turn: for both.
    ours = Contestant("ours", int, 80.0, cpu=[1.0, 10.0, 1.0])
    theirs = Contestant("theirs", int, 10.0, cpu=[0.5, 5.0, 0.5])
    assert ratio(ours, theirs) == 4.0


def test_a_turn_is_timed() -> None:
    contestant = Contestant("sum", lambda: sum(range(200_000)), 1.0)
    contestant.turn()
    assert 0 < contestant.cpu[0] < 5
    assert contestant.speeds("wall") == [1 / contestant.wall[0]]


def test_a_long_file_has_its_length(tmp_path: Path) -> None:
    write_long_file(tmp_path / "long.wav", 90.5, 16000)
    info = soundfile.info(tmp_path / "long.wav")
    assert (info.frames, info.samplerate, info.subtype) == (90.5 * 16000, 16000, "PCM_16")


def test_aims_are_judged() -> None:
    ratios = {"scene": 1.6, "timestamps": 14.9, "timestamps_own": 15.0}
    result = {
        "ratios": {"cpu": ratios, "wall": ratios},
        "start_up": {"import": 1.0, "load": 1.0, "first_clip": 1.1, "total": 3.1},
        "memory": {"file": {"peak_bytes": 1.4e9}, "tensor": {"peak_bytes": 1.6e9}},
        "about": {"hours": 3.0},
    }
    reached = [line[-1] for line in verdicts(result)]
    assert reached == ["yes", "no", "yes"] * 2 + ["no", "yes", "no"]
    result["about"]["hours"] = 0.25  # type: ignore[index]
    assert verdicts(result)[-1][-1] == "aim is for 3 h"


def test_memory_is_that_of_the_process_itself(model: ByolaModel, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, model)
    ballast = torch.ones(300_000_000 // 4)
    result = measured("memory_of_tensor", str(path), "20")
    assert 1e8 < result["peak_bytes"] < 9e8
    assert result["tensor_bytes"] == 20 * 16000 * 4
    del ballast
    with pytest.raises(RuntimeError, match="start_up failed: .*nowhere"):
        measured("start_up", str(tmp_path / "nowhere.safetensors"))


@pytest.mark.parametrize("output", ["speed.csv", "no/such/folder/speed.json"])
def test_an_output_that_could_not_be_written_is_refused_first(
    output: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("benchmark.speed.embeddings.measure", lambda *_: pytest.fail("measured all the same"))
    with pytest.raises(SystemExit) as stopped:
        main(["speed", "-o", str(tmp_path / output)])
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith("error: expected an output file that ends in .json or .md")


def test_hours_are_a_number(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("benchmark.speed.embeddings.measure", lambda *_: pytest.fail("measured all the same"))
    with pytest.raises(SystemExit) as stopped:
        main(["speed", "--hours", "nan"])
    assert stopped.value.code == 2
    assert "expected a finite number, got nan" in capsys.readouterr().err


def test_everything_in_one_run(model: ByolaModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.speed.embeddings.N_CLIPS", 1)
    monkeypatch.setattr("benchmark.speed.embeddings.CLIP_SECONDS", 0.5)
    result = measure("untrained", turns=1, starts=1, hours=0, progress=False)
    json.dumps(result)
    text = report(result)
    assert "start-up beyond torch's import" in text
    assert "| scene embeddings | " in report(result, markdown)
    assert all(each["per_cpu_second"] > 0 for each in result["speed"].values())
    assert 0 < result["start_up"]["import"] < result["start_up"]["total"]
