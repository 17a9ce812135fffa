"""Which detections a page shows, and that it holds them whatever they are called."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

from byola_hear.analysis.listening.naming import below_common_folder, identity
from byola_hear.analysis.listening.sounds import Sound, with_context
from byola_hear.analysis.review import choose, merged, shortened, write_review
from byola_hear.analysis.review.page import MAX_SECONDS, MAX_WINDOWS, check_size
from byola_hear.audio.reading import AudioFileError

HOSTILE = "</script><script>alert(1)</script><!--<img src=x onerror=alert(2)>{{data}}&amp;\"'`\u2028\udcff.wav"


def table_of(*rows: tuple[Any, ...]) -> pd.DataFrame:
    columns = dict(zip(("file", "start", "end", "label", "score"), zip(*rows) if rows else [()] * 5, strict=True))
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})


def scored(scores: list[float], label: str = "owl") -> pd.DataFrame:
    """Detections far apart."""
    return merged(
        table_of(*[("a.wav", 10.0 * place, 10.0 * place + 1, label, score) for place, score in enumerate(scores)])
    )


def data_of(page: Path) -> dict[str, Any]:
    found = re.findall(
        r'<script id="data" type="application/json">(.*?)</script', page.read_text(encoding="utf-8"), re.DOTALL
    )
    assert len(found) == 1
    data: dict[str, Any] = json.loads(found[0])
    return data


# ---- merging


def test_overlapping_detections_of_a_class_and_recording_are_one() -> None:
    table = table_of(
        ("a.wav", 0.0, 2.0, "owl", 0.3),
        ("a.wav", 1.0, 3.0, "owl", 0.9),
        ("a.wav", 2.5, 2.75, "owl", 0.5),
        ("a.wav", 3.0, 4.0, "owl", 0.6),  # touches
        ("a.wav", 1.0, 3.0, "fox", 0.4),
        ("b.wav", 1.0, 3.0, "owl", np.nan),
        ("b.wav", 2.0, 5.0, "owl", 0.1),
        ("b.wav", 7.0, 7.0, "owl", 0.2),
        ("b.wav", 7.0, 7.0, "owl", 0.3),
    )
    for order in (slice(None), slice(None, None, -1)):
        found = merged(table[order])
        assert found.to_numpy().tolist() == [
            ["a.wav", 1.0, 3.0, "fox", 0.4, 2.0],
            ["a.wav", 0.0, 3.0, "owl", 0.9, 2.0],
            ["a.wav", 3.0, 4.0, "owl", 0.6, 3.5],
            ["b.wav", 1.0, 5.0, "owl", 0.1, 3.5],
            ["b.wav", 7.0, 7.0, "owl", 0.3, 7.0],
        ]
    assert merged(table.drop(columns="score"))["score"].isna().all()


def test_tables_with_nothing_to_review() -> None:
    with pytest.raises(ValueError, match="expected detections, got none"):
        merged(table_of())
    with pytest.raises(ValueError, match="1 of 2 labels have no text, the first in b.wav"):
        merged(table_of(("a.wav", 0.0, 1.0, "owl", 0.5), ("b.wav", 0.0, 1.0, " ", 0.5)))


def test_long_detections_are_shortened_around_their_peak() -> None:
    rows = [
        ("a.wav", float(start), start + 2.0, "owl", float(start == peak)) for peak in (0, 7, 28) for start in range(30)
    ]
    for place, expected in enumerate([(0.0, 10.0), (3.0, 13.0), (21.0, 31.0)]):
        found = shortened(merged(table_of(*rows[30 * place : 30 * place + 30])), 10.0)
        assert found[["start", "end"]].to_numpy().tolist() == [list(expected)]
    assert shortened(scored([0.5]), 10.0)[["start", "end"]].to_numpy().tolist() == [[0.0, 1.0]]


# ---- choosing


def test_top_and_margin() -> None:
    table = scored([0.1, 0.9, 0.5, 0.7, 0.45])
    assert choose(table, "top", 2)["score"].tolist() == [0.9, 0.7]
    assert choose(table, "margin", 3)["score"].tolist() == [0.5, 0.45, 0.7]
    assert choose(table, "margin", 2, 0.2)["score"].tolist() == [0.1, 0.45]
    assert choose(table, "margin", 1, {"owl": 0.8})["score"].tolist() in ([0.9], [0.7])
    with pytest.raises(ValueError, match="the classifier has no class 'owl', but fox, hen"):
        choose(table, "margin", 1, {"fox": 0.8, "hen": 0.1})
    with pytest.raises(ValueError, match="expected one of balanced, margin, top, got 'best'"):
        choose(table, "best")


def test_balanced_takes_all_parts_of_the_range() -> None:
    random = np.random.default_rng(0)
    # Most of the scores are high.
    table = scored([0.0, 1.0, *random.uniform(0.9, 1.0, 500), *random.uniform(0.0, 0.9, 90)])
    found = choose(table, "balanced", 40)["score"]
    assert np.histogram(found, 10, (0, 1))[0].tolist() == [4] * 10
    assert found.is_monotonic_decreasing
    assert choose(table, "balanced", 40)["score"].tolist() == found.tolist()
    assert choose(table, "balanced", 40, seed=1)["score"].tolist() != found.tolist()
    assert len(choose(table, "balanced", 1000)) == 592


def test_classes_are_chosen_one_by_one() -> None:
    table = pd.concat([scored([0.5] * 20), scored([0.1, 0.2], "fox"), scored([np.nan] * 5, "hen")])
    found = choose(table, "balanced", 4)
    assert found["label"].tolist() == ["fox"] * 2 + ["hen"] * 4 + ["owl"] * 4
    assert not found.duplicated().any()


@pytest.mark.parametrize("how", ["top", "margin"])
def test_scores_that_are_missing(how: str) -> None:
    with pytest.raises(
        ValueError, match=rf"{how} needs scores, but 1 of 3 detections have none, the first in a.wav at 10 s"
    ):
        choose(scored([0.5, np.nan, 0.2]), how)


# ---- sounds


def test_a_window_has_its_context(clips_folder: Path, tmp_path: Path) -> None:
    file = str(clips_folder / "speech_french_16k.wav")
    original, _ = soundfile.read(file)
    for (start, end), (first, last) in {(0.5, 1.0): (0.25, 1.25), (0.1, 0.3): (0.0, 0.55)}.items():
        uri, begin, seconds, rate = with_context(file, start, end, 0.25)
        samples, found = soundfile.read(io.BytesIO(base64.b64decode(uri.removeprefix("data:audio/mpeg;base64,"))))
        assert (begin, rate, found) == (first, 16000, 16000)
        part = original[round(first * 16000) : round(last * 16000)]
        assert len(samples) == len(part) == seconds * rate and np.corrcoef(samples, part)[0, 1] > 0.95
    assert with_context(str(clips_folder / "shutter_stereo_96k.ogg"), 0.0, 0.1, 0.0).rate == 24000
    assert with_context(file, 0.5, 0.5, 0.0).begin == 0.5  # a point in time
    with pytest.raises(AudioFileError, match=r"speech_french_16k.wav: the window from 0 s ends at 99 s, the file at"):
        with_context(file, 0.0, 99.0, 1.0)
    with pytest.raises(FileNotFoundError):
        with_context(str(tmp_path / "none.wav"), 0.0, 1.0, 1.0)


# ---- page


def written(path: Path, table: pd.DataFrame, **options: Any) -> dict[str, Any]:
    assert write_review(
        path, table, lambda file, start, end: Sound("data:audio/mpeg;base64,", start, 1.0, 16000), ["owl"], **options
    )[0]
    return data_of(path)


def test_the_page_holds_the_windows(tmp_path: Path) -> None:
    table = scored([0.123456, np.nan, 0.5])
    silent = {10.0}
    n_windows, size = write_review(
        tmp_path / "r.html",
        table,
        lambda file, start, end: None if start in silent else Sound("data:,", max(start - 1, 0), 3.0, 8000),
        ["fox", "owl"],
        title="Night",
    )
    assert n_windows == 2 and (tmp_path / "r.html").stat().st_size == size
    data = data_of(tmp_path / "r.html")
    assert data["classes"] == ["fox", "owl"] and data["files"] == ["a.wav"] and data["title"] == "Night"
    assert [(each["start"], each["begin"], each["score"]) for each in data["windows"]] == [
        (0, 0, 0.1235),
        (20, 19, 0.5),
    ]
    assert write_review(tmp_path / "none.html", table, lambda *_: None, ["owl"]) == (0, 0)
    assert not (tmp_path / "none.html").exists()


def test_the_same_windows_have_the_same_identity(tmp_path: Path) -> None:
    names = [
        written(tmp_path / f"{place}.html", scored([0.5] * place), title=str(place))["name"] for place in (1, 1, 2)
    ]
    assert names[0] == names[1] != names[2]
    assert identity([(HOSTILE, 0.0)]) == identity([[HOSTILE, 0.0]])


def test_nothing_in_a_name_gets_out_of_its_place(tmp_path: Path) -> None:
    table = merged(table_of((HOSTILE, 0.0, 1.0, HOSTILE, 0.5)))
    data = written(tmp_path / "r.html", table, title=HOSTILE)
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert data["labels"] == [HOSTILE] and data["files"] == [HOSTILE]
    assert re.findall(r"<\s*/?\s*(?:script|img)\b[^>]*>", text) == [
        '<script id="data" type="application/json">',
        "</script>",
        "<script>",
        "</script>",
    ]
    policy = re.search(r'http-equiv="Content-Security-Policy" content="(.*?)"', text)
    assert policy is not None and policy[1].startswith("default-src 'none';") and "media-src data:;" in policy[1]
    for tag in ("style", "script"):
        inner = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert inner is not None
        digest = base64.b64encode(hashlib.sha256(inner[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy[1]
    written(tmp_path / "plain.html", scored([0.5]))
    text = (tmp_path / "plain.html").read_text(encoding="utf-8")
    assert not re.search(r"https?://|\bsrc=|<link|@import|innerHTML|insertAdjacentHTML|document\.write|\beval\b", text)


def test_a_page_is_not_larger_than_a_browser_opens(tmp_path: Path) -> None:
    many = pd.concat([scored([0.5])] * (MAX_WINDOWS + 1))
    with pytest.raises(ValueError, match=r"up to 5000 windows and 25000 s of sound, got 5001 and 5001 s; take fewer"):
        check_size(many, 0.0)
    with pytest.raises(ValueError, match="--per-class"):
        check_size(many[: MAX_SECONDS // 11], 5.1)
    check_size(many[:MAX_WINDOWS], 1.0)


def test_names_are_shown_below_the_folder_of_all(tmp_path: Path) -> None:
    files = [str(tmp_path / "a" / "1.wav"), str(tmp_path / "b" / "2.wav")]
    assert below_common_folder(files) == ({files[0]: "a/1.wav", files[1]: "b/2.wav"}, str(tmp_path))
    assert below_common_folder([]) == ({}, "")
