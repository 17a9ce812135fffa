"""The command, from recordings to findings."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from benchmark.__main__ import run
from benchmark.baselines.untrained import untrained_model
from benchmark.comparison.page import load_section
from benchmark.studies.findings import read_numbers
from benchmark.studies.onsets import command
from benchmark.studies.onsets.grid import chosen_setting
from benchmark.studies.onsets.report import sentences, shown
from benchmark.tasks.task import Task
from byola_hear.models.checkpoint import save_checkpoint
from tests.benchmark.studies.onsets.made_items import items


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    task = Task(
        "tones", "tones", "nonspeech", "", "event", "multilabel", ("train", "valid", "test"), 3.0, (), items, ()
    )
    monkeypatch.setattr(command, "task_of", lambda name: task)
    # The network's own window is tried wherever the others are.
    monkeypatch.setattr(command, "WIDTHS", (1,))
    monkeypatch.setattr(command, "HOPS", (1, 5))
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio" / "x.tar").touch()
    save_checkpoint(tmp_path / "net.safetensors", untrained_model(0, -8.0, 4.5))
    arguments = ["--models", str(tmp_path / "net.safetensors"), "--tasks", "tones", "--audio", str(tmp_path / "audio")]
    arguments += ["--cache", str(tmp_path / "cache"), "-o", str(tmp_path / "out"), "--no-progress"]
    with pytest.raises(SystemExit) as stopped:
        run(command.command, arguments, "time")
    output = capsys.readouterr()
    assert not stopped.value.code, output.err
    numbers = read_numbers(tmp_path / "out", "time")
    assert set(numbers["window_ms"]) == {40, 360}
    assert numbers.query("split == 'valid'")["f1_200"].max() == 1
    # Test recordings are shown for the chosen setting and for the default alone.
    settings = set(zip(*(numbers.query("split == 'test'")[name] for name in ("window_ms", "hop_ms"))))
    assert settings == {chosen_setting(numbers), (360.0, 40.0)}
    assert shown(numbers, 360.0, 40.0).equals(numbers)
    assert any(block["kind"] == "figure" for block in load_section(tmp_path / "out" / "time.md").data()["blocks"])
    assert all(each in output.out for each in sentences(numbers, (360.0, 40.0)))
    window, hop = chosen_setting(numbers)
    first = sentences(numbers, (window, hop))[0]
    assert f"a window of {window:g} ms every {hop:g} ms (the default) is best for onsets" in first and ";" not in first
    both = pd.concat([numbers, numbers.assign(model="other", f1_200=0.25, f1_50=0.125)], ignore_index=True)
    assert sentences(both, (window, hop))[-1].endswith("% and `other` 25.0 and 12.5 %.")


@pytest.mark.parametrize(
    ("models", "tasks", "message"),
    [
        ("both", ",", "expected at least one event task, got ','"),
        ("both,mfcc", "voice_activity", "expected networks, whose windows can be chosen, got mfcc"),
        ("both,both", "voice_activity", "expected each model once, got both twice"),
    ],
)
def test_bad_options_are_refused(
    models: str, tasks: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.tar").touch()
    arguments = ["--models", models, "--tasks", tasks, "--audio", str(tmp_path), "--cache", str(tmp_path / "cache")]
    with pytest.raises(SystemExit) as stopped:
        run(command.command, [*arguments, "-o", str(tmp_path / "out")], "time")
    assert stopped.value.code == 2
    assert capsys.readouterr().err == f"error: {message}\n"
