"""``byola_hear.embed``: every kind of input, one kind of table."""

from __future__ import annotations

import io
import json
import os
import re
import tempfile
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import soxr
import torch

import byola_hear
from byola_hear.audio.reading import AudioFileError, read_audio
from byola_hear.extraction.clips import Clip
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel

DATA = Path(__file__).parent / "data"
FILES = sorted(str(path) for path in DATA.iterdir() if path.suffix != ".md")


@pytest.fixture(scope="module")
def model() -> ByolaModel:
    """A small network; its size is not what matters here."""
    torch.manual_seed(0)
    encoder = EncoderConfig(n_mels=16, channels=4, hidden_size=10)
    return ByolaModel(ModelConfig("small", "1", FrontendConfig(n_mels=16), encoder, -7.0, 4.0)).eval()


def contents(file: Path) -> list[Any]:
    """What a service may have in place of a file's path."""
    data = file.read_bytes()
    spooled = tempfile.SpooledTemporaryFile()  # noqa: SIM115
    spooled.write(data)
    spooled.seek(0)
    # The last ones would be read as lists of paths, and so could name a file of someone else.
    streams = [io.BytesIO(data), spooled, io.BytesIO(bytes(file)), io.StringIO(str(file))]
    return [data, bytearray(data), memoryview(data), *streams]


def of_file(model: ByolaModel, file: str) -> np.ndarray:
    return model.scene_embeddings(torch.from_numpy(read_audio(file, 16000))[None])[0].numpy()


def test_the_content_of_a_file_is_no_path(model: ByolaModel) -> None:
    for content in contents(DATA / "speech_french_16k.wav"):
        for given in (content, [content]):
            with pytest.raises(TypeError, match=f"^expected paths, clips or .*{type(content).__name__}.*its path$"):
                byola_hear.embed(given, model)


@pytest.mark.parametrize("form", ["folder", "list", "Path", "pattern", "array", "bytes", "iterator", "series", "clips"])
def test_files_in_any_form(model: ByolaModel, form: str) -> None:
    inputs: Any = {
        "folder": DATA,
        "list": FILES,
        "Path": [Path(file) for file in FILES],
        "pattern": [str(DATA / "*.wav"), *FILES],
        "array": np.array(FILES),
        "bytes": np.array([os.fsencode(file) for file in FILES]),
        "series": pandas.Series(FILES),
        "clips": [Clip(Path(file)) for file in FILES],  # type: ignore[arg-type]
        "iterator": map(Path, FILES),
    }[form]
    table = byola_hear.embed(inputs, model)
    assert table.index.names == ["file", "start", "end"]
    assert sorted(table.index.get_level_values("file")) == FILES
    assert list(table.columns) == [f"e{index}" for index in range(26)] and (table.dtypes == np.float32).all()
    for (file, start, end), row in zip(table.index, table.to_numpy(), strict=True):
        assert (start, end) == (0, len(read_audio(file, 16000)) / 16000)
        np.testing.assert_allclose(row, of_file(model, file), atol=1e-5, rtol=1e-5)


def test_files_in_an_array_of_variable_length_strings(model: ByolaModel) -> None:
    string = getattr(getattr(np, "dtypes", None), "StringDType", None)
    if string is None:
        pytest.skip("NumPy 2 has such arrays")
    table = byola_hear.embed(np.array(FILES, dtype=string()), model)
    pandas.testing.assert_frame_equal(table, byola_hear.embed(FILES, model))


def test_numbers_of_any_type(model: ByolaModel) -> None:
    arguments = {"window": np.float32(0.5), "hop": np.int64(1), "workers": np.int32(1)}
    table = byola_hear.embed(FILES[0], model, **arguments)
    pandas.testing.assert_frame_equal(table, byola_hear.embed(FILES[0], model, window=0.5, hop=1.0))
    assert json.loads(json.dumps(table.attrs["request"]))["window"] == 0.5


def test_segments_of_files(model: ByolaModel) -> None:
    table = byola_hear.embed([Clip(FILES[-1], 0.25, 0.75), FILES[-1]], model)
    assert table.index[0] == (FILES[-1], 0.25, 0.75)
    samples = torch.from_numpy(read_audio(FILES[-1], 16000))[4000:12000]
    np.testing.assert_allclose(table.iloc[0], model.scene_embeddings(samples[None])[0], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("form", ["one", "batch", "list", "tensors", "iterator"])
def test_waveforms(model: ByolaModel, form: str) -> None:
    samples = read_audio(FILES[-1], 16000)[:16000]
    inputs: Any = {
        "one": samples,
        "batch": np.stack([samples, samples[::-1]]),
        "list": [samples, samples[:500]],
        "tensors": [torch.from_numpy(samples), torch.from_numpy(samples[:1])],
        "iterator": iter([samples, samples[:500]]),
    }[form]
    table = byola_hear.embed(inputs, model, sample_rate=16000)
    assert len(table) == (1 if form == "one" else 2)
    assert table.index[0] == ("0", 0.0, 1.0)
    expected = model.scene_embeddings(torch.from_numpy(samples)[None])[0]
    np.testing.assert_allclose(table.iloc[0], expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "form",
    ["float64", "longdouble", "big-endian", "read-only", "reversed", "every second", "Fortran", "bfloat16", "gradient"],
)
def test_waveforms_of_any_layout(model: ByolaModel, form: str) -> None:
    samples = read_audio(FILES[-1], 16000)[:8000]
    read_only = samples.copy()
    read_only.flags.writeable = False
    given: Any = {
        "float64": samples.astype(np.float64),
        "longdouble": samples.astype(np.longdouble),
        "big-endian": samples.astype(">f4"),
        "read-only": read_only,
        "reversed": samples[::-1].copy()[::-1],
        "every second": np.repeat(samples, 2)[::2],
        "Fortran": np.asfortranarray(np.stack([samples, samples])),
        "bfloat16": torch.from_numpy(samples).bfloat16(),
        "gradient": torch.from_numpy(samples.copy()).requires_grad_(),
    }[form]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        embedded = byola_hear.embed(given, model, sample_rate=np.int64(16000), output="numpy")
    expected = model.scene_embeddings(torch.from_numpy(samples)[None])
    np.testing.assert_allclose(embedded[:1], expected, atol=0.1 if form == "bfloat16" else 1e-5, rtol=1e-5)


def test_waveforms_of_another_rate_are_resampled(model: ByolaModel) -> None:
    samples = read_audio(FILES[-1], 44100)
    expected = model.scene_embeddings(torch.from_numpy(soxr.resample(samples, 44100, 16000, quality="HQ"))[None])
    actual = byola_hear.embed(samples, model, sample_rate=44100, output="numpy")
    assert actual.dtype == np.float32
    np.testing.assert_allclose(actual, expected, atol=1e-4, rtol=1e-4)
    assert byola_hear.embed([samples[:1]], model, sample_rate=44100).shape == (1, 26)


def test_timestamps(model: ByolaModel) -> None:
    table = byola_hear.embed(FILES[0], model, "timestamp")
    assert table.index.names == ["file", "start", "end", "time"]
    expected, milliseconds = model.timestamp_embeddings(torch.from_numpy(read_audio(FILES[0], 16000))[None])
    np.testing.assert_allclose(table.index.get_level_values("time") * 1000, milliseconds[0], rtol=1e-6)
    np.testing.assert_allclose(table, expected[0], atol=1e-5, rtol=1e-5)


def test_windows(model: ByolaModel) -> None:
    table = byola_hear.embed(FILES, model, window=0.5)
    starts = table.loc[FILES[0]].index.get_level_values("start")
    assert starts[:2].tolist() == [0.0, 0.5] and isinstance(table, pandas.DataFrame)


def test_a_bad_file_raises_an_error_or_is_skipped(model: ByolaModel, tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no audio")
    files = [FILES[0], str(tmp_path / "text.wav"), FILES[1]]
    with pytest.raises(AudioFileError, match=r"text\.wav: not an audio file") as held:
        byola_hear.embed(files, model)
    assert held and not [thread for thread in threading.enumerate() if thread.name.startswith(("decode", "network"))]
    table = byola_hear.embed(files, model, errors="skip")
    assert table.index.get_level_values("file").tolist() == [FILES[0], FILES[1]]
    assert list(table.attrs["errors"]) == [files[1]]
    segments = [Clip(FILES[0], start, start + 1) for start in (7000.0, 8000.0, 8000.0)]
    (reasons,) = byola_hear.embed(segments, model, errors="skip").attrs["errors"].values()
    assert re.fullmatch(r"the \w+ begins at 7000 s, .*; the \w+ begins at 8000 s, .*", reasons)
    empty = byola_hear.embed(files[1:2], model, errors="skip")
    assert empty.shape == (0, 26) and empty.index.names == ["file", "start", "end"]
    with pytest.warns(UserWarning, match=r"^1 file could not be embedded, so the array lacks rows; .*wav: not an"):
        assert byola_hear.embed(files[1:2], model, errors="skip", output="numpy").shape == (0, 26)
    absent = str(tmp_path / "nope.wav")
    table = byola_hear.embed([absent, FILES[0]], model, errors="skip")
    assert table.index.get_level_values("file").tolist() == [FILES[0]]
    assert table.attrs["errors"] == {absent: "no such file or folder"}
    assert byola_hear.embed(absent, model, errors="skip").shape == (0, 26)


def test_an_array_has_the_rows_of_every_input(model: ByolaModel) -> None:
    files = [FILES[0], FILES[1], FILES[0]]
    array = byola_hear.embed(files, model, output="numpy")
    table = byola_hear.embed(files, model).to_numpy()
    np.testing.assert_allclose(array, table[[0, 1, 0]], atol=1e-5)
    windows = byola_hear.embed(files, model, window=0.5, output="numpy")
    n_first = len(byola_hear.embed(files[0], model, window=0.5))
    np.testing.assert_array_equal(windows[:n_first], windows[-n_first:])


#: A cell of an audio column of Hugging Face's datasets.
HUGGING_FACE = {"array": np.zeros(9), "sampling_rate": 16000, "path": "a.wav"}


@pytest.mark.parametrize(
    ("inputs", "arguments", "error", "message"),
    [
        ("nowhere.wav", {}, FileNotFoundError, "nowhere.wav"),
        ([], {}, ValueError, "at least one path, clip or waveform"),
        (np.zeros((0, 9)), {"sample_rate": 16000}, ValueError, "at least one path, clip or waveform"),
        ([3, "a.wav"], {}, TypeError, "expected paths, clips or waveforms, got int 3; a waveform is a NumPy array"),
        ([0.1, 0.2], {}, TypeError, r"got a list of numbers; a waveform .* such as numpy.array\(numbers\)"),
        ([[0.1, 0.2]], {"sample_rate": 16000}, TypeError, r"got a list of numbers; a waveform"),
        ((0.1, 0.2), {"sample_rate": 16000}, TypeError, r"got a list of numbers; a waveform"),
        (HUGGING_FACE, {}, TypeError, r"a dict with the keys array, sampling_rate, path; .* such as d\['array'\] with"),
        ([HUGGING_FACE], {"sample_rate": 16000}, TypeError, "a dict with the keys array, sampling_rate, path; a wavef"),
        ({"a.wav": "cat"}, {}, TypeError, "a dict with the keys a.wav; a waveform is"),
        (pandas.DataFrame({"path": ["a.wav"]}), {}, TypeError, "got DataFrame; give one of its columns"),
        (["a.wav", None], {}, TypeError, "expected paths, clips or waveforms, got NoneType"),
        ([float("nan"), "a.wav"], {}, TypeError, "expected paths, clips or waveforms, got float nan"),
        (np.ma.masked_equal([0.0, 0.5], 0.5), {"sample_rate": 16000}, ValueError, "waveform 0 without masked samples"),
        (np.zeros(9), {}, ValueError, "waveforms need their sample_rate in Hz"),
        (np.zeros(9), {"sample_rate": 0}, ValueError, "sample_rate must be a positive integer, got 0"),
        (np.zeros(9), {"sample_rate": float("inf")}, ValueError, "sample_rate must be a positive integer, got inf"),
        (np.zeros(9), {"sample_rate": 0.001}, ValueError, "sample_rate must be a positive integer, got 0.001"),
        (np.zeros(9), {"sample_rate": "16000"}, ValueError, "sample_rate must be a positive integer, got '16000'"),
        (None, {}, TypeError, "expected paths, clips or waveforms, got NoneType"),
        (np.zeros(9, np.int16), {"sample_rate": 16000}, ValueError, "divide integers by their range"),
        (np.zeros((2, 2, 2)), {"sample_rate": 16000}, ValueError, r"got \(2, 2, 2\)"),
        (
            np.zeros((400, 1)),
            {"sample_rate": 16000},
            ValueError,
            r"got \(400, 1\), which looks like \(n_samples",
        ),
        ([np.zeros((2, 9))], {"sample_rate": 16000}, ValueError, r"expected waveform 0 of shape \(n_samples,\)"),
        ([np.zeros(0)], {"sample_rate": 16000}, ValueError, "at least one sample"),
        ([np.full(9, np.nan)], {"sample_rate": 16000}, ValueError, "finite"),
        ([np.zeros(9), "a.wav"], {"sample_rate": 16000}, ValueError, "got both, a str among waveforms"),
        (FILES[0], {"sample_rate": 16000}, ValueError, "files know their own"),
        (FILES[0], {"kind": "event"}, ValueError, "kind must be"),
        (FILES[0], {"output": "polars"}, ValueError, "output must be 'pandas' or 'numpy', got 'polars'"),
        (FILES[0], {"errors": "ignore"}, ValueError, "errors must be 'raise' or 'skip', got 'ignore'"),
        (FILES[0], {"workers": 0}, ValueError, "workers must be a positive integer, got 0"),
        (FILES[0], {"workers": "2"}, ValueError, "workers must be a positive integer, got '2'"),
        (FILES[0], {"window": "1"}, ValueError, "window must be a positive number of seconds, got '1'"),
        (FILES[0], {"window": 1e-9}, ValueError, "window must be at least one sample, 6.25e-05 s, got 1e-09"),
        (FILES[0], {"kind": "timestamp", "hop": 1e-9}, ValueError, "hop must be at least one sample"),
    ],
)
def test_wrong_input(
    model: ByolaModel, inputs: Any, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        byola_hear.embed(inputs, model, **arguments)
