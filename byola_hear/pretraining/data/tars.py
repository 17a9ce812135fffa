"""Tar archives of audio: recognise them and unpack them safely."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

from byola_hear.utils.archives import ArchiveError, Limits, reading
from byola_hear.utils.unpack import extract_missing

#: Endings of the names of tars.
TAR_ENDING = re.compile(r"\.(tar|tgz|tar\.\w+)$", re.IGNORECASE)
#: Far beyond every corpus: what is unpacked has to stop somewhere.
LIMITS = Limits(members=20_000_000, total_bytes=4 << 40, member_bytes=16 << 30)


def is_tar(path: Path) -> bool:
    """Whether a file is a tar. It may be damaged."""
    try:
        with reading(str(path)):
            return tarfile.is_tarfile(path)
    except ArchiveError:
        return True


def unpack_tar(archive: Path, folder: Path) -> None:
    """Unpack the regular files of a tar. A member whose path leads outside the folder is refused.

    Args:
        archive: a tar, which may be compressed.
        folder: folder to unpack into. It is created. Files of the right size in it are kept.

    Raises:
        ValueError: if the archive can't be read, is refused or exceeds :data:`LIMITS`, or a file can't be written.
    """
    extract_missing(archive, folder, LIMITS)
