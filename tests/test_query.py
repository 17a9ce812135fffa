"""Search by sound: what is found, and what is refused."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch

import byola_hear
from byola_hear import AudioFileError, Clip, TableError, query
from byola_hear.extraction.clips import find_clips
from byola_hear.extraction.extract import extract
from byola_hear.extraction.request import Request, request_for
from byola_hear.extraction.rows import Rows
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel
from byola_hear.models.precision import SlowPrecisionWarning
from byola_hear.tables import Scan, TableRefused, open_store


def small_model(seed: int = 0, size: int = 10) -> ByolaModel:
    torch.manual_seed(seed)
    encoder = EncoderConfig(n_mels=16, channels=4, hidden_size=size)
    return ByolaModel(ModelConfig("small", "1.5", FrontendConfig(n_mels=16), encoder, -7.0, 4.0)).eval()


@pytest.fixture(scope="module")
def model() -> ByolaModel:
    return small_model()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four recordings of noise, with a tone between 3 and 5 s in two of them; and the tone alone."""
    folder = tmp_path_factory.mktemp("recordings")
    random = np.random.default_rng(0)
    times = np.arange(8 * 16000) / 16000
    tone = 0.3 * np.sin(2 * np.pi * 440 * times)
    for name in ("a", "b", "c", "d"):
        sound = random.normal(0, 0.01, len(times))
        if name in ("b", "d"):
            sound[52000:76000] += tone[52000:76000]
        soundfile.write(folder / f"{name}.wav", sound, 16000)
    soundfile.write(folder / "query.flac", tone[: 2 * 16000] + random.normal(0, 0.01, 2 * 16000), 16000)
    return folder


@pytest.fixture(scope="module")
def table(folder: Path, model: ByolaModel) -> pd.DataFrame:
    return byola_hear.embed(sorted(folder.glob("*.wav")), model, window=1.0)


def stored(path: Any, folder: Path, model: ByolaModel, count: int = 5, spoil: bool = False) -> None:
    """Write the first recordings as a table of windows of a second, on wish with NaN in it."""
    clips, request = find_clips(sorted(folder.glob("*.wav")))[:count], request_for(model, "scene", 1.0)
    with open_store(path, request, clips, overwrite=True) as store:
        for event in extract(clips, model, request):
            if isinstance(event, Rows) and spoil:
                event.embeddings[2, 1] = np.nan
            store.add(event)
        store.finish()


def names(hits: pd.DataFrame) -> list[tuple[str, float, float]]:
    return [(Path(row.file).stem, row.start, row.end) for row in hits.itertuples()]


@pytest.fixture(scope="module")
def heard(folder: Path) -> pd.DataFrame:
    """A table by a network that was pre-trained."""
    if "both" not in byola_hear.list_models():
        pytest.skip("no networks in weights/")
    return byola_hear.embed(sorted(folder.glob("*.wav")), window=1.0)


@pytest.mark.parametrize("cosine", ["standardised", "plain"])
def test_what_sounds_the_same_is_found_and_merged(folder: Path, heard: pd.DataFrame, cosine: Any) -> None:
    alone = byola_hear.search(heard, folder / "query.flac", 2, cosine=cosine, merge=False)
    assert list(alone) == ["file", "start", "end", "score"]
    assert set(names(alone)) <= {("b", 3, 4), ("b", 4, 5), ("d", 3, 4), ("d", 4, 5)}
    assert alone["score"].is_monotonic_decreasing and alone["score"].between(0.5, 1.0001).all()
    merged = byola_hear.search(heard, folder / "query.flac", 2, cosine=cosine)
    assert {name for name, _, _ in names(merged)} == {"b", "d"}
    assert merged["score"].tolist()[0] == alone["score"].tolist()[0]
    whole = byola_hear.search(heard, folder / "query.flac", 1, cosine=cosine, exclude=folder / "b.wav")
    assert names(whole)[0] in names(alone)


def test_queries_are_averaged_and_segments_are_taken(folder: Path, table: pd.DataFrame, model: ByolaModel) -> None:
    segments = [Clip(str(folder / "b.wav"), 3, 5), Clip(str(folder / "d.wav"), 3, 5)]
    both = byola_hear.search(table, segments, 40, model=model, merge=False, cosine="plain")
    each = [byola_hear.search(table, one, 40, model=model, merge=False, cosine="plain") for one in segments]
    mean = sum(hits.set_index(["file", "start"])["score"] for hits in each) / 2
    assert both.set_index(["file", "start"])["score"].sub(mean).abs().max() < 1e-6
    one = byola_hear.search(table, folder / "b.wav", 40, start=3, end=5, model=model, merge=False, cosine="plain")
    pd.testing.assert_frame_equal(one, each[0])


@pytest.mark.filterwarnings("error::byola_hear.models.precision.SlowPrecisionWarning")
@pytest.mark.parametrize("precision", ["int8", "bfloat16"])
def test_the_precision_of_a_table_is_that_of_the_query(folder: Path, model: ByolaModel, precision: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SlowPrecisionWarning)
        other = model.in_precision(precision)
    files = sorted(folder.glob("*.wav"))
    table = byola_hear.embed(files, other, window=1.0)
    assert query.model_of(Request(**table.attrs["request"]), "t", model).precision == precision
    found = byola_hear.search(table, folder / "query.flac", 5, model=model)
    pd.testing.assert_frame_equal(found, byola_hear.search(table, folder / "query.flac", 5, model=other))
    exact = byola_hear.embed(files, model, window=1.0)
    with pytest.raises(TableRefused, match=rf"of the same name, not with small 1\.5 in {precision}; a query needs"):
        byola_hear.search(exact, folder / "query.flac", model=other)


def test_the_columns_of_a_table_in_memory_go_by_their_names(
    folder: Path, table: pd.DataFrame, model: ByolaModel
) -> None:
    def scores(frame: pd.DataFrame) -> pd.Series:
        hits = byola_hear.search(frame, folder / "query.flac", 40, model=model, merge=False)
        return hits.set_index(["file", "start"])["score"].sort_index()

    expected, labelled = scores(table), table.copy()
    labelled.insert(0, "label", "owl")
    for frame in (table[sorted(table.columns)], table.assign(cluster=3), labelled):
        pd.testing.assert_series_equal(scores(frame), expected, rtol=0, atol=1e-4)


def test_sounds_may_come_from_iterators(folder: Path, table: pd.DataFrame, model: ByolaModel) -> None:
    queries, excluded = [folder / "query.flac", folder / "b.wav"], [folder / "a.wav"]
    expected = byola_hear.search(table, queries, 5, exclude=excluded, model=model)
    found = byola_hear.search(table, iter(queries), 5, exclude=iter(excluded), model=model)
    pd.testing.assert_frame_equal(found, expected)


@pytest.mark.parametrize("output", ["t.parquet", "t.npz", "t.csv", "folder/"])
def test_a_table_on_disk_gives_the_same_as_one_in_memory(
    folder: Path, table: pd.DataFrame, model: ByolaModel, tmp_path: Path, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(tmp_path / output if output[-1] != "/" else f"{tmp_path}/{output}", folder, model)
    # CSV does not say how long the windows are.
    tone = Clip(str(folder / "query.flac"), 0.5, 1.5)
    expected = byola_hear.search(table, tone, 5, model=model)
    for kept in (1 << 30, 0):
        monkeypatch.setattr(query.table, "_KEPT_BYTES", kept)
        found = byola_hear.search(f"{tmp_path}/{output}", tone, 5, model=model)
        pd.testing.assert_frame_equal(found, expected, check_exact=False, atol=1e-4)


def test_an_index_gives_the_same_hits(
    folder: Path, model: ByolaModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, index = tmp_path / "table.parquet", tmp_path / "table.index"
    tone, silence = Clip(str(folder / "query.flac"), 0.5, 1.5), Clip(str(folder / "a.wav"), 0, 1)
    options: Any = {"n": 5, "exclude": silence, "model": model}
    stored(path, folder, model)
    expected = byola_hear.search(path, tone, **options)
    found = byola_hear.search(path, tone, index=index, **options)
    pd.testing.assert_frame_equal(found, expected, check_exact=False, atol=1e-6)
    made = index.stat().st_mtime_ns
    with monkeypatch.context() as patched:  # the embeddings are not read again
        patched.setattr(Scan, "batches", lambda self: pytest.fail("reads the table"))
        found = byola_hear.search(path, tone, index=index, **options)
    pd.testing.assert_frame_equal(found, expected, check_exact=False, atol=1e-6)
    assert index.stat().st_mtime_ns == made
    # A table that has changed gets a new one.
    stored(path, folder, model, count=3)
    expected = byola_hear.search(path, tone, **options)
    found = byola_hear.search(path, tone, index=index, **options)
    pd.testing.assert_frame_equal(found, expected, check_exact=False, atol=1e-6)
    assert {Path(file).stem for file in found["file"]} <= {"a", "b", "c"}


def test_an_index_that_can_not_be_used(folder: Path, table: pd.DataFrame, model: ByolaModel, tmp_path: Path) -> None:
    path, new = tmp_path / "table.parquet", tmp_path / "x.index"
    stored(path, folder, model)
    stored(tmp_path / "nan.parquet", folder, model, spoil=True)
    stored(f"{tmp_path}/parts/", folder, model)
    (tmp_path / "notes.txt").write_text("mine")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    given: Any
    cosine: Any
    for given, index, cosine, message in (
        (path, tmp_path / "notes.txt", "standardised", "notes.txt is not an index of a table"),
        (path, tmp_path / "other.npz", "standardised", "other.npz is not an index of a table"),
        (path, new, "plain", "an index is for the standardised cosine and a table on disk, got the plain cosine"),
        (table, new, "standardised", "a table on disk, got a table in memory"),
        (tmp_path / "nan.parquet", new, "standardised", "nan.parquet: holds NaN or infinity, first in a row of"),
        (f"{tmp_path}/parts/", new, "standardised", "is a folder; an index needs a table that is one file"),
        (path, tmp_path / "nowhere/x.index", "standardised", "nowhere"),
    ):
        with pytest.raises((ValueError, TableError, OSError), match=message):
            byola_hear.search(given, str(folder / "a.wav"), index=index, cosine=cosine, model=model)
    assert (tmp_path / "notes.txt").read_text() == "mine" and not new.exists()


def test_windows_cover_the_query() -> None:
    samples = np.arange(25, dtype=np.float32)
    assert [window.tolist() for window in query.sounds.windows(samples[:7], 10)] == [samples[:7].tolist()]
    assert [(window[0], len(window)) for window in query.sounds.windows(samples, 10)] == [(0, 10), (8, 10), (15, 10)]


def test_real_speech_is_nearest_to_speech(clips_folder: Path) -> None:
    if "both" not in byola_hear.list_models():
        pytest.skip("no networks in weights/")
    table = byola_hear.embed(clips_folder, window=1.0)
    hits = byola_hear.search(
        table, clips_folder / "speech_english_8k.wav", 2, exclude=clips_folder / "drum_stereo_44k.flac"
    )
    assert [Path(file).name for file in hits["file"]] == ["speech_english_8k.wav", "speech_french_16k.wav"]


def test_what_is_refused(folder: Path, table: pd.DataFrame, model: ByolaModel, tmp_path: Path) -> None:
    sound = folder / "query.flac"
    soundfile.write(tmp_path / "silent.wav", np.full(16000, 0.25), 16000)
    soundfile.write(tmp_path / "short.wav", np.ones(100), 16000)
    broken = table.copy()
    broken.iloc[9, 3] = np.nan
    bare = table.copy()
    bare.attrs = {}
    times = byola_hear.embed(folder / "a.wav", model, "timestamp")
    timeless = times.copy()
    timeless.attrs = {}
    cases: list[tuple[Any, Any, dict[str, Any], type[Exception], str]] = [
        (broken, sound, {}, TableError, r"^the table: holds NaN or infinity, first in a row of .*b\.wav$"),
        (table[:0], sound, {}, TableError, "^the table: the table is empty$"),
        (times, sound, {}, TableRefused, "^the table is a table of timestamps; expected one of scenes"),
        (timeless, sound, {}, TableRefused, "^expected a table of scenes, got one of timestamps$"),
        (bare, sound, {"model": None}, TableRefused, "^the table does not say which model made it; give the model$"),
        (
            table,
            sound,
            {"model": None},
            TableRefused,
            r"made with the model small 1\.5, which is not in the package; give",
        ),
        (
            table,
            sound,
            {"model": small_model(1)},
            TableRefused,
            "made with other weights of the same name, not with small",
        ),
        (
            bare,
            sound,
            {"model": small_model(1, 8)},
            TableRefused,
            "the table has embeddings of .* dimensions, the query",
        ),
        (table.reset_index(), sound, {}, TableRefused, "^expected a table with the index file, start, end; no file, "),
        (tmp_path / "none.parquet", sound, {}, FileNotFoundError, "^no table of embeddings: "),
        (table, tmp_path / "silent.wav", {}, AudioFileError, r"silent\.wav: the query is silent$"),
        (
            table,
            tmp_path / "short.wav",
            {},
            AudioFileError,
            r"short\.wav: expected a query of at least 0\.04 s, got 0\.006 s$",
        ),
        (table, tmp_path / "none.wav", {}, FileNotFoundError, "no such file or folder"),
        (table, [], {}, ValueError, "^expected at least one query, got none$"),
        (table, [sound, sound], {"start": 1.0}, ValueError, "^start and end are for one query, got 2$"),
        (table, sound, {"start": 9.0}, AudioFileError, r"query\.flac: .* begins at 9 s"),
        (table, sound, {"n": 0}, ValueError, "^n must be a positive number of hits, got 0$"),
        (table, sound, {"cosine": "euclid"}, ValueError, "^cosine must be one of standardised, plain, got 'euclid'$"),
        (table, io.BytesIO(bytes(sound)), {}, TypeError, r"^expected a query as a path or a clip, got an open file"),
        (table, np.zeros(9), {}, TypeError, "^expected a query as a path or a clip, got float64$"),
    ]
    for given, asked, options, error, message in cases:
        with pytest.raises(error, match=message) as caught:
            byola_hear.search(given, asked, **{"model": model, **options})
        assert "\n" not in str(caught.value)
