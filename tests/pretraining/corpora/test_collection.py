from __future__ import annotations

import errno
import gzip
import os
from pathlib import Path

import pytest

from byola_hear.pretraining.corpora.build import BuildSettings, build
from byola_hear.pretraining.corpora.collection import resolve
from byola_hear.pretraining.corpora.packages.fetch import PackageOrigin
from byola_hear.pretraining.data.manifest import read_manifest
from tests.pretraining.corpora.known import GAME, package_files, run_corpora
from tests.pretraining.corpora.samples import noise, tar_of, wav, write_package

pytestmark = pytest.mark.usefixtures("known")


def test_tars_and_folders_have_speakers_and_licences(tmp_path: Path) -> None:
    listing = b"file,duration_s,language,speaker\na.wav,1,en,alice\n"
    files = {"known/audio/a.wav": wav(noise(1.0, seed=1)), "known/manifest.csv": listing}
    files["known/COPYING"] = b"its licence"
    (tmp_path / "known.tar").write_bytes(tar_of(files))
    (tmp_path / "mine" / "bob").mkdir(parents=True)
    (tmp_path / "mine" / "bob" / "b.wav").write_bytes(wav(noise(1.0, seed=2)))
    (tmp_path / "mine" / "LICENSE").write_text("my licence")
    code, output = run_corpora(
        "build", tmp_path / "known.tar", tmp_path / "mine", "--set", "speech", "-o", tmp_path / "out",
        "--licence", "CC0-1.0",
    )  # fmt: skip
    assert code == 0, output
    clips = {clip.source: clip for clip in read_manifest(tmp_path / "out" / "manifest.csv")}
    assert (clips["known"].group, clips["known"].licence) == ("known/en/alice", "CC-BY-4.0")
    assert (clips["mine"].group, clips["mine"].licence) == ("mine/bob", "CC0-1.0")
    assert (tmp_path / "out" / "licences" / "mine.LICENSE.txt").read_text() == "my licence"
    assert (tmp_path / "out" / "licences" / "known.COPYING.txt").read_text() == "its licence"
    (tmp_path / "mine" / "bob" / "c.wav").write_bytes(wav(noise(1.0, seed=3)))
    build(resolve([str(tmp_path / "mine")], "speech"), BuildSettings(tmp_path / "out", tmp_path, PackageOrigin()))
    assert len(read_manifest(tmp_path / "out" / "manifest.csv")) == 2


def test_licence_texts_of_the_same_name_are_all_kept(tmp_path: Path) -> None:
    for number, pack in enumerate(("bells", "birds")):
        (tmp_path / "mine" / pack).mkdir(parents=True)
        (tmp_path / "mine" / pack / "a.wav").write_bytes(wav(noise(1.0, seed=number)))
        (tmp_path / "mine" / pack / "LICENSE").write_text(f"of {pack}")
    code, output = run_corpora("build", tmp_path / "mine", "--set", "speech", "-o", tmp_path / "out")
    assert code == 0, output
    texts = {path.name: path.read_text() for path in (tmp_path / "out" / "licences").iterdir()}
    assert texts == {"mine.LICENSE.txt": "of bells", "mine.birds.LICENSE.txt": "of birds"}


def test_listed_files_of_the_same_base_name_keep_their_own_licences(tmp_path: Path) -> None:
    names = ("ann/1.wav", "bob/1.wav", "usr/share/cleo/2.wav")
    for seed, name in enumerate(names):
        (tmp_path / "mine" / name).parent.mkdir(parents=True)
        (tmp_path / "mine" / name).write_bytes(wav(noise(1.0, seed=seed)))
    rows = "ann/1.wav,ann,CC0-1.0\nbob/1.wav,bob,CC-BY-4.0\nusr/share/cleo/2.wav,cleo,MIT\n"
    (tmp_path / "mine" / "manifest.csv").write_text(f"file,speaker,licence\n{rows}")
    build(resolve([str(tmp_path / "mine")], "speech"), BuildSettings(tmp_path / "out", tmp_path, PackageOrigin()))
    found = {clip.group: clip.licence for clip in read_manifest(tmp_path / "out" / "manifest.csv")}
    assert found == {"mine/ann": "CC0-1.0", "mine/bob": "CC-BY-4.0", "mine/cleo": "MIT"}


@pytest.mark.parametrize(
    ("options", "kinds"), [(["--kind", "animals"], ["animals"] * 3), ([], ["other", "music", "ambience"])]
)
def test_a_stated_kind_is_that_of_all_sounds(options: list[str], kinds: list[str], tmp_path: Path) -> None:
    for seed, name in enumerate(("crow.wav", "theme park ride.wav", "weather/frog.wav", "voice/crow.wav")):
        (tmp_path / "mine" / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / "mine" / name).write_bytes(wav(noise(1.0, seed=seed)))
    arguments = ["--set", "nonspeech", "--keep-speech", "--music-share", "1", "-o", tmp_path / "out", *options]
    code, output = run_corpora("build", tmp_path / "mine", *arguments)
    assert code == 0, output
    found = {Path(clip.path).name.partition(".")[0]: clip.kind for clip in read_manifest(tmp_path / "out/manifest.csv")}
    assert found == dict(zip(("crow", "theme_park_ride", "frog"), kinds))
    assert "mine,voice/crow.wav,path," in (tmp_path / "out" / "left_out.csv").read_text()


@pytest.mark.parametrize(
    ("folders", "said"),
    [
        (["unpacked"], "another name than unpacked, which the set itself needs"),
        (["Licences"], "another name than licences, which the set itself needs, got Licences"),
        (["rec 1", "rec_1"], "expected collections of different names, got 'rec 1' and 'rec_1'"),
        (["rec", "REC"], "expected collections of different names, got 'rec' and 'REC'"),
        (["."], "expected a folder outside of its input ."),
        (["out/rec"], "expected a folder outside of its input out/rec"),
        (["out/unpacked/rec"], "out/unpacked/rec: expected an input outside of out/unpacked, which is removed"),
    ],
)
def test_folders_that_would_collide_are_refused(
    folders: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for index, folder in enumerate(folders):
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / "a.wav").write_bytes(wav(noise(1.0, seed=index)))
    code, output = run_corpora("build", *folders, "--set", "speech", "-o", "out")
    assert code == 2
    assert said in output
    assert not list(tmp_path.rglob("*.flac"))


def test_what_is_unpacked_next_to_a_new_set_stays(tmp_path: Path) -> None:
    mine = tmp_path / "out" / "unpacked" / "a.wav"
    for path in (mine, tmp_path / "rec" / "a.wav"):
        path.parent.mkdir(parents=True)
        path.write_bytes(wav(noise(1.0)))
    code, output = run_corpora("build", tmp_path / "rec", "--set", "speech", "-o", tmp_path / "out")
    assert code == 2 and "unpacked exists, where files are unpacked and removed" in output
    assert list((tmp_path / "out").rglob("*.*")) == [mine]


def test_a_full_disk_is_no_fault_of_a_tar(tmp_path: Path) -> None:
    for seed, name in enumerate(("one", "two")):
        (tmp_path / f"{name}.tar").write_bytes(tar_of({"a.wav": wav(noise(1.0, seed=seed))}))
    arguments = ("build", tmp_path / "one.tar", tmp_path / "two.tar", "--set", "speech", "-o", tmp_path / "out")

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("shutil.copyfileobj", full)
        with pytest.raises(OSError, match=r"No space left on device: '.*one/a\.wav'"):
            run_corpora(*arguments)
    assert not (tmp_path / "out" / "manifest.csv").exists()
    assert run_corpora(*arguments)[0] == 0 and len(read_manifest(tmp_path / "out" / "manifest.csv")) == 2


def test_truncated_tar_is_skipped(tmp_path: Path) -> None:
    content = gzip.compress(tar_of({"a.wav": wav(noise(1.0))}))
    (tmp_path / "cut.tar.gz").write_bytes(content[: len(content) // 2])
    (tmp_path / "whole.tar").write_bytes(tar_of({"a.wav": wav(noise(1.0))}))
    inputs = [str(tmp_path / name) for name in ("cut.tar.gz", "whole.tar")]
    cut, whole = build(resolve(inputs, "speech"), BuildSettings(tmp_path / "out", tmp_path, PackageOrigin()))
    assert "cut.tar.gz: expected a tar or zip, could not read it" in cut.problem
    assert len(whole.outcome.clips) == 1


def test_long_names_and_unreadable_listings_do_not_stop_a_build(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / ("a" * 240 + ".wav")).write_bytes(wav(noise(1.0)))
    (tmp_path / "mine" / "manifest.csv").write_bytes("file,speaker\nb.wav,José\n".encode("latin-1"))
    build(resolve([str(tmp_path / "mine")], "speech"), BuildSettings(tmp_path / "out", tmp_path, PackageOrigin()))
    (clip,) = read_manifest(tmp_path / "out" / "manifest.csv")
    assert (tmp_path / "out" / clip.path).is_file()


@pytest.mark.skipif(os.name != "posix", reason="needs names that are bytes")
def test_name_that_is_not_text_becomes_text(tmp_path: Path) -> None:
    write_package(tmp_path, "more-data", package_files({"caf\udce9/bang.wav": wav(noise(1.0))}))
    build(resolve(["more-data"], "nonspeech"), BuildSettings(tmp_path / "out", tmp_path, PackageOrigin("apt")))
    (clip,) = read_manifest(tmp_path / "out" / "manifest.csv")
    assert (tmp_path / "out" / clip.path).exists()
    assert clip.group == f"more-data/{GAME[10:]}/caf?"
