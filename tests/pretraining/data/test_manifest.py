from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from byola_hear.pretraining.data.manifest import (
    ManifestClip,
    hours,
    moved,
    path_from,
    read_manifest,
    summary,
    write_manifest,
)

TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=12).map(str.strip).filter(bool)


@given(
    st.lists(
        st.builds(
            ManifestClip,
            path=TEXT | st.sampled_from([" a.wav", "a\rb.wav", "a\nb.wav", "a\u2028b.wav"]),
            duration_s=st.integers(1, 10**8).map(lambda n: n / 1e4),
            sample_rate=st.integers(1, 192000),
            channels=st.integers(1, 8),
            source=TEXT,
            kind=TEXT,
            group=TEXT,
            licence=TEXT,
        ),
        min_size=1,
        max_size=5,
    )
)
def test_written_manifest_is_read_again(tmp_path_factory: pytest.TempPathFactory, clips: list[ManifestClip]) -> None:
    path = tmp_path_factory.mktemp("manifest") / "manifest.csv"
    write_manifest(clips, path)
    assert read_manifest(path) == clips


def test_clip_of_one_sample_is_read_again(tmp_path: Path) -> None:
    write_manifest([ManifestClip("click.wav", 1 / 44100, 44100)], tmp_path / "m.csv")
    (clip,) = read_manifest(tmp_path / "m.csv")
    assert clip.duration_s == pytest.approx(1 / 44100, abs=1e-6)


def test_manifest_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("path,duration_s\na.wav,1\n", encoding="utf-8-sig")
    assert read_manifest(tmp_path / "m.csv") == [ManifestClip("a.wav", 1.0, 0)]


def test_hours_of_many_short_sources_add_up() -> None:
    clips = [ManifestClip(f"{index}.wav", 0.17, 16000, source=f"{index}.wav") for index in range(1000)]
    assert sum(total.hours for total in summary(clips)) == pytest.approx(hours(clips))


def test_manifest_that_can_not_be_written_leaves_nothing(tmp_path: Path) -> None:
    write_manifest([ManifestClip("a.wav", 1.0, 16000)], tmp_path / "m.csv")
    with pytest.raises(UnicodeEncodeError):
        write_manifest([ManifestClip("\udcff.wav", 1.0, 16000)], tmp_path / "m.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["m.csv"]
    assert read_manifest(tmp_path / "m.csv")[0].path == "a.wav"


def test_whole_numbers_may_be_written_as_other_programs_do(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("path,duration_s,sample_rate,channels\na.wav,1,16000.0,2.0\nb.wav,1,,\n")
    first, second = read_manifest(tmp_path / "m.csv")
    assert (first.sample_rate, first.channels, second.sample_rate, second.channels) == (16000, 2, 0, 1)


def test_segments_are_kept(tmp_path: Path) -> None:
    clip = ManifestClip("a.wav", 10.0, 16000).segment(2.0, 5.0).segment(1.0, 2.5)
    assert (clip.start_s, clip.end_s, clip.duration_s) == (3.0, 4.5, 1.5)
    write_manifest([clip], tmp_path / "m.csv")
    assert read_manifest(tmp_path / "m.csv") == [clip]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("path,start_s\na.wav,1\n", "missing duration_s"),
        ("path,duration_s\na.wav,long\n", "line 2: expected a finite number as duration_s, got 'long'"),
        ("path,duration_s,channels\na.wav,1,inf\n", "line 2: expected a finite number as channels, got 'inf'"),
        ("path,duration_s\na.wav,-1\n", "positive"),
        ("path,duration_s\n,1\n", "empty path"),
        ("path,duration_s,start_s\na.wav,1,0\n", "both"),
        ("path,duration_s,start_s,end_s\na.wav,1,3,2\n", "start_s < end_s"),
        (
            "path,duration_s,start_s,end_s\na.wav,60,10,20.5\n",
            "line 2: expected the length of the segment from 10 to 20.5 s as duration_s, got 60",
        ),
        ("path,duration_s,start_s,end_s\na.wav,1,3,inf\n", "line 2: expected a finite number as end_s, got 'inf'"),
        ("path,duration_s\n", "no rows"),
        ("path,duration_s\ncaf\udce9.wav,1\n", "m.csv: expected a CSV table in UTF-8"),
        ('path,duration_s\n"a.wav,1\n' + "b.wav,1\n" * 20000, "m.csv: expected a CSV table in UTF-8"),
    ],
)
def test_bad_manifest_is_refused_with_its_reason(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "m.csv").write_text(content, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(ValueError, match=message):
        read_manifest(tmp_path / "m.csv")


def test_moved_clip_is_the_same_file(tmp_path: Path) -> None:
    clip = moved(ManifestClip("a/b.wav", 1.0, 16000), tmp_path / "here", tmp_path / "there" / "deep")
    assert clip.path == "../../here/a/b.wav"


def test_audio_on_another_drive_is_named_by_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def relpath(path: str, start: str) -> str:
        raise ValueError(f"path is on mount 'D:', start on mount 'C:': {path}, {start}")  # as on Windows

    monkeypatch.setattr(os.path, "relpath", relpath)
    file = tmp_path.resolve() / "d" / "a.wav"
    assert path_from(tmp_path / "c", file) == file.as_posix()
    assert moved(ManifestClip("../d/a.wav", 1.0, 16000), tmp_path / "c", tmp_path / "e").path == file.as_posix()


@pytest.mark.skipif(os.name != "posix", reason="needs links to folders")
def test_path_from_a_linked_folder_leads_to_the_file(tmp_path: Path) -> None:
    for name in ("elsewhere/deep/sets", "here", "big"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "sets").symlink_to(tmp_path / "elsewhere" / "deep" / "sets")
    (tmp_path / "here" / "a.wav").touch()
    assert (tmp_path / "sets" / path_from(tmp_path / "sets", tmp_path / "here" / "a.wav")).is_file()
    # Files below the manifest move with it, and links, too.
    (tmp_path / "here" / "link").symlink_to(tmp_path / "big")
    assert path_from(tmp_path / "here", tmp_path / "here" / "link" / "b.wav") == "link/b.wav"
