"""Short vectors at the command line: tables and classifiers of different dimensions do not mix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import byola_hear
from byola_hear.models.loading import load_named
from byola_hear.models.zoo import add_directions
from tests.cli.result import Result
from tests.models.small import with_directions


@pytest.fixture
def run_short(models: Path, run: Callable[..., Result]) -> Callable[..., Result]:
    """The command line, whose models have 6 directions."""
    for name in ("both", "speech"):
        model = load_named(name, models)
        directions = with_directions(model, 6).directions
        assert directions is not None
        add_directions(name, directions, models)
    return run


def test_a_table_shows_its_dimensions_and_takes_no_others(
    run_short: Callable[..., Result], clips_folder: Path, tmp_path: Path
) -> None:
    table = tmp_path / "t.parquet"
    result = run_short("embed", clips_folder, "-o", table, "--dimensions", "4")
    assert result.code == 0 and "6 rows of 4 dimensions" in result.out
    frame = byola_hear.read_table(table)
    assert frame.shape[1] == 4 and frame.attrs["request"]["size"] == 4
    for others in ((), ("--dimensions", "5")):
        result = run_short("embed", clips_folder, "-o", table, "--update", *others)
        assert result.code == 2 and "size 4, not " in result.err
    assert run_short("embed", clips_folder, "-o", table, "--update", "--dimensions", "4").code == 0
    result = run_short("embed", clips_folder, "--dimensions", "7")
    assert result.code == 2 and "expected 1 to 6 dimensions, or 26 for whole embeddings, got 7" in result.err
    assert "e3" not in run_short("embed", clips_folder, "--dimensions", "2").out


def test_search_embeds_the_query_as_the_table(
    run_short: Callable[..., Result], clips_folder: Path, tmp_path: Path
) -> None:
    query = clips_folder / "speech_french_16k.wav"
    for name, options in (("t.parquet", ()), ("t.csv", ("--model", "both", "--dimensions", "4"))):
        assert run_short("embed", clips_folder, "-o", tmp_path / name, "--dimensions", "4").code == 0
        result = run_short("search", tmp_path / name, query, "-n", "1", "--format", "csv", *options)
        assert result.code == 0 and "speech_french_16k.wav" in result.out
    result = run_short("search", tmp_path / "t.csv", query, "--model", "both")
    assert result.code == 2 and "has embeddings of 4 dimensions, the query has 26" in result.err
    result = run_short("search", tmp_path / "t.parquet", query, "--dimensions", "5")
    assert result.code == 2 and "has embeddings of 4 dimensions, not 5" in result.err


def test_a_classifier_records_its_dimensions(
    run_short: Callable[..., Result], models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("sklearn")
    from byola_hear.classification.file import load_classifier
    from tests.classification.sounds import write_clips

    monkeypatch.chdir(tmp_path)
    write_clips(tmp_path / "clips")
    learned = run_short("learn", "clips", "-o", "calls.safetensors", "--dimensions", "4", "-q")
    assert (learned.code, learned.err) == (0, "")
    classifier = load_classifier("calls.safetensors")
    assert classifier.network.size == 4 and classifier.weight.shape[1] == 4
    assert run_short("predict", "calls.safetensors", "clips", "-o", "found.csv").code == 0
    for options, size in (((), 26), (("--dimensions", "5"), 5)):
        run_short("embed", "clips", "-o", f"{size}.parquet", "--window", "0.5", *options)
        result = run_short("predict", "calls.safetensors", f"{size}.parquet")
        assert (
            result.code == 2
            and f"needs embeddings of 4 dimensions of both 1.5, {size}.parquet has {size}" in result.err
        )
    assert run_short("embed", "clips", "-o", "4.parquet", "--window", "0.5", "--dimensions", "4").code == 0
    assert run_short("predict", "calls.safetensors", "4.parquet").code == 0
    # A table says what made it.
    assert run_short("learn", "4.parquet", "-o", "table.safetensors", "-q").code == 0
    assert load_classifier("table.safetensors").network.fingerprint == classifier.network.fingerprint
    result = run_short("learn", "4.parquet", "-o", "x.safetensors", "--dimensions", "4")
    assert result.code == 2 and "without --window, --model, --embeddings and --dimensions" in result.err


def test_an_exported_file_gives_short_vectors(run_short: Callable[..., Result], models: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    from byola_hear.onnx.export import open_session

    assert run_short("export", "both", "-o", tmp_path / "short.onnx", "--dimensions", "4").code == 0
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 8000)).astype(np.float32)
    (given,) = open_session(tmp_path / "short.onnx").run(None, {"waveforms": noise})
    expected = byola_hear.embed(noise, load_named("both", models, 4), sample_rate=16000, output="numpy")
    np.testing.assert_allclose(given, expected, atol=1e-4 * np.abs(expected).max())


def test_scikit_learn_and_embed_take_dimensions(run_short: Callable[..., Result], clips_folder: Path) -> None:
    pytest.importorskip("sklearn")
    from byola_hear.sklearn import ByolaTransformer

    file = str(clips_folder / "speech_french_16k.wav")
    expected = byola_hear.embed(file, dimensions=4, output="numpy")
    assert expected.shape == (1, 4)
    np.testing.assert_array_equal(ByolaTransformer(dimensions=4).fit_transform([file]), expected)
    assert list(ByolaTransformer(dimensions=2).get_feature_names_out()) == ["e0", "e1"]
    model = byola_hear.load_model("both", 4)
    np.testing.assert_array_equal(byola_hear.embed(file, model, output="numpy"), expected)
    with pytest.raises(ValueError, match="expected a model of 3 dimensions, got one of 4"):
        byola_hear.embed(file, model, dimensions=3)
