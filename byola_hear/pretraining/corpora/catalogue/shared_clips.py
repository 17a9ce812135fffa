"""Sounds of the packages that were made of Freesound clips which are in evaluation sets. ``corpora build`` leaves them
out.

The clips are those that a package's credits name and that ESC-50, FSD50K, UrbanSound8K or FSDnoisy18k contain.
``python -m byola_hear.pretraining corpora overlap`` finds them, and fails if one is missing here. Which sounds were
made of them was read in the credits. If the credits don't say, the rule takes every sound of the package.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class SharedClips:
    """What a package shares with evaluation sets.

    Attributes:
        clips: Freesound ids of the clips.
        sounds: regular expression, searched without regard to case in the name of a sound, as the rules of a
            :class:`~byola_hear.pretraining.corpora.catalogue.corpus.Corpus` are.
    """

    clips: frozenset[int]
    sounds: str

    def includes(self, sound_name: str) -> bool:
        """Whether a sound was made of one of the clips, or may have been."""
        return re.search(self.sounds, sound_name, re.IGNORECASE) is not None


#: A rule for all sounds of a package.
EVERY_SOUND = ""


def _shared(sounds: str, *clips: int) -> SharedClips:
    return SharedClips(frozenset(clips), sounds)


def _named(*names: str) -> str:
    """A rule for sounds of these names, each a regular expression, in any folder and with any ending."""
    return rf"(^|/)({'|'.join(names)})\.\w+(\.\w+)?$"


#: By the name of the corpus.
SHARED: dict[str, SharedClips] = {
    # The archive numbers its sounds, and the credits give other names.
    "openttd-opensfx": _shared(
        EVERY_SOUND,
        *(2690, 2792, 14609, 17851, 19025, 19026, 19898, 23452, 23722, 26814, 27882, 51317, 71740, 78484),
        *(131385, 139952, 169127, 170464, 219469, 233146),
    ),
    "minetest-data": _shared(
        _named(
            r"default_break_glass\.\d",
            r"default_chest_(open|close)",
            r"default_(snow|sand|ice)_footstep\.\d",
            r"doors_(fencegate|steel_door)_(open|close)",
            "fire_small",
            r"tnt_(explode|ignite|gunpowder_burning)",
        ),
        *(4211, 23448, 71947, 80401, 88808, 94337, 97669, 126041, 187283, 249573, 316682, 319224, 348767, 416967),
    ),
    "sonic-pi-samples": _shared(
        _named(
            *("drum_cowbell", "drum_roll", "guit_harmonics", "misc_burp", "misc_crow", "sn_zome", "vinyl_backspin"),
            *("perc_(bell|snap|swash|till)", "ambi_(glass_rub|piano)", "bass_(hit_c|woodsy_c)", "mehackit_phone_[12]"),
            *("loop_(safari|tabla)", r"tabla_(tas[23]|na_?o?|tun[123]|te2|ghe[1-8]|dhec)"),
        ),
        *(19433, 51245, 54973, 55232, 60009, 75338, 109400, 130404, 130405, 130406, 130407, 130408, 130409, 130410),
        *(130411, 130414, 130416, 130418, 130419, 130420, 130421, 130422, 130425, 130430, 141524, 165322, 182316),
        *(198403, 209578, 211614, 221515, 222022, 242591, 318759, 415576, 415577),
    ),
    "supertuxkart-data": _shared(
        _named(
            *("bubblegum_explode", "exotic-birds", "fireworks_show", "hammer", "metal_clang", "sara_airport_pa"),
            *("skid", "tractor_beam", "waterfall_loop_2", "spaceship_engine.*"),
        ),
        *(33943, 35201, 49977, 50048, 71739, 98946, 132273, 171755, 182501, 197990, 215711),
    ),
    "hyperrogue-music": _shared(
        _named("explosion", "pickup-mirror", "opengate", "frog3", "splash[12]", "seen-water", "bull", "apple"),
        *(61015, 103425, 105413, 107640, 110393, 226381, 267889, 361117, 400174),
    ),
    "redeclipse-data": _shared(_named("distant_cars", r"waterfall.*"), 26173, 28656, 28657),
    "widelands-data": _shared(_named(r"(fizzle|sawing|tree_falling|inn)(_\d+)?"), 17299, 102844, 139952, 194806),
    "hedgewars-data": _shared(_named("Droplet.*"), 37548),
    "gcompris-qt-data": _shared(
        r"canal_lock/resource/door_(open|close)|money/resource/money[12]|target/resource/arrow|traffic/resource/car\.",
        *(20131, 63523, 160442, 161228, 161230, 181761, 264103),
    ),
    # Spelling and folders are those of its list of authors.
    "openclonk-data": _shared(
        r"/(fishbuilding|fanfare|cash|inflame|ding|smokesizzle|mosquitobuzz|catapultlaunch|boiling|steamengine|nextwave)"
        r"|/(blast[^/]*|glassshatter|softtouch[^/]*|liquidblast1|sawmillripcut|softhit1|munch1|fire)\.\w+$"
        r"|/(general|dullmetal)hit\d*\.\w+$|/woodcreak[^/]*$|farmer\.ocg/hurt|tree\.ocg/chop|/thunder[34]\.\w+$"
        r"|puka\.ocg/teleport|/pukateleport|furnace\.ocg/|glass\.ocg/glassbreak",
        *(4211, 12833, 13854, 13860, 13876, 13878, 17299, 23700, 26198, 27082, 31377, 47835, 48933, 64460),
        *(66520, 73005),
        *(74892, 75328, 80438, 84696, 94102, 108617, 123712, 135860, 142333, 188708, 196106, 198988, 203175, 329978),
    ),
    "freecol": _shared(_named("alert"), 32304),
}
