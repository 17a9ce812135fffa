"""Tar archives of audio: recognise them and unpack them safely."""

from __future__ import annotations

import errno
import gzip
import lzma
import re
import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from byola_hear.utils.files import replacing

#: Endings of the names of tars.
TAR_ENDING = re.compile(r"\.(tar|tgz|tar\.\w+)$", re.IGNORECASE)
#: Errors of reading a tar that is damaged or truncated.
_DAMAGED = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)


def is_tar(path: Path) -> bool:
    """Whether a file is a tar. It may be damaged."""
    try:
        return tarfile.is_tarfile(path)
    except _DAMAGED:
        return True


def unpack_tar(archive: Path, folder: Path) -> None:
    """Unpack the regular files of a tar. A member whose path leads outside the folder is refused.

    Args:
        archive: a tar, which may be compressed.
        folder: folder to unpack into. It is created. Files of the right size in it are kept.

    Raises:
        ValueError: if the archive can't be read, or a member's name leads outside the folder or is too long.
    """
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                name = PurePosixPath(member.name)
                if name.is_absolute() or ".." in name.parts:
                    raise ValueError(f"{archive}: refused the member {member.name!r}, which leads outside the folder")
                data = tar.extractfile(member) if member.isfile() else None
                if data is None:
                    continue
                target = folder / name
                if target.exists() and target.stat().st_size == member.size:
                    continue
                try:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with replacing(target) as file:
                        shutil.copyfileobj(data, file)
                except OSError as error:
                    if error.errno != errno.ENAMETOOLONG:
                        raise
                    raise ValueError(f"{archive}: the name of the member {member.name[:60]}… is too long") from None
    except _DAMAGED as error:
        raise ValueError(f"{archive}: not a readable tar archive ({error})") from None
