"""Models as rows of a table: measured, or empty with the reason."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmark.baselines import BASELINES, vggish
from benchmark.baselines.crepe import Crepe
from benchmark.models.extractors import extractor_of, extractors_of
from benchmark.models.heareval_rows import model_rows
from benchmark.models.loading import ModelName
from benchmark.models.rows import all_models, models_by_row
from byola_hear import list_models
from byola_hear.models.zoo import zoo_folder
from tests.benchmark.labelled_sets import write_set


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with drum_strokes.tar: tones of two pitches as labels."""
    folder = tmp_path_factory.mktemp("audio")
    splits = ("train", "train", "valid", "test")
    rows = [
        {"label": ["low", "high"][stroke % 2], "split": splits[stroke // 2 % 4], "stroke": str(stroke)}
        for stroke in range(16)
    ]
    tones = [
        0.3 * np.sin(np.arange(3000 + 100 * stroke) * 2 * np.pi * 400 * (1 + stroke % 2) / 16000)
        for stroke in range(16)
    ]
    write_set(folder, "drum_strokes", rows, tones)
    return folder


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No weights at hand and nowhere to fetch VGGish's from."""
    monkeypatch.setenv("BYOLA_BENCHMARK_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(vggish, "URL", (tmp_path / "vggish.pth").as_uri())
    return tmp_path


def probe(*arguments: str) -> int:
    from benchmark.__main__ import main

    with pytest.raises(SystemExit) as stopped:
        main(["probe", "--no-progress", "--tasks", "drum_strokes", *arguments])
    return int(stopped.value.code or 0)


def crepe_weights(path: Path, seed: int) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        torch.save(Crepe("tiny").state_dict(), path)
    return path


def test_a_row_without_its_weights_says_so(
    audio: Path, nowhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BYOLA_BENCHMARK_CACHE", str(nowhere / "cache"))
    outputs = {suffix: nowhere / f"table{suffix}" for suffix in (".md", ".csv", ".json")}
    options = [part for output in outputs.values() for part in ("-o", str(output))]
    assert probe("--models", "vggish,logmel", "--audio", str(audio), *options) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[1].split() == ["vggish", "–", "–"] and shown[2].split()[:2] == ["logmel", "100.0"]
    assert shown[3].startswith("vggish: not measured: needs its released weights")
    markdown = outputs[".md"].read_text()
    assert "| vggish | – | – |" in markdown and "| logmel | **100.0 ± 24.5** |" in markdown
    assert "- vggish: not measured: needs its released weights" in markdown
    first, *others = csv.DictReader(io.StringIO(outputs[".csv"].read_text()))
    assert first["model"] == "vggish" and first["accuracy"] == "" and "BYOLA_BENCHMARK_MODELS" in first["missing"]
    assert [line["missing"] for line in others] == [""]
    written = json.loads(outputs[".json"].read_text())["models"]
    assert written["vggish"]["tasks"] == {} and written["vggish"]["mean"] is None
    assert "released weights" in written["vggish"]["missing"] and written["logmel"]["missing"] is None


def test_embeddings_are_kept_by_weights(audio: Path, tmp_path: Path) -> None:
    one, other = (crepe_weights(tmp_path / f"{seed}.pth", seed) for seed in (1, 2))
    same = crepe_weights(tmp_path / "same.pth", 1)
    identities = [extractor_of(ModelName.of(f"crepe_tiny={path}")).identity for path in (one, other, same)]
    assert identities[0] == identities[2] != identities[1]
    cache = tmp_path / "cache"

    def kept() -> int:
        return len(list((cache / "embeddings").glob("*.npy")))

    for path, count in ((one, 1), (other, 2), (same, 2)):
        assert probe("--models", f"crepe_tiny={path}", "--audio", str(audio), "--cache", str(cache)) == 0
        assert kept() == count


def test_rows_are_called_by_baseline_and_weights(tmp_path: Path) -> None:
    path = crepe_weights(tmp_path / "mine.pth", 1)
    assert extractor_of(ModelName.of(f"crepe_tiny={path}")).row == "crepe_tiny=mine"
    assert extractor_of(ModelName.of("logmel")).row == "logmel"
    (seed,) = extractors_of(ModelName.of("untrained=3"), list)
    assert (seed.row, seed.note) == ("untrained=3", "v2 shape as PyTorch initialises it, seed 3")


def test_a_network_in_a_precision_is_a_row_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("byola_hear.models.model.speeds", lambda *_: {"float32": 1.0})
    rows = models_by_row("both,both@int8,both@bfloat16")
    assert list(rows) == ["both", "both@int8", "both@bfloat16"]
    assert [rows[name].load().precision for name in rows] == ["float32", "int8", "bfloat16"]
    extractors = [extractor_of(name) for name in rows.values()]
    assert len({each.identity for each in extractors}) == 3
    assert extractors[1].note.endswith(" in int8")
    with pytest.raises(ValueError, match="HEAR's tools load networks in float32, got 'both@int8'"):
        model_rows(["both@int8"])
    with pytest.raises(ValueError, match="no model is called 'bth'"):
        models_by_row("bth@int8")


def test_all_is_every_network_and_baseline_once() -> None:
    found = all_models()
    assert len(set(found)) == len(found) and set(found) == {*list_models(), *BASELINES}
    assert tuple(models_by_row("all")) == tuple(models_by_row(["all"])) == found


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ("crepe_tiny=no_such_file.pth", "no_such_file.pth"),
        ("logmel=weights.pth", "log-mel statistics have no weights"),
        ("logmel,all", "expected each model once, got logmel twice"),
        ("untrained=x", "expected a seed"),
    ],
)
def test_bad_rows_are_one_line(
    audio: Path,
    nowhere: Path,
    models: str,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert probe("--models", models, "--audio", str(audio), "--cache", str(nowhere)) == 2
    error = capsys.readouterr().err
    assert message in error and error.startswith("error: ") and error.count("\n") == 1


def test_a_checkpoint_that_would_be_shown_under_the_name_of_another_gets_its_folder(tmp_path: Path) -> None:
    checkpoint = tmp_path / "mine/byola-both.safetensors"
    checkpoint.parent.mkdir()
    shutil.copy(zoo_folder() / "byola-both.safetensors", checkpoint)
    assert list(models_by_row(["both", str(checkpoint)])) == ["both", "mine-byola-both"]
    assert list(models_by_row([str(checkpoint)])) == ["byola-both"]
    with pytest.raises(ValueError, match="rows have names of their own, got both and .*byola-both.safetensors"):
        models_by_row([str(checkpoint), "both"])
    for twice in (["both", "both"], [str(checkpoint), str(checkpoint)]):
        with pytest.raises(ValueError, match="expected each model once"):
            models_by_row(twice)
