"""The command, from sounds to findings."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from click.testing import CliRunner

from benchmark.comparison.page import load_section
from benchmark.studies.rsa.command import command as rsa_command
from benchmark.studies.rsa.descriptors import describe
from benchmark.studies.rsa.dissimilarity import (
    reference_matrices,
)
from benchmark.studies.rsa.report import report
from tests.benchmark.made_sets import RATE, write_all_sets

pytest.importorskip("rsatoolbox")


pytest.importorskip("parselmouth")


rng = np.random.default_rng(0)


def tone(hertz: float, seconds: float = 1.0, amplitude: float = 0.5) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


def as_csv(path: Path, matrix: np.ndarray, names: list[str]) -> None:
    pd.DataFrame(matrix, index=names, columns=names).to_csv(path)


def run(*arguments: object) -> str:
    result = CliRunner().invoke(rsa_command, [str(each) for each in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_missing_rsatoolbox_is_reported_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rsatoolbox.rdm.rdms", None)
    with pytest.raises(ModuleNotFoundError, match="pip install rsatoolbox"):
        run("--audio", tmp_path / "nowhere", "--cache", tmp_path, "-o", tmp_path)


def test_the_command_from_sets_to_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_all_sets(tmp_path / "audio")
    common = ["--audio", tmp_path / "audio", "--cache", tmp_path / "cache", "--per-side", 10, "--draws", 3]
    arguments = [*common, "--models", "logmel,mfcc", "--no-progress", "-o"]
    output = run(*arguments, tmp_path / "results")
    assert "| logmel |" in output
    results = tmp_path / "results"
    numbers = pd.read_csv(results / "rsa.csv")
    assert set(numbers["stimuli"]) == {"speech", "nonspeech", "together"}
    assert numbers["value"].between(-1.0001, 1.0001).all()
    for name in (
        "rsa.png",
        "rsa_partial.png",
        "rsa_matrices.png",
        "rsa.json",
        "rsa_descriptors.csv",
        "rsa_matrices.npz",
    ):
        assert (results / name).stat().st_size > 0
    found = report(results)
    assert len(found.sentences) == 3 and found.sentences[0] in (results / "rsa_findings.md").read_text()
    assert all(drawn is not None for drawn, _ in found.figures.values())
    (results / "rsa_matrices.npz").unlink()
    assert [name for name, (drawn, _) in report(results).figures.items() if drawn is None] == ["rsa_matrices"]
    assert sum(block["kind"] == "figure" for block in load_section(results / "rsa.md").data()["blocks"]) == 3
    monkeypatch.setattr("benchmark.studies.rsa.command.show_report", lambda *_: None)
    run(*arguments, tmp_path / "again")
    assert (tmp_path / "again" / "rsa.csv").read_bytes() == (results / "rsa.csv").read_bytes()


def test_ratings_of_a_descriptor_are_explained_by_it(tmp_path: Path) -> None:
    sounds = tmp_path / "sounds"
    sounds.mkdir()
    names = [f"sound{number}" for number in range(10)]
    for name, hertz, amplitude in zip(names, 150 * 2 ** rng.uniform(0, 3, 10), 10 ** rng.uniform(-2, -0.4, 10)):
        soundfile.write(sounds / f"{name}.wav", tone(hertz, 0.3, amplitude), RATE, subtype="PCM_16")
    described = [describe(soundfile.read(sounds / f"{name}.wav", dtype="float32")[0], RATE) for name in names]
    pitch = reference_matrices(described)["pitch"]
    for listener in ("anna", "ben"):
        as_csv(tmp_path / f"{listener}.csv", pitch, names)
    arguments = ["--stimuli", sounds, "--cache", tmp_path / "cache", "-o", tmp_path / "out", "--no-progress"]
    listeners = ["--ratings", tmp_path / "anna.csv", "--ratings", tmp_path / "ben.csv"]
    run(*arguments, *listeners, "--draws", 5, "--models", "logmel")
    numbers = pd.read_csv(tmp_path / "out" / "rsa.csv").query("reference == 'listeners' and measure == 'spearman'")
    values = numbers.set_index("model")["value"]
    assert values["pitch"] == pytest.approx(1, abs=0.01) and values["noise ceiling"] == pytest.approx(1)
    assert values["level"] < 0.7
    # The picture rsa_listeners.png is that of the study with published ratings, which may be in the same folder.
    assert [path.name for path in (tmp_path / "out").glob("rsa_[lr]*.png")] == ["rsa_ratings.png"]
    text = (tmp_path / "out" / "rsa.md").read_text()
    assert "The ratings of 2 listeners correlate with the dissimilarities of `logmel` (" in text
    assert (
        "; among the descriptors, most with " in text
        and "pitch (1.00)" in text
        and "the noise ceiling is 1.00 to 1.00." in text
    )
    assert (
        "one set" not in text and "set that" not in text and "rsa --models logmel --draws 5 --ratings anna.csv" in text
    )
    (sounds / "sound3.wav").unlink()
    with pytest.raises(FileNotFoundError, match="1 are missing: sound3"):
        run(*arguments, *listeners)
