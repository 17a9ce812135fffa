"""The collection command: its arithmetic, its table and its errors."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from benchmark.__main__ import main
from benchmark.reporting.markdown import markdown
from benchmark.speed import collection
from benchmark.speed.children import ChildFailed
from benchmark.speed.collection import command as collection_speed_command
from benchmark.speed.collection import ratios
from benchmark.speed.collection_methods import MethodSettings
from benchmark.speed.collection_report import report
from benchmark.speed.race import Method, NotAvailable


def test_ratios_are_of_whole_programs_turn_by_turn() -> None:
    # The machine is ten times as slow in the second turn, for all.
    methods = {
        "package": Method("", 100, dict, {"wall": [9.0, 90.0], "start": [1.0, 10.0]}),
        "plain": Method("", 10, dict, {"wall": [3.9, 39.0], "start": [1.0, 10.0]}),
        "network": Method("", 50, dict, {"wall": [4.0, 40.0], "start": [7.0, 70.0]}),
        "yamnet": Method("", 10, dict, missing="not installed"),
    }
    assert ratios(methods, 100) == {"plain": 4.0, "network": 0.8}


def test_the_table_says_what_is_reached_and_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Seconds of work for all files that a method processes.
    times = {"package": 10.0, "package_bfloat16": 5.0, "package_int8": 6.0, "network": 1.0}
    times |= {"plain": 9.0, "opensmile": 8.0, "wav2vec2": 100.0}

    def fake(name: str, settings: MethodSettings) -> dict[str, float]:
        if name == "yamnet":
            raise NotAvailable("its model file is missing: --yamnet FILE")
        return {"wall": times[name] * len(settings.files) / 10, "cpu": 1.0, "start": 0.0}

    monkeypatch.setattr(collection, "in_a_process", fake)
    outputs = [tmp_path / "collection_speed.json", tmp_path / "collection_speed.md"]
    arguments = ["--clips", "10", "--seconds", "0.1", "--turns", "2", "--no-progress", "--rate", "8000"]
    collection_speed_command.main([*arguments, *(f"-o{output}" for output in outputs)], standalone_mode=False)
    result = json.loads(outputs[0].read_text())
    assert result["ratios"] == {name: pytest.approx(times[name] / 10) for name in times if name != "package"}
    table = outputs[1].read_text()
    assert report(result, markdown).strip() in table
    for what, reached in (("network", "no"), ("plain loop", "no"), ("openSMILE", "no"), ("wav2vec2", "no")):
        assert re.search(rf"\| .*{what}.* \| {reached} \|", table), what
    assert re.search(r"YAMNet.*\| – \| its model file is missing", table)
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
def test_bad_options_are_refused_before_clips_are_written(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collection, "write_clips", lambda *_: pytest.fail("clips were written"))
    with pytest.raises(SystemExit) as stopped:
        main(["collection", "--no-progress", *arguments])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_a_method_that_fails_is_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str, settings: MethodSettings) -> dict[str, float]:
        raise ChildFailed(f"{name} failed: MemoryError")

    monkeypatch.setattr(collection, "in_a_process", fail)
    with pytest.raises(SystemExit) as stopped:
        main(["collection", "--clips", "2", "--seconds", "0.1", "--no-progress", "--rate", "8000"])
    assert stopped.value.code == 1
    assert capsys.readouterr().err == "error: package failed: MemoryError\n"
