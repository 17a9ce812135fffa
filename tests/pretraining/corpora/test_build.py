from __future__ import annotations

import csv
import os
import pickle
from functools import partial
from pathlib import Path

import pytest
import soundfile

from byola_hear.pretraining.corpora import build as building
from byola_hear.pretraining.corpora import collection as collections
from byola_hear.pretraining.corpora.build import BuildSettings, Built, build
from byola_hear.pretraining.corpora.collection import resolve
from byola_hear.pretraining.corpora.packages.fetch import PackageOrigin
from byola_hear.pretraining.corpora.process import process
from byola_hear.pretraining.corpora.sounds import ffmpeg
from byola_hear.pretraining.corpora.sounds.sound import DecoderMissing, Samples
from byola_hear.pretraining.data.manifest import ManifestClip, hours_by, read_manifest
from tests.pretraining.corpora.known import GAME, KNOWN, constant_is_speech, run_corpora
from tests.pretraining.corpora.samples import Mirror, noise, running_mirror, wav

pytestmark = pytest.mark.usefixtures("known")


def left_out(folder: Path) -> dict[str, str]:
    with open(folder / "left_out.csv", newline="", encoding="utf-8") as file:
        return {row["sound"]: row["reason"] for row in csv.DictReader(file)}


def written(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.flac")}


def test_speech_is_built_from_a_mirror(mirror: Mirror, tmp_path: Path) -> None:
    out = tmp_path / "speech"
    code, output = run_corpora(
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


def test_missing_or_damaged_package_is_reported_and_skipped(downloads: Path, tmp_path: Path) -> None:
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


def test_set_without_sounds_is_an_error(tmp_path: Path) -> None:
    with running_mirror() as mirror:
        mirror.add_packages({})
        arguments = ("--set", "nonspeech", "-o", tmp_path / "out", "--from", "mirror", "--mirror", mirror.address)
        code, output = run_corpora("build", "gone-data", *arguments)
    assert code == 2
    assert "nothing was built: gone-data" in output
    assert not (tmp_path / "out" / "manifest.csv").exists()


def test_same_command_builds_only_missing_files(downloads: Path, tmp_path: Path) -> None:
    arguments = ("build", "game-speech", "--set", "speech", "-o", tmp_path / "out", "--downloads", downloads)
    first = run_corpora(*arguments)
    before = written(tmp_path / "out")
    listed = (tmp_path / "out" / "manifest.csv").read_text()
    assert run_corpora(*arguments) == first
    assert written(tmp_path / "out") == before
    next(iter(before)).unlink()
    assert run_corpora(*arguments) == first
    assert set(written(tmp_path / "out")) == set(before)
    assert (tmp_path / "out" / "manifest.csv").read_text() == listed


def test_interrupted_build_keeps_finished_collections(
    downloads: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = BuildSettings(tmp_path / "out", downloads, PackageOrigin())
    wanted = resolve(["game-speech", "flight-of-the-amazon-queen"], "speech")

    def interrupted(sounds, rules, folder):
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


def test_what_lacked_a_decoder_is_built_when_there_is_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.wav").write_bytes(wav(noise(1.0, seed=1)))
    (tmp_path / "mine" / "b.wv").write_bytes(b"packed")
    tried: list[Path] = []

    def missing(path: Path) -> Samples:
        tried.append(path)
        raise DecoderMissing(f"{path.name}: needs ffmpeg")

    def built() -> list[str]:
        build(resolve([str(tmp_path / "mine")], "speech"), BuildSettings(tmp_path / "out", tmp_path, PackageOrigin()))
        return [Path(clip.path).name for clip in read_manifest(tmp_path / "out" / "manifest.csv")]

    monkeypatch.setattr(ffmpeg, "decode", missing)
    monkeypatch.setattr(building, "installed_decoders", list)
    assert built() == built() == ["a.wav.flac"]
    assert len(tried) == 1
    monkeypatch.setattr(ffmpeg, "decode", lambda path: (noise(1.0, seed=2), 16000))
    monkeypatch.setattr(building, "installed_decoders", lambda: ["ffmpeg"])
    assert built() == ["a.wav.flac", "b.wv.flac"]
    monkeypatch.setattr(ffmpeg, "decode", missing)
    monkeypatch.setattr(building, "installed_decoders", list)
    assert built() == ["a.wav.flac", "b.wv.flac"]


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


def test_non_speech_set_has_no_speech(nonspeech: Path) -> None:
    for clip in read_manifest(nonspeech / "manifest.csv"):
        pcm, _ = soundfile.read(nonspeech / clip.path, dtype="int16")
        assert constant_is_speech(pcm).sum() == 0
    reasons = left_out(nonspeech)
    assert reasons[f"{GAME[10:]}/sounds/said.wav"] == "speech"
    assert reasons[f"{GAME[10:]}/sounds/broken.wav"] == "unreadable"
    assert reasons[f"{GAME[10:]}/sounds/quiet.wav"] == "silent"
    assert not any("voices" in name for name in reasons)


def test_only_the_piece_with_speech_of_a_long_sound_is_left_out(nonspeech: Path) -> None:
    rain = [clip for clip in read_manifest(nonspeech / "manifest.csv") if "rain" in clip.path]
    assert len(rain) == 2
    assert {clip.kind for clip in rain} == {"ambience"}
    assert all(clip.duration_s == pytest.approx(80.5 / 3, abs=1e-3) for clip in rain)


def test_sound_of_two_packages_is_taken_once(nonspeech: Path) -> None:
    sources = [clip.source for clip in read_manifest(nonspeech / "manifest.csv") if "bang" in clip.path]
    assert sources == ["game-data=1:2.0-3"]


def test_music_is_half_the_set_and_of_every_track(nonspeech: Path) -> None:
    clips = read_manifest(nonspeech / "manifest.csv")
    kinds = hours_by(clips, "kind")
    assert kinds["music"] == pytest.approx(sum(kinds.values()) / 2, rel=0.01)
    music = {clip.group for clip in clips if clip.kind == "music"}
    assert len(music) == 3


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_share_of_music_can_be_set(share: float, downloads: Path, tmp_path: Path) -> None:
    settings = BuildSettings(tmp_path, downloads, PackageOrigin("apt"), music_share=share)
    built = build(resolve(["more-data", "some-music"], "nonspeech"), settings)
    music_s = sum(clip.duration_s for one in built for clip in one.outcome.clips if clip.kind == "music")
    assert music_s == pytest.approx(260 * share)


def test_set_of_music_alone_is_not_sampled(downloads: Path, tmp_path: Path) -> None:
    (built,) = build(resolve(["some-music"], "nonspeech"), BuildSettings(tmp_path, downloads, PackageOrigin("apt")))
    assert sum(clip.duration_s for clip in built.outcome.clips) == pytest.approx(260)


def test_seed_decides_the_sample_of_music(downloads: Path, tmp_path: Path) -> None:
    names = {}
    for seed in (1, 2):
        settings = BuildSettings(tmp_path / str(seed), downloads, PackageOrigin("apt"), music_share=0.2, seed=seed)
        built = build(resolve(["game-data", "some-music"], "nonspeech"), settings)
        names[seed] = {clip.path for one in built for clip in one.outcome.clips if clip.kind == "music"}
    assert names[1] and names[1] != names[2]


def test_work_and_results_can_be_sent_to_other_processes(downloads: Path, tmp_path: Path) -> None:
    (collection,) = resolve(["game-data"], "nonspeech")
    work = partial(building._build_one, settings=BuildSettings(tmp_path, downloads, PackageOrigin("apt")))
    sent_work, sent_collection = pickle.loads(pickle.dumps((work, collection)))
    built = sent_work(sent_collection)
    assert built.outcome.clips
    assert pickle.loads(pickle.dumps(built)) == built


@pytest.mark.slow
def test_several_processes_build_the_same_set(downloads: Path, tmp_path: Path) -> None:
    # Other processes know only the real catalogue, so the collections must contain all that is needed.
    wanted = resolve(["game-data", "more-data"], "nonspeech")
    for jobs in (1, 2):
        build(wanted, BuildSettings(tmp_path / str(jobs), downloads, PackageOrigin("apt"), jobs=jobs))
    assert (tmp_path / "1" / "manifest.csv").read_text() == (tmp_path / "2" / "manifest.csv").read_text()


def test_folder_of_another_set_is_refused(downloads: Path, tmp_path: Path) -> None:
    settings = BuildSettings(tmp_path, downloads, PackageOrigin("apt"))
    build(resolve(["game-speech"], "speech"), settings)
    listed = (tmp_path / "manifest.csv").read_text()
    with pytest.raises(ValueError, match="holds the speech set"):
        build(resolve(["more-data"], "nonspeech"), settings)
    assert (tmp_path / "manifest.csv").read_text() == listed


def test_second_build_in_the_same_folder_is_refused(downloads: Path, tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    settings = BuildSettings(tmp_path, downloads, PackageOrigin("apt"))
    wanted = resolve(["more-data"], "nonspeech")

    def second_build(built: Built) -> None:
        with pytest.raises(ValueError, match="another build is running"):
            build(wanted, settings)

    assert build(wanted, settings, second_build)[0].outcome.clips
