from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byola_hear.pretraining.data.manifest import ManifestClip, hours, hours_by
from byola_hear.pretraining.data.matching import draw, limit_kinds, match, matching_of, segments, write_matched

DURATIONS = st.lists(st.floats(0.05, 900), min_size=1, max_size=40)


def collection(durations: list[float], kind: str) -> list[ManifestClip]:
    return [ManifestClip(f"{kind}{index}.wav", seconds, 16000, kind=kind) for index, seconds in enumerate(durations)]


@given(DURATIONS, DURATIONS, st.integers(0, 99))
def test_three_sets_have_the_same_hours(first: list[float], second: list[float], seed: int) -> None:
    speech, other = collection(first, "speech"), collection(second, "other")
    sets = match(speech, other, seed)
    expected = min(hours(speech), hours(other))
    for drawn in (sets.first, sets.second, sets.both):
        assert hours(drawn) == pytest.approx(expected, rel=1e-3, abs=1e-6)
    halves = hours_by(sets.both, "kind")
    assert halves.get("speech", 0) == pytest.approx(expected / 2, rel=1e-2, abs=1e-6)
    assert {clip.kind for clip in sets.first} == {"speech"}
    assert {clip.kind for clip in sets.second} == {"other"}


@given(DURATIONS, st.floats(1, 60))
def test_segments_cover_their_clip(durations: list[float], longest: float) -> None:
    clips = collection(durations, "x")
    parts = segments(clips, longest)
    assert hours(parts) == pytest.approx(hours(clips))
    assert all(part.duration_s <= longest * 1.01 + 0.01 for part in parts)


@given(st.lists(st.floats(1, 900), min_size=2, max_size=30, unique=True), st.floats(0.05, 0.95), st.integers(0, 9))
def test_no_audio_is_drawn_twice(durations: list[float], share: float, seed: int) -> None:
    clips = collection(durations, "x")
    drawn = draw(clips, share * hours(clips), seed)
    assert len({clip.path for clip in drawn}) == len(drawn)


def test_seed_decides_the_draw() -> None:
    clips = collection([10.0] * 50, "x")
    assert draw(clips, 0.05, seed=1) == draw(clips, 0.05, seed=1)
    assert draw(clips, 0.05, seed=1) != draw(clips, 0.05, seed=2)


def test_more_than_available_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match=r"at least 2\.0000 hours.*got 1\.0000"):
        draw(collection([3600.0], "x"), 2.0, seed=0)
    with pytest.raises(ValueError, match="positive"):
        match(collection([10.0], "x"), collection([10.0], "y"), seed=0, wanted_hours=0)
    with pytest.raises(ValueError, match="positive"):
        match(collection([10.0], "x"), collection([10.0], "y"), seed=0, wanted_hours=float("nan"))


@given(st.floats(100, 9000), st.floats(100, 9000), st.floats(0.1, 0.8))
def test_limited_kind_stays_within_its_share(music: float, effects: float, share: float) -> None:
    clips = collection([music], "music") + collection([effects], "effects")
    kept = hours_by(limit_kinds(clips, {"music": share}, seed=0), "kind")
    assert kept["effects"] == pytest.approx(effects / 3600)
    assert kept["music"] / sum(kept.values()) <= share + 1e-6
    # No more is left out than necessary.
    assert kept["music"] == pytest.approx(min(music, effects * share / (1 - share)) / 3600, rel=1e-3, abs=1e-6)


@given(st.tuples(*[st.floats(100, 9000)] * 3), st.tuples(*[st.floats(0.05, 0.45)] * 2))
def test_no_limited_kind_exceeds_its_share(seconds: tuple[float, ...], limits: tuple[float, ...]) -> None:
    clips = [clip for kind, each in zip(("effects", "notes", "music"), seconds) for clip in collection([each], kind)]
    shares = dict(zip(("notes", "music"), limits))
    kept = hours_by(limit_kinds(clips, shares, seed=0), "kind")
    assert all(kept[kind] <= share * sum(kept.values()) + 1e-6 for kind, share in shares.items())


def test_a_kind_within_its_share_does_not_free_another() -> None:
    clips = [*collection([3600.0], "effects"), *collection([360.0], "notes"), *collection([2520.0], "music")]
    kept = hours_by(limit_kinds(clips, {"notes": 0.3, "music": 0.3}, seed=0), "kind")
    assert kept == pytest.approx({"effects": 1.0, "notes": 0.1, "music": 1.1 * 0.3 / 0.7}, abs=1e-4)


def test_invalid_limits_are_refused() -> None:
    clips = collection([10.0], "music")
    with pytest.raises(ValueError, match="between 0 and 1"):
        limit_kinds(clips, {"music": 1.5}, seed=0)
    with pytest.raises(ValueError, match="expected clips of other kinds than the limited music"):
        limit_kinds(clips, {"music": 0.5}, seed=0)


@pytest.mark.parametrize("names", [("x", "both"), ("a", "a"), ("", "a"), ("a/b", "c")])
def test_three_sets_need_three_plain_names(names: tuple[str, str], tmp_path: Path) -> None:
    sets = match(collection([60.0], "speech"), collection([50.0], "music"), seed=3)
    with pytest.raises(ValueError, match="expected two different plain names"):
        write_matched(sets, tmp_path, names, {})
    assert list(tmp_path.iterdir()) == []


def test_matched_manifest_knows_how_it_was_drawn(tmp_path: Path) -> None:
    sets = match(collection([60.0] * 9, "speech"), collection([50.0] * 9, "music"), seed=3)
    paths = write_matched(sets, tmp_path, ("speech", "music"), {"seed": 3})
    assert [path.name for path in paths] == ["speech.csv", "music.csv", "both.csv"]
    matching = matching_of(tmp_path / "both.csv")
    assert matching is not None
    assert (matching["seed"], matching["hours"]) == (3, 0.125)
    assert matching["sets"]["both"] == {"speech": 0.0625, "music": 0.0625}
    (tmp_path / "both.csv").write_text("path,duration_s\na.wav,1\n")
    assert matching_of(tmp_path / "both.csv") is None


@pytest.mark.parametrize("content", ["[1]", "{}", '{"sha256": []}', "pairs of calls", "caf\udce9"])
def test_another_file_of_that_name_is_neither_read_nor_replaced(tmp_path: Path, content: str) -> None:
    (tmp_path / "matching.json").write_text(content, errors="surrogateescape")
    (tmp_path / "m.csv").write_text("path,duration_s\na.wav,1\n")
    assert matching_of(tmp_path / "m.csv") is None
    sets = match(collection([60.0], "speech"), collection([60.0], "other"), seed=1)
    with pytest.raises(ValueError, match=r"matching\.json exists and is not of matched sets, and would be lost"):
        write_matched(sets, tmp_path, ("a", "b"), {})
    assert {path.name for path in tmp_path.iterdir()} == {"matching.json", "m.csv"}
