"""Tar archives of audio: recognise them and unpack them safely."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
from pathlib import Path

from byola_hear.utils.archives import ArchiveError, Limits, reading
from byola_hear.utils.files import stamp_of, write_file
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
        folder: folder to unpack into. It is created. Files of the right size in it are kept, unless they were unpacked
            from an earlier version of the tar: then the folder is removed first.

    Raises:
        ValueError: if the archive can't be read, is refused or exceeds :data:`LIMITS`, or a file can't be written.
    """
    # Next to the folder, so that it is there until the whole folder is removed. No longer than the tar's own name.
    noted = folder.with_name(f".{folder.name}.of")
    stamp = json.dumps(stamp_of(str(archive)))
    if noted.is_file() and noted.read_text(encoding="utf-8") != stamp:
        shutil.rmtree(folder, ignore_errors=True)
    noted.parent.mkdir(parents=True, exist_ok=True)
    write_file(noted, stamp)
    extract_missing(archive, folder, LIMITS)
