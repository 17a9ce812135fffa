"""Read sounds in zip archives, including the .pk3 and .wz of games."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from byola_hear.audio.reading import AUDIO_SUFFIXES
from byola_hear.pretraining.corpora.sounds.sound import Sound, SoundError, stored_sound
from byola_hear.utils.archives import ArchiveError, zip_content


def zip_sounds(name: str, path: Path) -> Iterator[Sound]:
    """The sounds in a zip archive that libsndfile reads, in the order of their names.

    Raises:
        SoundError: if the archive can't be read.
    """
    try:
        # It stays open while one of its sounds exists, as the list of a large archive takes long to read.
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, NotImplementedError) as error:
        raise SoundError(f"{name}: not a readable zip archive ({error})") from None
    for inner in sorted(archive.namelist()):
        if PurePosixPath(inner).suffix.lower() in AUDIO_SUFFIXES:
            yield stored_sound(f"{name}/{inner}", partial(_contents, archive, inner))


def _contents(archive: zipfile.ZipFile, inner: str) -> bytes:
    """Unpack a member in memory. No file is written under a name from the archive."""
    try:
        return zip_content(archive, inner, f"{archive.filename}/{inner}")
    except (ArchiveError, OSError) as error:
        raise SoundError(str(error)) from None
