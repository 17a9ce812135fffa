from __future__ import annotations

import csv
import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from numpy.typing import NDArray

from byola_hear.pretraining.corpora import build as building
from byola_hear.pretraining.corpora import cli as commands
from byola_hear.pretraining.corpora import collection as collections
from byola_hear.pretraining.corpora.build import BuildSettings, Built, build
from byola_hear.pretraining.corpora.catalogue import lookup as catalogues
from byola_hear.pretraining.corpora.catalogue.corpus import Corpus
from byola_hear.pretraining.corpora.cli import corpora
from byola_hear.pretraining.corpora.collection import resolve
from byola_hear.pretraining.corpora.packages.fetch import PackageOrigin
from byola_hear.pretraining.data.manifest import ManifestClip, hours_by, read_manifest
from tests.pretraining.corpora.made_formats import queen_file
from tests.pretraining.corpora.samples import Mirror, noise, running_mirror, tar_of, wav, write_package

GAME = "usr/share/games/game"
#: What the test's detector takes for speech: a constant.
SPOKEN = np.full(8000, 0.25, np.float32)

KNOWN = (
    Corpus("game-speech", "speech", "CC0-1.0", "a game", keep="/voices/", group=r"/voices/(\w+)/"),
    Corpus("flight-of-the-amazon-queen", "speech", "CC0-1.0", "voices", keep=r"queen\.1c/", group=r"queen\.1c/(..)"),
    Corpus("known", "speech", "CC-BY-4.0", "a tar", origin="https://example.org/known"),
    Corpus("game-data", "effects", "GPL-2.0-or-later", "a game"),
    Corpus("more-data", "effects", "GPL-2.0-or-later", "a game"),
    Corpus("some-music", "music", "CC-BY-SA-3.0", "music"),
    Corpus("gone-data", "effects", "GPL-2.0-or-later", "not there any more"),
)


def package_files(files: dict[str, bytes]) -> dict[str, bytes]:
    return {f"./{GAME}/{name}": content for name, content in files.items()}


PACKAGES = {
    "game-speech": package_files(
        {
            "voices/anna/1.wav": wav(noise(1.0, seed=1)),
            "voices/anna/2.wav": wav(noise(0.5, 22050, seed=2), 22050),
            "voices/bert/1.wav": wav(noise(1.0, seed=1)),
            "voices/bert/2.ogg": wav(noise(0.8, seed=3), form="OGG"),
            "sounds/bang.wav": wav(noise(1.0, seed=4)),
        }
    ),
    "flight-of-the-amazon-queen": package_files(
        {"queen.1c": queen_file({f"0{i}A.SB": wav(noise(1.0, 22050, i), 22050, "MP3") for i in range(3)})}
    ),
    "game-data": package_files(
        {
            "sounds/bang.wav": wav(noise(2.0, seed=5)),
            "sounds/said.wav": wav(SPOKEN),
            "voices/hello.wav": wav(noise(1.0, seed=6)),
            "ambient/rain.wav": wav(np.concatenate([noise(60.0, 2000, 7), SPOKEN[:1000], noise(20.0, 2000, 8)]), 2000),
            "sounds/broken.wav": b"broken",
            "sounds/quiet.wav": wav(np.zeros(16000, np.float32)),
            "music/title.wav": wav(noise(100.0, 2000, 9), 2000),
        }
    ),
    "more-data": package_files({"bang.wav": wav(noise(2.0, seed=5)), "boom.wav": wav(noise(3.0, seed=10))}),
    "some-music": package_files({f"{i}.flac": wav(noise(130.0, 2000, 20 + i), 2000, "FLAC") for i in range(2)}),
}


def constant_is_speech(pcm: NDArray[np.int16]) -> NDArray[np.float32]:
    """A detector for the tests: frames of one value all through."""
    frames = np.pad(pcm, (0, -len(pcm) % 512), mode="edge").reshape(-1, 512).astype(np.int32)
    return ((np.ptp(frames, axis=1) == 0) & (frames[:, 0] != 0)).astype(np.float32)


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalogue and a detector of the test's own."""

    def catalogue(set_name: str | None = None) -> list[Corpus]:
        return [corpus for corpus in KNOWN if set_name in (None, corpus.set_name)]

    for module in (catalogues, collections, commands):
        monkeypatch.setattr(module, "catalogue", catalogue)
    monkeypatch.setattr(building, "_detector", lambda: constant_is_speech)


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages, as if fetched."""
    folder = tmp_path_factory.mktemp("downloads")
    for name, files in PACKAGES.items():
        write_package(folder, name, files)
    return folder


@pytest.fixture
def mirror(downloads: Path) -> Iterator[Mirror]:
    """The packages on a mirror."""
    with running_mirror() as running:
        running.add_packages({path.name.partition("_")[0]: path.read_bytes() for path in downloads.glob("*.deb")})
        yield running


def run(*arguments: object) -> tuple[int, str]:
    """Exit code and output of a command."""
    result = CliRunner().invoke(corpora, [str(argument) for argument in arguments])
    if isinstance(result.exception, ValueError):
        return 2, str(result.exception)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def left_out(folder: Path) -> dict[str, str]:
    with open(folder / "left_out.csv", newline="", encoding="utf-8") as file:
        return {row["sound"]: row["reason"] for row in csv.DictReader(file)}


def written(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.flac")}


# --- the speech set -----------------------------------------------------------------------------------------------


def test_speech_is_built_from_a_mirror(mirror: Mirror, tmp_path: Path) -> None:
    out = tmp_path / "speech"
    code, output = run(
        "build", "game-speech", "flight-of-the-amazon-queen", "--set", "speech", "-o", out,
        "--from", "mirror", "--mirror", mirror.address,
    )  # fmt: skip
    assert code == 0, output
    clips = {clip.path: clip for clip in read_manifest(out / "manifest.csv")}
    assert len(clips) == 6
    assert clips[f"game-speech/{GAME[10:]}/voices/anna/2.wav.flac"] == ManifestClip(
        path=f"game-speech/{GAME[10:]}/voices/anna/2.wav.flac",
        duration_s=0.5,
        sample_rate=16000,
        source="game-speech=1:2.0-3",
        kind="speech",
        group="game-speech/anna",
        licence="CC0-1.0",
    )
    assert {clip.group for clip in clips.values() if "queen" in clip.source} == {
        f"flight-of-the-amazon-queen/0{index}" for index in range(3)
    }
    for clip in clips.values():
        info = soundfile.info(out / clip.path)
        assert (info.samplerate, info.channels, info.subtype) == (16000, 1, "PCM_16")
        assert info.frames / 16000 == pytest.approx(clip.duration_s, abs=1e-4)
    assert left_out(out) == {f"{GAME[10:]}/voices/bert/1.wav": "duplicate"}
    assert "CC0-1.0" in (out / "licences" / "game-speech.txt").read_text()
    assert "6 clips" in output
    assert not (out / "unpacked").exists()


def test_a_package_that_is_gone_or_broken_is_reported_and_skipped(downloads: Path, tmp_path: Path) -> None:
    with running_mirror() as mirror:
        mirror.add_packages({"more-data": b"no package"})
        origin = PackageOrigin("mirror", mirror.address)
        (tmp_path / "own").mkdir()
        os.link(next(downloads.glob("game-data_*")), tmp_path / "own" / "game-data_2.0-3_all.deb")
        settings = BuildSettings(tmp_path / "out", tmp_path / "own", origin)
        built = build(resolve(["gone-data", "game-data", "more-data"], "nonspeech"), settings)
    assert [bool(one.problem) for one in built] == [True, False, True]
    assert "no such package" in built[0].problem
    assert "not a Debian package" in built[2].problem or "not a readable" in built[2].problem
    assert read_manifest(tmp_path / "out" / "manifest.csv")


def test_nothing_at_all_is_an_error(tmp_path: Path) -> None:
    with running_mirror() as mirror:
        mirror.add_packages({})
        arguments = ("--set", "nonspeech", "-o", tmp_path / "out", "--from", "mirror", "--mirror", mirror.address)
        code, output = run("build", "gone-data", *arguments)
    assert code == 2
    assert "nothing was built: gone-data" in output
    assert not (tmp_path / "out" / "manifest.csv").exists()


def test_the_same_command_does_nothing_twice_and_mends_what_is_missing(downloads: Path, tmp_path: Path) -> None:
    arguments = ("build", "game-speech", "--set", "speech", "-o", tmp_path / "out", "--downloads", downloads)
    first = run(*arguments)
    before = written(tmp_path / "out")
    listed = (tmp_path / "out" / "manifest.csv").read_text()
    assert run(*arguments) == first
    assert written(tmp_path / "out") == before
    next(iter(before)).unlink()
    assert run(*arguments) == first
    assert set(written(tmp_path / "out")) == set(before)
    assert (tmp_path / "out" / "manifest.csv").read_text() == listed


def test_an_interrupted_build_goes_on_behind_what_is_done(
    downloads: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = BuildSettings(tmp_path / "out", downloads, PackageOrigin())
    wanted = resolve(["game-speech", "flight-of-the-amazon-queen"], "speech")
    process = building.process

    def interrupted(sounds, rules, folder):  # type: ignore[no-untyped-def]
        if "queen" in rules.name:
            raise KeyboardInterrupt
        return process(sounds, rules, folder)

    monkeypatch.setattr(building, "process", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build(wanted, settings)
    before = written(tmp_path / "out")
    monkeypatch.setattr(building, "process", process)
    build(wanted, settings)
    after = written(tmp_path / "out")
    assert {path: after[path] for path in before} == before
    assert len(after) == 6


def test_tars_and_folders_come_in_with_their_speakers(tmp_path: Path) -> None:
    listing = b"file,duration_s,language,speaker\na.wav,1,en,alice\n"
    files = {"known/audio/a.wav": wav(noise(1.0, seed=1)), "known/manifest.csv": listing}
    files["known/COPYING"] = b"its licence"
    (tmp_path / "known.tar").write_bytes(tar_of(files))
    (tmp_path / "mine" / "bob").mkdir(parents=True)
    (tmp_path / "mine" / "bob" / "b.wav").write_bytes(wav(noise(1.0, seed=2)))
    (tmp_path / "mine" / "LICENSE").write_text("my licence")
    code, output = run(
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


@pytest.mark.parametrize(
    ("folders", "said"),
    [
        (["unpacked"], "expected a collection of another name: unpacked"),
        (["Licences"], "expected a collection of another name: licences"),
        (["rec 1", "rec_1"], "expected collections of different names, got 'rec 1' and 'rec_1'"),
        (["rec", "REC"], "expected collections of different names, got 'rec' and 'REC'"),
        (["."], "expected a folder outside of ."),
        (["out/rec"], "expected a folder outside of out/rec"),
    ],
)
def test_what_is_built_and_what_it_is_built_from_are_kept_apart(
    folders: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for index, folder in enumerate(folders):
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / "a.wav").write_bytes(wav(noise(1.0, seed=index)))
    code, output = run("build", *folders, "--set", "speech", "-o", "out")
    assert code == 2
    assert said in output
    assert not list(tmp_path.rglob("*.flac"))


def test_a_tar_that_is_cut_short_is_skipped(tmp_path: Path) -> None:
    content = gzip.compress(tar_of({"a.wav": wav(noise(1.0))}))
    (tmp_path / "cut.tar.gz").write_bytes(content[: len(content) // 2])
    (tmp_path / "whole.tar").write_bytes(tar_of({"a.wav": wav(noise(1.0))}))
    inputs = [str(tmp_path / name) for name in ("cut.tar.gz", "whole.tar")]
    cut, whole = build(resolve(inputs, "speech"), BuildSettings(tmp_path / "out", tmp_path, PackageOrigin()))
    assert "cut.tar.gz: not a readable tar" in cut.problem
    assert len(whole.outcome.clips) == 1


def test_neither_a_long_name_nor_a_listing_of_another_kind_stops_a_build(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / ("a" * 240 + ".wav")).write_bytes(wav(noise(1.0)))
    (tmp_path / "mine" / "manifest.csv").write_bytes("file,speaker\nb.wav,José\n".encode("latin-1"))
    build(resolve([str(tmp_path / "mine")], "speech"), BuildSettings(tmp_path / "out", tmp_path, PackageOrigin()))
    (clip,) = read_manifest(tmp_path / "out" / "manifest.csv")
    assert (tmp_path / "out" / clip.path).is_file()


# --- the non-speech set -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nonspeech(downloads: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole non-speech set, built once."""
    out = tmp_path_factory.mktemp("nonspeech")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(building, "_detector", lambda: constant_is_speech)
        names = ["game-data", "more-data", "some-music"]
        settings = BuildSettings(out, downloads, PackageOrigin("apt"), leave_out_speech=True)
        corpora_ = [corpus for name in names for corpus in KNOWN if corpus.name == name]
        build([collections.Collection(corpus, None, "nonspeech") for corpus in corpora_], settings)
    return out


def test_nobody_speaks_in_the_non_speech_set(nonspeech: Path) -> None:
    for clip in read_manifest(nonspeech / "manifest.csv"):
        pcm, _ = soundfile.read(nonspeech / clip.path, dtype="int16")
        assert constant_is_speech(pcm).sum() == 0
    reasons = left_out(nonspeech)
    assert reasons[f"{GAME[10:]}/sounds/said.wav"] == "speech"
    assert reasons[f"{GAME[10:]}/sounds/broken.wav"] == "unreadable"
    assert reasons[f"{GAME[10:]}/sounds/quiet.wav"] == "silent"
    assert not any("voices" in name for name in reasons)


def test_of_a_long_sound_only_the_piece_with_speech_goes(nonspeech: Path) -> None:
    rain = [clip for clip in read_manifest(nonspeech / "manifest.csv") if "rain" in clip.path]
    assert len(rain) == 2
    assert {clip.kind for clip in rain} == {"ambience"}
    assert all(clip.duration_s == pytest.approx(80.5 / 3, abs=1e-3) for clip in rain)


def test_what_two_packages_hold_comes_in_once(nonspeech: Path) -> None:
    sources = [clip.source for clip in read_manifest(nonspeech / "manifest.csv") if "bang" in clip.path]
    assert sources == ["game-data=1:2.0-3"]


def test_music_is_half_and_of_every_track(nonspeech: Path) -> None:
    clips = read_manifest(nonspeech / "manifest.csv")
    kinds = hours_by(clips, "kind")
    assert kinds["music"] == pytest.approx(sum(kinds.values()) / 2, rel=0.01)
    music = {clip.group for clip in clips if clip.kind == "music"}
    assert len(music) == 3


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_share_of_music_is_the_users(share: float, downloads: Path, tmp_path: Path) -> None:
    settings = BuildSettings(tmp_path, downloads, PackageOrigin("apt"), music_share=share)
    built = build(resolve(["more-data", "some-music"], "nonspeech"), settings)
    music_s = sum(clip.duration_s for one in built for clip in one.outcome.clips if clip.kind == "music")
    assert music_s == pytest.approx(260 * share)


def test_music_alone_is_taken_whole(downloads: Path, tmp_path: Path) -> None:
    (built,) = build(resolve(["some-music"], "nonspeech"), BuildSettings(tmp_path, downloads, PackageOrigin("apt")))
    assert sum(clip.duration_s for clip in built.outcome.clips) == pytest.approx(260)


def test_another_seed_draws_other_music(downloads: Path, tmp_path: Path) -> None:
    names = {}
    for seed in (1, 2):
        settings = BuildSettings(tmp_path / str(seed), downloads, PackageOrigin("apt"), music_share=0.2, seed=seed)
        built = build(resolve(["game-data", "some-music"], "nonspeech"), settings)
        names[seed] = {clip.path for one in built for clip in one.outcome.clips if clip.kind == "music"}
    assert names[1] and names[1] != names[2]


def test_several_processes_give_the_same(downloads: Path, tmp_path: Path) -> None:
    # Other processes know the real catalogue alone, so what they are handed must say everything itself.
    wanted = resolve(["game-data", "more-data"], "nonspeech")
    for jobs in (1, 2):
        build(wanted, BuildSettings(tmp_path / str(jobs), downloads, PackageOrigin("apt"), jobs=jobs))
    assert (tmp_path / "1" / "manifest.csv").read_text() == (tmp_path / "2" / "manifest.csv").read_text()


@pytest.mark.skipif(os.name != "posix", reason="needs names that are bytes")
def test_a_name_that_is_no_text_becomes_one(tmp_path: Path) -> None:
    write_package(tmp_path, "more-data", package_files({"caf\udce9/bang.wav": wav(noise(1.0))}))
    build(resolve(["more-data"], "nonspeech"), BuildSettings(tmp_path / "out", tmp_path, PackageOrigin("apt")))
    (clip,) = read_manifest(tmp_path / "out" / "manifest.csv")
    assert (tmp_path / "out" / clip.path).exists()
    assert clip.group == f"more-data/{GAME[10:]}/caf?"


def test_a_folder_is_one_sets_own(downloads: Path, tmp_path: Path) -> None:
    settings = BuildSettings(tmp_path, downloads, PackageOrigin("apt"))
    build(resolve(["game-speech"], "speech"), settings)
    listed = (tmp_path / "manifest.csv").read_text()
    with pytest.raises(ValueError, match="holds the speech set"):
        build(resolve(["more-data"], "nonspeech"), settings)
    assert (tmp_path / "manifest.csv").read_text() == listed


def test_two_builds_in_one_folder_are_kept_apart(downloads: Path, tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    settings = BuildSettings(tmp_path, downloads, PackageOrigin("apt"))
    wanted = resolve(["more-data"], "nonspeech")

    def second_build(built: Built) -> None:
        with pytest.raises(ValueError, match="another build is at work"):
            build(wanted, settings)

    assert build(wanted, settings, second_build)[0].outcome.clips


# --- the command line ---------------------------------------------------------------------------------------------


def test_list_shows_every_corpus() -> None:
    code, output = run("list")
    assert code == 0
    assert [line.split()[0] for line in output.splitlines()[1:]] == [corpus.name for corpus in KNOWN]
    assert "https://example.org/known" in output
    assert len(run("list", "--set", "speech")[1].splitlines()) == 4


def test_fetch_skips_what_is_gone(mirror: Mirror, tmp_path: Path) -> None:
    arguments = ("-o", tmp_path, "--from", "mirror", "--mirror", mirror.address)
    code, output = run("fetch", "game-data", "gone-data", *arguments)
    assert code == 0
    assert "skipped: gone-data" in output
    assert [path.name for path in tmp_path.glob("*.deb")] == ["game-data_2.0-3_all.deb"]
    code, output = run("fetch", "gone-data", *arguments)
    assert code == 1
    assert "none of the packages could be had" in output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("build", "game-dat", "--set", "nonspeech"), "'game-dat'; similar: game-data"),
        (("build", "game-data", "--set", "speech"), "in the speech set, got 'game-data'"),
        (("build", "nowhere.tar", "--set", "speech"), "found nothing at nowhere.tar"),
        (("build", "known", "--set", "speech"), "expected the path of its tar or folder"),
        (("build", "game-data", "--set", "nonspeech", "--music-share", "2"), "from 0 to 1, got 2"),
        (("build", "game-data", "--set", "nonspeech", "--jobs", "0"), "1 or more jobs, got 0"),
        (("build", "game-data"), "--set"),
        (("fetch", "known"), "is no Debian package"),
        (("fetch", "unknown"), "got 'unknown'"),
    ],
)
def test_a_wrong_command_is_one_error_that_says_what_was_expected(
    arguments: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    code, output = run(*arguments, "-o", tmp_path / "out")
    assert code == 2
    assert said in output
    assert not (tmp_path / "out").exists()
