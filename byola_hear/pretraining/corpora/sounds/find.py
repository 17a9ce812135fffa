"""Find every sound in a folder, in audio files and in archives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from byola_hear.audio.ffmpeg import FFMPEG_SUFFIXES
from byola_hear.audio.reading import AUDIO_SUFFIXES
from byola_hear.pretraining.corpora.sounds import (
    clonk_archives,
    ffmpeg,
    game_archives,
    instruments,
    qt_resources,
    raw_audio,
    zip_archives,
)
from byola_hear.pretraining.corpora.sounds.sound import Sound, SoundError, decoded_sound, stored_sound

#: Finds the sounds of a file of a name and a path.
Reader = Callable[[str, Path], Iterable[Sound]]


def _converted(name: str, path: Path) -> Iterable[Sound]:
    return [decoded_sound(name, partial(ffmpeg.decode, path))]


def _readers() -> dict[str, Reader]:
    """The function that finds the sounds of a file, by the ending of its name, for all that a package may contain."""

    def one(name: str, path: Path) -> Iterable[Sound]:
        return [stored_sound(name, lambda: path)]

    return {
        **dict.fromkeys(AUDIO_SUFFIXES, one),
        **dict.fromkeys((".zip", ".pk3", ".wz"), zip_archives.zip_sounds),
        **dict.fromkeys((".sf2", ".sf3"), instruments.soundfont_sounds),
        **dict.fromkeys((".g722", ".wv"), _converted),
        ".pat": instruments.patch_sounds,
        ".1c": game_archives.queen_sounds,
        ".cat": game_archives.openttd_sounds,
        ".wad": game_archives.doom_sounds,
        ".ocg": clonk_archives.clonk_sounds,
        ".rcc": qt_resources.qt_sounds,
        ".res": game_archives.wav_sounds,
        ".als": raw_audio.als_sounds,
        ".gsm": raw_audio.gsm_sounds,
    }


def sound_suffixes() -> frozenset[str]:
    """The endings, in lower case, of files that are unpacked from a package as they may contain sounds."""
    return frozenset(_readers())


def find_sounds(folder: Path, on_error: Callable[[str, str], None]) -> Iterator[Sound]:
    """Find all sounds below a folder, in the order of their names. Links are not followed.

    Args:
        folder: folder to search recursively. Hidden files and folders are ignored.
        on_error: called with the name of each file that can't be read, and the error.
    """
    # In packages, most files in the other formats of ffmpeg are films. They are not unpacked.
    readers = {**dict.fromkeys(FFMPEG_SUFFIXES, _converted), **_readers()}
    for path in sorted(folder.rglob("*")):
        reader = readers.get(path.suffix.lower())
        relative = path.relative_to(folder)
        if reader is None or path.is_symlink() or not path.is_file() or _hidden(relative):
            continue
        name = relative.as_posix()
        try:
            yield from reader(name, path)
        except SoundError as error:
            on_error(name, str(error))


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)
