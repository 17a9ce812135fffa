from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from byola_hear.pretraining.data.collect import build_manifest
from byola_hear.pretraining.data.manifest import hours, read_manifest, write_manifest
from tests.pretraining.corpora.samples import noise, streamed_flac, tar_of, wav


def test_folder_becomes_a_manifest(tones: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for path in tones.glob("*.wav"):
        (tmp_path / "in" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "in" / "broken.wav").write_text("no audio")
    (tmp_path / "in" / ".hidden.wav").write_text("no audio")
    (tmp_path / "in" / "notes.txt").write_text("no audio")
    failed = []
    clips = build_manifest([tmp_path / "in"], tmp_path / "m.csv", on_error=lambda path, _: failed.append(path.name))
    assert failed == ["broken.wav"]
    assert len(clips) == 12
    assert hours(clips) * 3600 == pytest.approx(sum(0.2 * (index + 1) for index in range(12)), abs=1e-3)
    assert all((tmp_path / clip.path).exists() for clip in clips)
    # The durations are rounded in the file.
    assert [clip.path for clip in read_manifest(tmp_path / "m.csv")] == [clip.path for clip in clips]


def test_tar_is_unpacked_and_its_speakers_become_groups(tones: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "set.tar", "w") as tar:
        tar.add(tones / "tone00.wav", "set/audio/tone00.wav")
        listing = b"file,duration_s,speaker\ntone00.wav,0.2,alice\n"
        info = tarfile.TarInfo("set/manifest.csv")
        info.size = len(listing)
        tar.addfile(info, io.BytesIO(listing))
    (clip,) = build_manifest([tmp_path / "set.tar"], tmp_path / "m.csv")
    assert clip.group == "alice"
    assert clip.source == "set.tar"
    assert (tmp_path / clip.path).read_bytes() == (tones / "tone00.wav").read_bytes()


def test_a_listing_names_files_by_their_paths(tmp_path: Path) -> None:
    names = ("set/ann/1.wav", "set/bob/1.wav", "set/cleo/1.wav", "set/wav/2.wav", "set/wav/3.wav", "other/2.wav")
    for seed, name in enumerate(names):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(wav(noise(0.1, seed=seed)))
    (tmp_path / "in" / "other" / "manifest.csv").write_text("file,speaker\n./2.wav,dan\n")
    rows = "ann/1.wav,ann\nbob/1.wav,bob\n3.wav,eve\ngone/4.wav,\nx/2.wav,fay\n"
    (tmp_path / "in" / "set" / "manifest.csv").write_text(f"file,speaker\n{rows}")
    clips = build_manifest([tmp_path / "in"], tmp_path / "m.csv")
    # Of cleo, nothing is said. The base name of 3.wav is enough; that of 2.wav could be either row's.
    groups = ("ann", "bob", "", "", "eve", "dan")
    assert {clip.path: clip.group for clip in clips} == {f"in/{name}": group for name, group in zip(names, groups)}


def test_the_listing_of_a_collection_is_not_replaced(tmp_path: Path) -> None:
    rec, listing = tmp_path / "rec", "file,speaker,recorder\na.wav,anna,H4n\n"
    rec.mkdir()
    (rec / "a.wav").write_bytes(wav(noise(1.0)))
    (rec / "manifest.csv").write_text(listing)
    for name in ("manifest.csv", "a.wav"):
        before = (rec / name).read_bytes()
        with pytest.raises(ValueError, match=f"{name} exists and is no manifest, and would be lost"):
            build_manifest([rec], rec / name)
        assert (rec / name).read_bytes() == before
    # An earlier manifest is replaced, and so is an empty file.
    (rec / "mine.csv").touch()
    for _ in range(2):
        (clip,) = build_manifest([rec], rec / "mine.csv")
        assert clip.group == "anna" and read_manifest(rec / "mine.csv") == [clip]


def test_tars_of_the_same_name_are_refused(tmp_path: Path) -> None:
    for seed, name in enumerate(("dev.clean.tar", "dev.other.tar", "more/dev.clean.tar")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(tar_of({"a.wav": wav(noise(0.1, seed=seed))}))
    clips = build_manifest([tmp_path / "dev.clean.tar", tmp_path / "dev.other.tar"], tmp_path / "m.csv")
    assert [clip.source for clip in clips] == ["dev.clean.tar", "dev.other.tar"]
    assert len({(tmp_path / clip.path).read_bytes() for clip in clips}) == 2
    with pytest.raises(ValueError, match=r"expected tars of different names, got .*more/dev.clean.tar"):
        build_manifest([tmp_path / "dev.clean.tar", tmp_path / "more" / "dev.clean.tar"], tmp_path / "m.csv")


def test_file_is_listed_once_and_the_source_has_a_name(
    tones: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tones)
    clips = build_manifest([".", tones, "tone00.wav"], tmp_path / "m.csv")
    assert len(clips) == 12
    assert {clip.source for clip in clips} == {tones.name}


def test_streamed_file_has_its_real_length_and_a_cut_one_no_row(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_bytes(streamed_flac(noise(0.5)))
    (tmp_path / "b.wav").write_bytes(wav(noise(0.5)))
    (tmp_path / "cut.wav").write_bytes(wav(noise(0.5))[:5000])
    (tmp_path / "c.raw").write_bytes(bytes(100))
    failed: dict[str, str] = {}
    inputs = [tmp_path, tmp_path / "c.raw"]
    clips = build_manifest(inputs, tmp_path / "m.csv", on_error=lambda path, why: failed.update({path.name: why}))
    assert {clip.path: clip.duration_s for clip in clips} == {"a.flac": 0.5, "b.wav": 0.5}
    assert failed["cut.wav"].startswith("truncated: ")
    assert failed["c.raw"].startswith("not an audio file")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes there")
def test_pipe_is_left_out_and_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "b.wav").write_bytes(wav(noise(0.5)))
    for name in ("x.wav", "manifest.csv"):
        os.mkfifo(tmp_path / name)
    (tmp_path / "y.wav").symlink_to(tmp_path / "gone.wav")
    failed: dict[str, str] = {}
    (clip,) = build_manifest([tmp_path], tmp_path / "m.csv", on_error=lambda path, why: failed.update({path.name: why}))
    assert clip.path == "b.wav"
    assert failed["x.wav"] == "expected an audio file, got a pipe"
    assert "link to something that is not there" in failed["y.wav"]


@pytest.mark.skipif(os.name != "posix", reason="needs names that are bytes")
def test_names_and_listings_that_are_not_text_are_left_out(tmp_path: Path) -> None:
    for name in ("b.wav", "caf\udce9.wav"):
        (tmp_path / name).write_bytes(wav(noise(0.1)))
    (tmp_path / "manifest.csv").write_bytes("file,speaker\nb.wav,José\n".encode("latin-1"))
    failed = []
    (clip,) = build_manifest([tmp_path], tmp_path / "m.csv", on_error=lambda path, _: failed.append(path.name))
    assert (clip.path, clip.group) == ("b.wav", "")
    assert failed == ["caf\udce9.wav"]


def test_manifests_are_joined_and_their_rows_stay_as_they_are(tmp_path: Path) -> None:
    for name, kind in (("speech", "speech"), ("rest", "music")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.wav").write_bytes(wav(noise(1.0, seed=len(name))))
        build_manifest([tmp_path / name], tmp_path / name / "manifest.csv", kind, "CC0-1.0")
    (whole,) = read_manifest(tmp_path / "rest" / "manifest.csv")
    write_manifest([whole.segment(0.25, 0.75), whole.segment(0.25, 0.5)], tmp_path / "rest" / "segments.csv")
    inputs = [
        tmp_path / "speech" / "manifest.csv",
        *(tmp_path / "rest" / f"{name}.csv" for name in ("segments", "manifest")),
    ]
    joined = build_manifest([*inputs, tmp_path / "speech"], tmp_path / "sets" / "all.csv")
    assert [(clip.path, clip.start_s, clip.end_s, clip.kind, clip.source) for clip in joined] == [
        ("../speech/a.wav", None, None, "speech", "speech"),
        ("../rest/a.wav", 0.25, 0.75, "music", "rest"),
        ("../rest/a.wav", 0.25, 0.5, "music", "rest"),
        ("../rest/a.wav", None, None, "music", "rest"),
    ]
    assert all((tmp_path / "sets" / clip.path).is_file() for clip in read_manifest(tmp_path / "sets" / "all.csv"))
    renamed = build_manifest(inputs[:1], tmp_path / "renamed.csv", kind="voices")
    assert [(clip.kind, clip.licence) for clip in renamed] == [("voices", "CC0-1.0")]


def test_a_table_that_is_no_manifest_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("file,label\na.wav,dog\n")
    with pytest.raises(ValueError, match="labels.csv: expected columns path"):
        build_manifest([tmp_path / "labels.csv"], tmp_path / "m.csv")
    assert not (tmp_path / "m.csv").exists()


def test_no_audio_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no audio files"):
        build_manifest([tmp_path / "empty"], tmp_path / "m.csv")
    with pytest.raises(FileNotFoundError, match="missing"):
        build_manifest([tmp_path / "missing"], tmp_path / "m.csv")
    assert not (tmp_path / "m.csv").exists()
