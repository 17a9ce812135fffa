"""What a corpus is: a Debian package or an archive, which of its sounds to take, and what they are.

The catalogue's tables are ``speech`` and ``nonspeech``; this module gives them their meaning.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from byola_hear.pretraining.corpora.sounds.rendered import NOTES

#: The two sets, as they are named at the command line.
SETS = ("speech", "nonspeech")

#: Folders and files that game data keeps speech in; left out of every corpus of the non-speech set.
VOICE_PATHS = (
    r"(^|/)(voices?|voice_samples|speech|vo|spoken|announcer|taunts?|taunt\d|commentary|dialogues?)(/|$)"
    r"|(^|/)(voice|speech)[-_][^/]*$"
)

#: Folders and files that hold music, unless a corpus says otherwise.
MUSIC_PATHS = r"(^|/)(music|musics|tunes|titles|soundtrack|loops)(/|_)|(^|[/_-])(music|theme)[^/]*\.\w+$"

#: Folders that hold ambience.
AMBIENCE_PATHS = r"ambien|/env_sounds/|/water_sounds/|weather|tilesets/.*/sounds"


@dataclass(frozen=True)
class Corpus:
    """A Debian package, or an archive that one has, and the sounds to take from it.

    The rules are regular expressions, searched for without regard to case in a sound's name: its path in the
    package without ``usr/share/``, and for a sound inside an archive the archive's path, a slash and the name there.

    Attributes:
        name: of the Debian package, or of the archive without its ending.
        kind: of its sounds, where no rule says otherwise: ``speech``, ``effects``, ``ambience``,
            ``instruments``, ``music``.
        licence: short name; the full text is kept beside what is built.
        about: what it is, in a few words.
        hours: what ``build`` gave when it was last measured, with all of its music.
        origin: where it is from, if it is no Debian package: it is built from a tar or a folder of its name.
        keep: only sounds that match are taken; empty for all.
        drop: sounds that match are left out, besides those of :data:`VOICE_PATHS` in the non-speech set.
        music: sounds that match are music; empty for :data:`MUSIC_PATHS`.
        group: its parenthesised parts, joined by slashes, tell which sounds belong together (a speaker, a
            language); empty for the folder.
        notes: whether notes played on its SoundFonts are taken besides the recordings in them.
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

    @property
    def set_name(self) -> str:
        """``speech`` or ``nonspeech``."""
        return "speech" if self.kind == "speech" else "nonspeech"

    def takes(self, sound_name: str) -> bool:
        """Whether the path rules let a sound in."""
        if NOTES in sound_name and not self.notes:
            return False
        if self.keep and not _matches(self.keep, sound_name):
            return False
        if self.drop and _matches(self.drop, sound_name):
            return False
        return self.kind == "speech" or not _matches(VOICE_PATHS, sound_name)

    def kind_of(self, sound_name: str) -> str:
        """The kind of one of its sounds.

        Example:
            >>> corpus = Corpus("a-game-data", "effects", "CC0-1.0", "a game")
            >>> [corpus.kind_of(f"games/a-game/{name}") for name in ("music/menu.ogg", "ambience/rain.ogg", "bang.wav")]
            ['music', 'ambience', 'effects']
        """
        if self.kind in ("speech", "music"):
            return self.kind
        if _matches(self.music or MUSIC_PATHS, sound_name):
            return "music"
        return "ambience" if _matches(AMBIENCE_PATHS, sound_name) else self.kind

    def group_of(self, sound_name: str) -> str:
        """What keeps dependent sounds together, beginning with the corpus's name."""
        if self.group:
            match = re.search(self.group, sound_name, re.IGNORECASE)
            parts = [part for part in match.groups() if part] if match else []
            return "/".join([self.name, *parts])
        if self.kind_of(sound_name) == "music":
            return f"{self.name}/{sound_name}"
        return f"{self.name}/{sound_name.rpartition('/')[0]}".rstrip("/")

    def rules_digest(self) -> str:
        """Changes when anything that decides over its sounds does."""
        rules = [self.name, self.kind, self.licence, self.keep, self.drop, self.music, self.group]
        if self.notes:
            rules.append(NOTES)
        shared = (VOICE_PATHS, MUSIC_PATHS, AMBIENCE_PATHS)
        return hashlib.sha256(repr((tuple(rules), shared)).encode()).hexdigest()[:16]


def _matches(rule: str, sound_name: str) -> bool:
    return re.search(rule, sound_name, re.IGNORECASE) is not None
