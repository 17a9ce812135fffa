from __future__ import annotations

import re

import pytest

from byola_hear.pretraining.corpora.catalogue.corpus import SETS, Corpus
from byola_hear.pretraining.corpora.catalogue.lookup import catalogue, find


def corpus(name: str, set_name: str) -> Corpus:
    (found,) = find([name], set_name)
    return found


@pytest.mark.parametrize("set_name", SETS)
def test_entries_are_valid(set_name: str) -> None:
    corpora = catalogue(set_name)
    names = [corpus.name for corpus in corpora]
    assert len(set(names)) == len(names)
    for corpus in corpora:
        assert corpus.set_name == set_name
        assert re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", corpus.name) or corpus.origin
        assert corpus.licence and corpus.about
        for rule in (corpus.keep, corpus.drop, corpus.music, corpus.group):
            re.compile(rule)


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
def test_path_rules_separate_voices_from_other_sounds(set_name: str, name: str, sound: str, taken: bool) -> None:
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


def test_digest_changes_only_with_the_rules() -> None:
    first = Corpus("a", "effects", "CC0-1.0", "about")
    assert Corpus("a", "effects", "CC0-1.0", "other words", hours=3).rules_digest() == first.rules_digest()
    assert Corpus("a", "effects", "CC0-1.0", "about", drop="x").rules_digest() != first.rules_digest()
