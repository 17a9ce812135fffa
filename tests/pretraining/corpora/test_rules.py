from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
import soundfile
from hypothesis import example, given
from hypothesis import strategies as st

from byola_hear.pretraining.corpora.catalogue.corpus import SETS, Corpus
from byola_hear.pretraining.corpora.catalogue.lookup import catalogue, find
from byola_hear.pretraining.corpora.decode import pcm_digest, to_training_form, unusable, write_flac
from byola_hear.pretraining.corpora.process import FileNames
from byola_hear.pretraining.corpora.sampling import PIECE_S, draw_order, pieces, share_per_track
from byola_hear.pretraining.corpora.speech_filter import contains_speech, load_detector, longest_speech_s
from tests.pretraining.corpora.samples import noise


def corpus(name: str, set_name: str) -> Corpus:
    (found,) = find([name], set_name)
    return found


# --- the catalogue ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("set_name", SETS)
def test_the_catalogue_is_sound(set_name: str) -> None:
    corpora = catalogue(set_name)
    names = [corpus.name for corpus in corpora]
    assert len(set(names)) == len(names)
    for corpus in corpora:
        assert corpus.set_name == set_name
        assert re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", corpus.name) or corpus.origin
        assert corpus.licence and corpus.about
        for rule in (corpus.keep, corpus.drop, corpus.music, corpus.group):
            re.compile(rule)


def test_an_unknown_name_is_an_error_with_the_nearest_known() -> None:
    with pytest.raises(ValueError, match=r"'hedgewar-data'.*hedgewars-data"):
        find(["hedgewar-data"])
    assert [found.set_name for found in find(["hedgewars-data"])] == ["speech", "nonspeech"]


@pytest.mark.parametrize(
    ("set_name", "name", "sound", "taken"),
    [
        ("speech", "tuxpaint-stamps-default", "tuxpaint/stamps/animals/cow_desc_de.ogg", True),
        ("speech", "tuxpaint-stamps-default", "tuxpaint/stamps/animals/cow_desc.ogg", True),
        ("speech", "tuxpaint-stamps-default", "tuxpaint/stamps/animals/cow.ogg", False),
        ("nonspeech", "tuxpaint-stamps-default", "tuxpaint/stamps/animals/cow.ogg", True),
        ("nonspeech", "tuxpaint-stamps-default", "tuxpaint/stamps/animals/cow_desc_de.ogg", False),
        ("speech", "asterisk-core-sounds-en-g722", "asterisk/sounds/en_US_f_Allison/digits/1.g722", True),
        ("speech", "asterisk-core-sounds-en-g722", "asterisk/sounds/en_US_f_Allison/silence/1.g722", False),
        ("speech", "asterisk-core-sounds-en-g722", "asterisk/sounds/en_US_f_Allison/beep.g722", False),
        ("speech", "hedgewars-data", "games/hedgewars/Data/Sounds/voices/Pirate/Amazing.ogg", True),
        ("speech", "hedgewars-data", "games/hedgewars/Data/Sounds/explosion.ogg", False),
        ("nonspeech", "hedgewars-data", "games/hedgewars/Data/Sounds/voices/Pirate/Amazing.ogg", False),
        ("nonspeech", "hedgewars-data", "games/hedgewars/Data/Sounds/explosion.ogg", True),
        ("nonspeech", "warzone2100-data", "games/warzone2100/base.wz/audio/sfx/weapons/cannon.ogg", True),
        ("nonspeech", "warzone2100-data", "games/warzone2100/base.wz/audio/memressp/combat/x.ogg", False),
        ("speech", "warzone2100-data", "games/warzone2100/base.wz/audio/memressp/combat/x.ogg", True),
        ("nonspeech", "0ad-data", "games/0ad/mods/public/public.zip/audio/voice/greek/civ/a.ogg", False),
    ],
)
def test_path_rules_tell_voices_from_the_rest(set_name: str, name: str, sound: str, taken: bool) -> None:
    assert corpus(name, set_name).takes(sound) is taken


@pytest.mark.parametrize(
    ("set_name", "name", "sound", "kind", "group"),
    [
        ("speech", "fillets-ng-data-cs", "games/fillets-ng/sound/city/cs/mes-m-test.ogg", "speech", "cs/m"),
        ("speech", "fillets-ng-data-cs", "games/fillets-ng/sound/city/cs/intro.ogg", "speech", "cs"),
        ("speech", "klettres-data", "klettres/pt_BR/alpha/a.ogg", "speech", "pt_BR"),
        ("speech", "tuxpaint-stamps-default", "tuxpaint/stamps/animals/cow_desc_pt_BR.ogg", "speech", "pt_BR"),
        ("speech", "gcin-voice", "gcin-voice/ogg/ㄅㄚ1/5.ogg", "speech", "5"),
        ("nonspeech", "0ad-data", "x/public.zip/audio/music/Calm.ogg", "music", "x/public.zip/audio/music/Calm.ogg"),
        ("nonspeech", "0ad-data", "x/public.zip/audio/ambient/day.ogg", "ambience", "x/public.zip/audio/ambient"),
        ("nonspeech", "redeclipse-data", "games/redeclipse/data/sounds/theme.ogg", "music", None),
        ("nonspeech", "freepats", "midi/freepats/Tone_000/000.pat/00", "instruments", None),
        ("nonspeech", "warzone2100-music", "games/warzone2100/x.opus", "music", None),
        ("nonspeech", "minetest-data", "games/minetest/mods/env_sounds/sounds/rain.ogg", "ambience", None),
    ],
)
def test_kinds_and_groups_follow_the_path(set_name: str, name: str, sound: str, kind: str, group: str | None) -> None:
    found = corpus(name, set_name)
    assert found.kind_of(sound) == kind
    if group is not None:
        assert found.group_of(sound) == f"{name}/{group}"


def test_the_digest_changes_with_the_rules_alone() -> None:
    first = Corpus("a", "effects", "CC0-1.0", "about")
    assert Corpus("a", "effects", "CC0-1.0", "other words", hours=3).rules_digest() == first.rules_digest()
    assert Corpus("a", "effects", "CC0-1.0", "about", drop="x").rules_digest() != first.rules_digest()


# --- decoding -----------------------------------------------------------------------------------------------------


@given(rate=st.sampled_from([8000, 11025, 16000, 22050, 44100, 48000, 96000]), seconds=st.floats(0.01, 2))
def test_the_length_in_seconds_stays(rate: int, seconds: float) -> None:
    samples = noise(seconds, rate)
    assert abs(len(to_training_form(samples, rate)) - len(samples) * 16000 / rate) <= 1


def test_channels_are_averaged_and_beyond_full_scale_is_clipped() -> None:
    stereo = np.array([[0.5, -0.25], [3.0, 3.0], [-3.0, -3.0], [np.nan, 0.0]], np.float32)
    assert to_training_form(stereo, 16000).tolist() == [4096, 32767, -32768, 0]


@pytest.mark.parametrize(("shape", "rate"), [((2, 2, 2), 16000), ((4,), 0)])
def test_other_shapes_and_rates_are_refused(shape: tuple[int, ...], rate: int) -> None:
    with pytest.raises(ValueError, match=r"expected samples of shape"):
        to_training_form(np.zeros(shape, np.float32), rate)


@given(pcm=st.lists(st.integers(-32768, 32767), min_size=1, max_size=200))
def test_flac_keeps_every_sample_and_duplicates_have_one_digest(
    pcm: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("flac") / "folder" / "a.flac"
    samples = np.array(pcm, np.int16)
    write_flac(path, samples)
    read, rate = soundfile.read(path, dtype="int16")
    assert rate == 16000
    assert read.tolist() == pcm
    assert pcm_digest(read) == pcm_digest(samples)
    assert [file.name for file in path.parent.iterdir()] == ["a.flac"]


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on the size of files")
@pytest.mark.parametrize("seconds", [0.2, 2.0])
def test_a_flac_that_does_not_fit_is_an_error_and_leaves_nothing(seconds: float, tmp_path: Path) -> None:
    import resource

    pcm = to_training_form(noise(seconds), 16000)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            write_flac(tmp_path / "a.flac", pcm)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.iterdir())


def test_what_is_short_or_silent_is_not_usable() -> None:
    assert unusable(np.zeros(0, np.int16)) == "short"
    assert unusable(np.full(700, 3000, np.int16)) == "short"
    assert unusable(np.full(1600, -20, np.int16)) == "silent"
    assert unusable(np.full(1600, -32768, np.int16)) is None


# --- names, pieces, samples of music ------------------------------------------------------------------------------


@given(names=st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=20))
@example(names=["/", "_", "//"])
def test_every_sound_gets_a_file_of_its_own_inside_the_folder(names: list[str]) -> None:
    given_names = FileNames()
    paths = [PurePosixPath(given_names.path_for("a-game", name)) for name in names]
    assert len({str(path).lower() for path in paths}) == len(names)
    for path in paths:
        assert path.parts[0] == "a-game" and len(path.parts) > 1
        assert not path.is_absolute() and ".." not in path.parts
        assert "\\" not in str(path) and ":" not in str(path) and "\0" not in str(path)


def test_long_names_are_cut_and_stay_different() -> None:
    names = FileNames()
    paths = [PurePosixPath(names.path_for("a-game", f"x/{'ö' * 130}{end}.wav", 30.0)) for end in "ab"]
    assert paths[0] != paths[1]
    # What is being written has a name some bytes longer.
    assert all(len(path.name.encode()) <= 230 for path in paths)


@given(duration=st.floats(0.1, 5000))
def test_pieces_cover_a_recording_in_equal_parts(duration: float) -> None:
    parts = pieces(duration)
    assert sum(length for _, length in parts) == pytest.approx(duration)
    assert all(length <= PIECE_S + 0.002 for _, length in parts)
    assert [start for start, _ in parts] == pytest.approx([index * parts[0][1] for index in range(len(parts))])


@given(durations=st.lists(st.floats(1, 1000), min_size=1, max_size=30), part=st.floats(0, 1.5))
def test_shares_add_up_to_what_is_wanted(durations: list[float], part: float) -> None:
    wanted = part * sum(durations)
    share = share_per_track(durations, wanted)
    taken = sum(min(duration, share) for duration in durations)
    assert taken == pytest.approx(min(wanted, sum(durations)), rel=1e-6, abs=1e-6)


def test_the_draw_depends_on_seed_and_track_alone() -> None:
    first = draw_order(600, "a", seed=1)
    assert first == draw_order(600, "a", seed=1)
    assert first != draw_order(600, "a", seed=2)
    assert first != draw_order(600, "b", seed=1)
    assert sorted(first) == pieces(600)


# --- speech -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frames", "seconds"),
    [
        ("", 0),
        ("....", 0),
        ("#", 0.032),
        (".##..##.", 0.192),
        ("##...##", 0.224),
        ("##....##", 0.064),
        ("#....####....##", 0.128),
    ],
)
def test_the_longest_stretch_bridges_short_pauses(frames: str, seconds: float) -> None:
    probabilities = np.array([1.0 if frame == "#" else 0.0 for frame in frames], np.float32)
    assert longest_speech_s(probabilities) == pytest.approx(seconds)


def test_the_detector_tells_speech_from_noise(clips_folder: Path) -> None:
    pytest.importorskip("silero_vad")
    pytest.importorskip("onnxruntime")
    detector = load_detector()
    for name in ("speech_english_8k.wav", "speech_french_16k.wav"):
        pcm = to_training_form(*soundfile.read(clips_folder / name, dtype="float32"))
        assert detector(pcm).shape == (-(-len(pcm) // 512),)
        assert contains_speech(pcm, detector)
    for name in ("ambience_stereo_48k.opus", "drum_stereo_44k.flac", "piano_stereo_44k.mp3"):
        assert not contains_speech(to_training_form(*soundfile.read(clips_folder / name, dtype="float32")), detector)
    assert not contains_speech(np.zeros(0, np.int16), detector)


def test_without_the_detector_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "silero_vad", None)
    with pytest.raises(ValueError, match=r"pip install silero-vad.*--keep-speech"):
        load_detector()
