from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from byola_hear.pretraining.collect import build_manifest, unpack_tar
from byola_hear.pretraining.manifest import hours, read_manifest


def test_a_folder_becomes_a_manifest(tones: Path, tmp_path: Path) -> None:
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
    # A row is written with four decimals of a second.
    assert [clip.path for clip in read_manifest(tmp_path / "m.csv")] == [clip.path for clip in clips]


def test_a_tar_is_unpacked_and_its_speakers_become_groups(tones: Path, tmp_path: Path) -> None:
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


@pytest.mark.parametrize("name", ["../outside.wav", "/outside.wav", "a/../../outside.wav"])
def test_a_member_that_leads_outside_is_refused(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        info = tarfile.TarInfo(name)
        info.size = 1
        tar.addfile(info, io.BytesIO(b"x"))
    with pytest.raises(ValueError, match="outside"):
        unpack_tar(tmp_path / "bad.tar", tmp_path / "to")
    assert not (tmp_path / "outside.wav").exists()


def test_no_audio_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no audio files"):
        build_manifest([tmp_path / "empty"], tmp_path / "m.csv")
    with pytest.raises(FileNotFoundError, match="missing"):
        build_manifest([tmp_path / "missing"], tmp_path / "m.csv")
    assert not (tmp_path / "m.csv").exists()
