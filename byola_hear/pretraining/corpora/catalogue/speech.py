"""The speech set's Debian packages: games with actors, telephone prompts, spoken captions, a speech corpus."""

from __future__ import annotations

from byola_hear.pretraining.corpora.catalogue.corpus import Corpus

#: Announcement tones and pauses among the telephone prompts.
_TONES = r"/silence/|/(beep\w*|tt-\w+|[a-z]+-2tone|confbridge-(join|leave))\.\w+$"
#: The folder of a voice among the telephone prompts.
_VOICE = r"asterisk/sounds/([^/]+)/"
#: Talking fish: the language and, if the name says so, which of the two fish.
_FISH = r"sound/[^/]+/(\w+)/[^/]*?(?:-([mv])-[^/]*)?$"

SPEECH: tuple[Corpus, ...] = (
    Corpus(
        "flight-of-the-amazon-queen",
        "speech",
        "LicenseRef-Flight-of-the-Amazon-Queen",
        "an adventure game, English actors",
        4.60,
        keep=r"queen\.1c/",
        group=r"queen\.1c/(..)",
    ),
    Corpus(
        "drascula",
        "speech",
        "LicenseRef-Drascula",
        "an adventure game, English actors",
        0.81,
        keep=r"\.als$",
        group=r"/(drascula)/",
    ),
    Corpus("fillets-ng-data-cs", "speech", "GPL-2.0-or-later", "two talking fish, Czech", 1.76, group=_FISH),
    Corpus("fillets-ng-data-nl", "speech", "GPL-2.0-or-later", "two talking fish, Dutch", 1.60, group=_FISH),
    Corpus(
        "tuxpaint-stamps-default",
        "speech",
        "GPL-2.0-only",
        "spoken captions of pictures, many languages, a volunteer each",
        2.64,
        keep=r"_desc(_[\w@]+)?\.(ogg|wav)$|/stamps/symbols/",
        group=r"_([a-z]{2,3}(?:[_@][A-Za-z]+)?)\.\w+$",
    ),
    Corpus(
        "klettres-data",
        "speech",
        "GPL-2.0-or-later",
        "letters and syllables, 20 languages",
        0.85,
        group=r"klettres/([^/]+)/",
    ),
    Corpus(
        "ktuberling-data",
        "speech",
        "GPL-2.0-or-later",
        "names of things, 26 languages",
        0.52,
        keep=r"/sounds/[^/]+/",
        group=r"/sounds/([^/]+)/",
    ),
    Corpus(
        "festvox-ru", "speech", "LicenseRef-BSD-like", "sentences, one Russian speaker", 1.66, group=r"/(msu_ru_nsh)"
    ),
    Corpus(
        "gcin-voice", "speech", "LGPL-3.0 AND CC-BY-3.0", "Mandarin syllables, 2 voices", 0.23, group=r"/(\d)\.ogg$"
    ),
    *(
        Corpus(
            f"asterisk-core-sounds-{language}-g722",
            "speech",
            "CC-BY-SA-3.0",
            f"telephone prompts, {voice}",
            hours,
            drop=_TONES,
            group=_VOICE,
        )
        for language, voice, hours in (
            ("en", "American English", 0.40),
            ("es", "Mexican Spanish", 0.49),
            ("fr", "Canadian French", 0.41),
            ("it", "Italian", 0.37),
            ("ru", "Russian", 0.39),
        )
    ),
    Corpus(
        "asterisk-prompt-es-co",
        "speech",
        "GPL-2.0-only",
        "telephone prompts, Colombian Spanish",
        0.17,
        drop=_TONES,
        group=_VOICE,
    ),
    Corpus(
        "asterisk-prompt-fr-armelle",
        "speech",
        "LicenseRef-BSD-like",
        "telephone prompts, French",
        0.25,
        drop=_TONES,
        group=_VOICE,
    ),
    Corpus(
        "asterisk-prompt-it-menardi-wav",
        "speech",
        "CC-BY-SA-3.0",
        "telephone prompts, Italian",
        0.39,
        drop=_TONES,
        group=_VOICE,
    ),
    Corpus(
        "hedgewars-data",
        "speech",
        "GFDL-1.3",
        "voice packs of a game, several languages",
        0.24,
        keep=r"/voices/",
        group=r"/voices/([^/]+)/",
    ),
    Corpus(
        "warzone2100-data",
        "speech",
        "GPL-2.0-or-later",
        "radio voices of a game, English",
        0.22,
        keep=r"audio/(coltive|countdown|memressp|nexus|proxmessages|taunts|trnsppil|tutorial|vtoltalk)/"
        r"|sequenceaudio/",
        group=r"(?:audio/)?(\w+)/(?:taunt\d/)?[^/]+$",
    ),
    Corpus(
        "omnilingo",
        "speech",
        "CC0-1.0",
        "a sample of Common Voice 6.1, 59 languages, many speakers",
        5.85,
        origin="https://github.com/omnilingo/rsample-100-cv-corpus-6.1-2020-12-11",
    ),
    Corpus(
        "librispeech_mini",
        "speech",
        "CC-BY-4.0",
        "a sample of LibriSpeech, 261 English speakers",
        1.09,
        origin="https://github.com/resemble-ai/Resemblyzer (audio_data)",
    ),
    Corpus(
        "common_voice_fa_tw",
        "speech",
        "CC0-1.0",
        "parts of Common Voice, Persian and Twi",
        2.32,
        origin="https://github.com/yasaman999/SR and https://github.com/pryyyynz/audio-for-Twi-TTS",
    ),
)
