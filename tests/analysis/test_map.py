"""The map: places and neighbours of planted embeddings, labels, and a page that holds whatever names it is given."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import re
import shutil
import sys
from html import unescape
from pathlib import Path
from typing import Any
from unicodedata import normalize
from unittest.mock import Mock
from urllib.parse import unquote_to_bytes

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from byola_hear import labels
from byola_hear.analysis.layouts import LayoutError, check_method, placed
from byola_hear.analysis.listening.sounds import preview
from byola_hear.analysis.map import clip_labels, folder_labels, write_map
from byola_hear.analysis.map.labels import NONE, TOP, LabelError
from byola_hear.analysis.map.page import NEIGHBOURS
from byola_hear.analysis.neighbours import directions, neighbours
from byola_hear.cli.main import main
from byola_hear.models.checkpoint import save_checkpoint
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel

HOSTILE = "</script><script>alert(1)</script><!--<img src=x onerror=alert(2)>{{data}}&amp;\"'`\u2028.wav"


def groups(n_groups: int = 3, members: int = 12, size: int = 40, seed: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
    """Embeddings in groups far apart, on top of a mean that they share, and each one's group."""
    random = np.random.default_rng(seed)
    group = np.repeat(np.arange(n_groups), members)
    centres = random.normal(0, 5, (n_groups, size))
    scales = np.exp(random.normal(0, 2, size))
    return ((centres[group] + random.normal(size=(len(group), size)) + 100) * scales).astype(np.float32), group


def table_of(embeddings: NDArray[Any], files: list[str] | None = None) -> pd.DataFrame:
    n = len(embeddings)
    files = files or [f"folder/{index}.wav" for index in range(n)]
    # Text that is none, a name of other bytes than UTF-8, needs an index of objects.
    columns = [pd.Index(files, dtype=object), np.zeros(n), np.arange(n) + 1.0]
    index = pd.MultiIndex.from_arrays(columns, names=["file", "start", "end"])
    return pd.DataFrame(embeddings, index, [f"e{column}" for column in range(embeddings.shape[1])])


def data_of(page: Path) -> dict[str, Any]:
    """What the page's script reads, by the rules of HTML: up to the first end tag."""
    text = page.read_text(encoding="utf-8")
    found = re.findall(r'<script id="data" type="application/json">(.*?)</script', text, re.DOTALL | re.IGNORECASE)
    assert len(found) == 1
    data: dict[str, Any] = json.loads(found[0])
    return data


# ---- layout


def test_nearest_neighbours_are_of_the_planted_group() -> None:
    embeddings, group = groups()
    indices, cosines = neighbours(directions(embeddings), 8)
    assert (group[indices] == group[:, None]).all()
    assert (np.diff(cosines, axis=1) <= 0).all()
    assert (indices != np.arange(len(group))[:, None]).all()


def test_neighbours_are_those_of_all_cosines(monkeypatch: pytest.MonkeyPatch) -> None:
    units = torch.nn.functional.normalize(torch.randn(50, 6, generator=torch.Generator().manual_seed(0)))
    units[7] = units[3]
    expected = units @ units.T
    expected.fill_diagonal_(-2)
    monkeypatch.setattr("byola_hear.analysis.neighbours._SIMILARITIES", 350)  # seven rows at a time
    indices, cosines = neighbours(units, 5)
    torch.testing.assert_close(torch.from_numpy(cosines), expected.sort(1, descending=True).values[:, :5])
    torch.testing.assert_close(expected.gather(1, torch.from_numpy(indices)), torch.from_numpy(cosines))
    assert indices[3][0] == 7 and indices[7][0] == 3


@pytest.mark.parametrize("n", [1, 2, 3, NEIGHBOURS])
def test_few_clips(n: int, tmp_path: Path) -> None:
    embeddings = np.random.default_rng(0).normal(size=(n, 20)).astype(np.float32)
    write_map(tmp_path / "map.html", table_of(embeddings), ["a"] * n)
    data = data_of(tmp_path / "map.html")
    assert [len(near) for near in data["near"]] == [n - 1] * n
    assert np.isfinite(data["place"]).all() and np.isfinite(data["cosine"]).all()


def test_equal_clips_and_constant_dimensions(tmp_path: Path) -> None:
    embeddings = np.full((6, 10), 0.1, np.float32)
    assert not directions(embeddings).any()
    embeddings[:3, 0] = 1.0
    indices, cosines = neighbours(directions(embeddings), 2)
    assert {tuple(sorted(row)) for row in indices[:3].tolist()} == {(0, 1), (0, 2), (1, 2)}
    np.testing.assert_allclose(cosines, 1, rtol=1e-5)


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_groups_lie_apart_and_stay_where_they_are(method: str) -> None:
    embeddings, group = groups()
    units = directions(embeddings)
    places = placed(units, method)
    assert places.min() >= 0 and places.max() <= 1 and np.ptp(places, axis=0).max() == pytest.approx(1)
    distance = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(distance, np.inf)
    assert (group[distance.argmin(1)] == group).all()
    before = torch.random.get_rng_state()
    np.testing.assert_array_equal(placed(units, method), places)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_pca_is_scikit_learns() -> None:
    from sklearn.decomposition import PCA

    units = directions(groups(members=40)[0])
    expected = PCA(2, svd_solver="full").fit_transform(units.numpy())
    places = placed(units, "pca")
    expected = (expected - (expected.min(0) + expected.max(0)) / 2) / np.ptp(expected, axis=0).max() + 0.5
    for axis in range(2):
        differences = [np.abs(places[:, axis] - side).max() for side in (expected[:, axis], 1 - expected[:, axis])]
        assert min(differences) < 1e-3


def test_layouts_that_can_not_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    units = directions(groups(members=1)[0])
    with pytest.raises(LayoutError, match="needs at least 5 clips, got 3"):
        placed(units, "tsne")
    with pytest.raises(LayoutError, match="needs clips that differ, all 6 are the same"):
        placed(directions(np.ones((6, 8), np.float32)), "tsne")
    with pytest.raises(LayoutError, match="must be one of pca, tsne, umap, got 'som'"):
        placed(units, "som")
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(LayoutError, match=r"needs umap-learn: pip install 'byola-hear\[umap\]'"):
        placed(units, "umap")
    monkeypatch.setattr("byola_hear.utils.optional.import_module", Mock(side_effect=ImportError("Numba needs NumPy 2")))
    with pytest.raises(LayoutError, match=r"layout umap needs umap-learn: .*can't be imported: Numba needs NumPy 2"):
        check_method("umap")


# ---- labels


def test_folders_as_labels(tmp_path: Path) -> None:
    files = [str(tmp_path / name) for name in ("a/1.wav", "a/b/2.wav", "3.wav")]
    assert folder_labels(files) == ["a", "a/b", TOP]
    assert folder_labels(files[:1]) == [TOP]
    assert folder_labels([]) == []


def read_labels(path: Path, files: list[str], column: str | None = None) -> list[str]:
    """The labels in a file of clips that are whole files of two seconds."""
    found = labels.read(path, missing="keep", label_column=column)
    return clip_labels(found, path, [(file, 0.0, 2.0) for file in files])


def write_csv(path: Path, rows: list[list[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return path


def test_labels_by_path_by_place_and_by_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files = ["x/one.wav", "x/two.wav", "y/two.wav", "y/three.wav", "y/three.wav", "y/four.wav"]
    rows = [
        ["label", "file"],
        ["by path", "x/one.wav"],
        ["not said which", "two.wav"],
        ["by end", "y/two.wav"],
        ["of both windows", "three.wav"],
        ["elsewhere", "/z/five.wav"],
    ]
    (tmp_path / "labels").mkdir()
    path = write_csv(tmp_path / "labels" / "labels.csv", rows)
    expected = ["by path", NONE, "by end", "of both windows", "of both windows", NONE]
    assert read_labels(path, files) == expected
    (tmp_path / "x").mkdir()
    path = write_csv(tmp_path / "x" / "labels.csv", [["filename", "class"], ["two.wav", "beside the CSV file"]])
    assert read_labels(path, files, "class")[1:3] == ["beside the CSV file", NONE]


def test_labels_know_a_recording_by_either_spelling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    one, other = (normalize(form, "rec/Gänse.wav") for form in ("NFC", "NFD"))
    for name, file in ((one, other), (other, one)):
        for path in (name, f"{tmp_path}/{name}", Path(name).name):
            rows = [["file", "label"], [path, "goose"], ["rec/owl.wav", "owl"]]
            assert read_labels(write_csv(tmp_path / "labels.csv", rows), [file, "rec/owl.wav"]) == ["goose", "owl"]


def test_labels_from_a_spreadsheet(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_bytes("file;label;note, remark\r\na.wav;Vögel, laut;x\r\n".encode("utf-16"))
    assert read_labels(tmp_path / "labels.csv", ["a.wav"]) == ["Vögel, laut"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["file", "label"], ["b.wav", "x"]], "names none of the 1 clips; the first is a.wav"),
        ([["file", "label"], ["a.wav", "x"], ["a.wav", "y"]], "two labels for a.wav: 'x' and 'y'"),
    ],
)
def test_labels_that_can_not_be_used(tmp_path: Path, rows: list[list[str]], message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read_labels(write_csv(tmp_path / "labels.csv", rows), ["a.wav"])


def test_the_label_that_covers_most_of_a_clip() -> None:
    rows = [
        ("a.wav", 0.0, 1.0, "owl"),
        ("a.wav", 0.5, 4.0, "fox"),
        ("a.wav", 6.0, np.nan, "hen"),
        ("a.wav", 5.0, 5.0, "tick"),
    ]
    found = pd.DataFrame(rows, columns=["file", "start", "end", "label"])
    clips = [("a.wav", start, start + 1.0) for start in (0.0, 1.0, 2.0, 3.8, 4.6, 6.2, 9.0)]
    assert clip_labels(found, "x.csv", clips) == ["owl", "fox", "fox", NONE, "tick", "hen", "hen"]
    assert clip_labels(found, "x.csv", [("a.wav", 0.0, 10.0)]) == ["fox"]


def test_a_day_with_many_labels_is_compared_only_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    from byola_hear.analysis.map import labels as module

    random = np.random.default_rng(0)
    begins = random.uniform(0, 1000, 200)
    found = pd.DataFrame({"file": "day.wav", "start": begins, "end": begins + random.choice([0, 0.3, 1, 5], 200)})
    found["label"] = random.choice(["owl", "fox", "wren"], 200)
    clips = [("day.wav", place / 2, place / 2 + 1) for place in range(2000)]
    compared = []

    def common(*segments: tuple[float, float]) -> float:
        compared.append(segments)
        return every_common(*segments)

    every_common = module._common
    monkeypatch.setattr(module, "_common", common)
    labels_of = clip_labels(found, "x.csv", clips)
    assert len(compared) < 0.01 * len(found) * len(clips)
    rows = list(found[["start", "end", "label"]].itertuples(index=False, name=None))
    for (_, start, end), label in zip(clips, labels_of, strict=True):
        shared = [every_common((first, last), (start, end)) for first, last, _ in rows]
        assert label == (rows[int(np.argmax(shared))][2] if max(shared) else NONE)


# ---- page


def test_the_page_holds_the_map(tmp_path: Path) -> None:
    embeddings, group = groups()
    files = [str(tmp_path / f"g{number}" / f"{index}.wav") for index, number in enumerate(group)]
    size = write_map(tmp_path / "map.html", table_of(embeddings, files), folder_labels(files))
    data = data_of(tmp_path / "map.html")
    assert (tmp_path / "map.html").stat().st_size == size
    assert data["labels"] == ["g0", "g1", "g2"] and data["label"] == group.tolist()
    assert [data["files"][index] for index in data["file"]] == [f"g{g}/{i}.wav" for i, g in enumerate(group)]
    assert data["links"][:2] == ["./g0/0.wav", "./g0/1.wav"]
    assert np.array(data["place"]).shape == (36, 2) and np.array(data["near"]).shape == (36, NEIGHBOURS)
    assert data["whole"] and "previews" not in data and data["folder"] == f"{tmp_path}/"
    assert f"<title>{tmp_path.name}</title>" in (tmp_path / "map.html").read_text(encoding="utf-8")


def test_the_same_table_gives_the_same_page(tmp_path: Path) -> None:
    table = table_of(groups()[0])
    for name in ("a.html", "b.html"):
        write_map(tmp_path / name, table, ["x"] * len(table))
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_windows_of_a_file_are_points_of_it(tmp_path: Path) -> None:
    table = table_of(groups(members=2)[0], ["a.wav", "a.wav", "b.wav", "b.wav", "b.wav", "a.wav"])
    write_map(tmp_path / "map.html", table, ["x"] * 6)
    data = data_of(tmp_path / "map.html")
    assert data["files"] == ["a.wav", "b.wav"] and data["file"] == [0, 0, 1, 1, 1, 0] and len(data["links"]) == 2
    assert data["span"][2] == [0.0, 3.0]


def test_nothing_in_a_name_gets_out_of_its_place(tmp_path: Path) -> None:
    table = table_of(groups(1, 3)[0], [HOSTILE, "b\udcff.wav", "c.wav"])
    write_map(tmp_path / "map.html", table, [HOSTILE, "{{script}}", "x"], title=HOSTILE, preview=lambda *_: HOSTILE)
    text = (tmp_path / "map.html").read_text(encoding="utf-8")
    data = data_of(tmp_path / "map.html")
    assert HOSTILE in data["labels"] and "{{script}}" in data["labels"] and data["previews"] == [HOSTILE] * 3
    assert [os.path.basename(name) for name in data["files"]][1] == "b?.wav"
    assert data["exact"] == {"1": "b\udcff.wav"}
    assert re.findall(r"<\s*/?\s*(?:script|img)\b[^>]*>", text) == [
        '<script id="data" type="application/json">',
        "</script>",
        "<script>",
        "</script>",
    ]
    titles = re.findall(r"<(title|h1)>(.*?)</\1>", text)
    assert [(tag, unescape(inner)) for tag, inner in titles] == [("title", HOSTILE), ("h1", HOSTILE)]
    assert all("<" not in inner and '"' not in inner for _, inner in titles)


@given(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=30))
def test_a_link_leads_to_its_file(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    folder = Path(tmp_path_factory.getbasetemp())
    if name in (".", ".."):
        return
    table = table_of(np.zeros((1, 4), np.float32), [str(folder / "sounds" / name)])
    for page, start in ((folder / "map.html", "./sounds/"), (folder / "sounds" / "map.html", "./")):
        page.parent.mkdir(exist_ok=True)
        write_map(page, table, ["x"])
        link = data_of(page)["links"][0]
        assert re.fullmatch(r"[A-Za-z0-9._~/%-]+", link)
        assert unquote_to_bytes(link) == os.fsencode(start + name)


def test_only_the_page_s_own_script_may_run_and_nothing_is_fetched(tmp_path: Path) -> None:
    write_map(tmp_path / "map.html", table_of(groups()[0]), ["x"] * 36)
    text = (tmp_path / "map.html").read_text(encoding="utf-8")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="(.*?)"', text)
    assert policy is not None and policy[1].startswith("default-src 'none';")
    for tag in ("style", "script"):
        inner = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert inner is not None
        digest = base64.b64encode(hashlib.sha256(inner[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy[1]
    assert not re.search(r"https?://|\bsrc=|<link|@import|innerHTML|insertAdjacentHTML|document\.write|\beval\b", text)


@pytest.mark.parametrize(
    ("embeddings", "labels", "message"),
    [
        (np.zeros((0, 4), np.float32), [], "shows 1 to 50000 clips, got 0"),
        (np.zeros((2, 4), np.float32), ["x"], "a label for each of 2 clips, got 1"),
        (np.full((2, 4), np.nan, np.float32), ["x", "y"], "not finite"),
    ],
)
def test_tables_that_make_no_map(tmp_path: Path, embeddings: NDArray[Any], labels: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        write_map(tmp_path / "map.html", table_of(embeddings), labels)
    assert not list(tmp_path.iterdir())


def test_preview_is_the_beginning_of_the_clip(clips_folder: Path) -> None:
    uri = preview(str(clips_folder / "speech_french_16k.wav"), 0.25, 1.25, 0.5)
    kind, content = uri.split(";base64,")
    assert kind == "data:audio/mpeg"
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(content)))
    original, _ = soundfile.read(clips_folder / "speech_french_16k.wav", start=4000, stop=12000)
    assert rate == 16000 and len(samples) == 8000
    assert np.corrcoef(samples, original)[0, 1] > 0.95
    assert len(preview(str(clips_folder / "speech_french_16k.wav"), 0.0, 1.0, 60.0)) > len(uri)


# ---- command


@pytest.fixture
def collection(tmp_path: Path, clips_folder: Path) -> Path:
    """A folder of clips in two subfolders, and a small model."""
    for place, path in enumerate(sorted(clips_folder.glob("*_*"))):
        folder = tmp_path / "sounds" / ("even", "odd")[place % 2]
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder)
    encoder = EncoderConfig(channels=4, hidden_size=16)
    config = ModelConfig("test", "1.0", FrontendConfig(), encoder, mean=-8.0, std=4.5)
    torch.manual_seed(0)
    save_checkpoint(tmp_path / "model.safetensors", ByolaModel(config).eval())
    return tmp_path


def run(folder: Path, *arguments: object) -> int:
    # A table has its model already.
    audio = not any(str(argument).startswith(str(folder / "table")) for argument in arguments)
    model = ["--model", str(folder / "model.safetensors")] if audio else []
    with pytest.raises(SystemExit) as ended:
        main(["map", *model, *map(str, arguments)])
    return int(ended.value.code or 0)


def test_command(collection: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = collection / "map.html"
    assert run(collection, collection / "sounds", "-o", page) == 0
    assert "6 clips, 2 labels" in capsys.readouterr().out
    data = data_of(page)
    assert data["labels"] == ["even", "odd"]
    assert all((collection / unquote_to_bytes(link).decode()).is_file() for link in data["links"])
    assert run(collection, collection / "sounds", "-o", page) == 2
    assert "exists; give --overwrite" in capsys.readouterr().err
    labels = write_csv(collection / "labels.csv", [["file", "tongue"], ["speech_french_16k.wav", "French"]])
    options = ("--labels", labels, "--label-column", "tongue", "--embed-audio", "--preview-seconds", "0.2")
    assert run(collection, collection / "sounds", "-o", page, *options, "--overwrite", "--title", "Sounds & more") == 0
    data = data_of(page)
    assert data["labels"] == [NONE, "French"] and "links" not in data
    track = collection / "speech_french_16k.txt"
    track.write_text("0.1\t0.6\tparole\n")
    assert run(collection, collection / "sounds", "-o", page, "--labels", track, "--overwrite") == 0
    assert data_of(page)["labels"] == [NONE, "parole"]
    assert all(uri.startswith("data:audio/mpeg;base64,") for uri in data["previews"])


def test_windows_from_the_command_line(collection: Path) -> None:
    clip = collection / "sounds" / "even" / "ambience_stereo_48k.opus"
    assert run(collection, clip, "-o", collection / "map.html", "--window", "0.5") == 0
    data = data_of(collection / "map.html")
    assert len(data["files"]) == 1 and data["span"][1] == [0.5, 1.0]


def test_what_can_not_be_mapped_is_refused_before_anything_is_embedded(
    collection: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("byola_hear.dataframe.embed", Mock(side_effect=AssertionError("embedded")))
    labels = write_csv(collection / "labels.csv", [["file", "start", "end", "label"], ["a.wav", "soon", "2", "x"]])
    assert run(collection, collection / "sounds", "-o", collection / "map.html", "--labels", labels) == 2
    assert "line 2: expected a time as seconds or H:MM:SS, got 'soon'" in capsys.readouterr().err
    monkeypatch.setattr("byola_hear.cli.map.MAX_POINTS", 5)
    assert run(collection, collection / "sounds", "-o", collection / "map.html") == 2
    assert "a map shows up to 5 clips, got 6; `byola-hear atlas` takes more" in capsys.readouterr().err


def test_labels_of_a_table_of_timestamps(collection: Path) -> None:
    table, track = collection / "table.npz", collection / "speech_french_16k.txt"
    track.write_text("0\t1\tparole\n")
    options = ["--model", str(collection / "model.safetensors"), "--kind", "timestamp", "--hop", "0.5"]
    with pytest.raises(SystemExit):
        main(["embed", str(collection / "sounds"), "-o", str(table), *options])
    assert run(collection, table, "-o", collection / "map.html", "--labels", track) == 0
    assert data_of(collection / "map.html")["labels"] == [NONE, "parole"]


@pytest.mark.parametrize("name", ["table.npz", "table"])
def test_a_table_instead_of_sounds(collection: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    table = collection / name
    (collection / "table").mkdir()  # which is of one .npy a file
    with pytest.raises(SystemExit) as ended:
        model = str(collection / "model.safetensors")
        main(["embed", str(collection / "sounds"), "--model", model, "-o", str(table)])
    assert not ended.value.code
    assert run(collection, table, "-o", collection / "a.html") == 0
    assert run(collection, collection / "sounds", "-o", collection / "b.html") == 0
    assert data_of(collection / "a.html") == data_of(collection / "b.html")
    assert run(collection, table, collection / "sounds", "-o", collection / "c.html") == 2
    assert "expected one table or any number of audio paths" in capsys.readouterr().err
    assert run(collection, table, "-o", collection / "c.html", "--model", "speech") == 2
    assert "--model is for audio; a table already has its embeddings" in capsys.readouterr().err
    shutil.rmtree(collection / "sounds" / "odd")
    assert run(collection, table, "-o", collection / "d.html", "--embed-audio") == 1
    assert capsys.readouterr().err.count("no preview: ") == 3
    assert data_of(collection / "d.html")["previews"].count("") == 3


def test_a_folder_that_is_read_only(
    collection: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)
    monkeypatch.setattr("byola_hear.cli.map.embedded", None)  # it does not come to that
    assert run(collection, collection / "sounds", "-o", collection / "map.html") == 2
    assert capsys.readouterr().err.endswith("map.html can't be written: its folder is read-only\n")


def test_a_broken_file_is_reported_and_the_others_are_mapped(
    collection: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (collection / "sounds" / "odd" / "broken.wav").write_bytes(b"RIFF nothing")
    assert run(collection, collection / "sounds", "-o", collection / "map.html") == 1
    shown = capsys.readouterr()
    assert shown.err.startswith("error: ") and "broken.wav" in shown.err and shown.err.count("\n") == 1
    assert "6 clips" in shown.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "map.pdf"], "ends in .html"),
        (["-o", "none/map.html"], "does not exist"),
        (["-o", "map.html", "--labels", "none.csv"], "no such label file"),
        (["-o", "map.html", "--label-column", "tongue"], "--label-column needs --labels"),
        (["-o", "map.html", "--layout", "umap"], "needs umap-learn"),
        (["-o", "map.html", "--window", "-1"], "window"),
        (["-o", "map.html", "--device", "nothing"], "device 'nothing' can't be used"),
        (["-o", "map.html", "--device", "cuda:99"], "device 'cuda:99' can't be used"),
        (["-o", "map.html", "--model", "nothing"], "no model is called 'nothing'"),
    ],
)
def test_wrong_usage_is_one_line(
    collection: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    monkeypatch.chdir(collection)
    assert run(collection, "sounds", *options) == 2
    shown = capsys.readouterr().err
    assert shown.startswith("error: ") and message in shown and shown.count("\n") == 1
    assert not (collection / "map.html").exists()
