"""Manifests made from what a user has: folders of audio, single files, tars."""

from __future__ import annotations

import csv
import errno
import gzip
import lzma
import os
import re
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path, PurePosixPath

from byola_hear.audio.opening import open_source
from byola_hear.audio.source import AudioFileError
from byola_hear.extraction.clips import audio_files
from byola_hear.pretraining.data.manifest import ManifestClip, path_from, write_manifest
from byola_hear.utils.files import replacing

#: How the name of a tar ends.
TAR_ENDING = re.compile(r"\.(tar|tgz|tar\.\w+)$", re.IGNORECASE)
#: What reading a tar that is damaged, or cut short, ends in.
_DAMAGED = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)


def is_tar(path: Path) -> bool:
    """Whether a file is a tar, though perhaps one that cannot be read to its end."""
    try:
        return tarfile.is_tarfile(path)
    except _DAMAGED:
        return True


def unpack_tar(archive: Path, folder: Path) -> None:
    """Unpack a tar's files into a folder, refusing members that would land outside it.

    Args:
        archive: ``.tar``, also compressed.
        folder: where to; created. Files already there with the right size are kept.

    Raises:
        ValueError: if the archive cannot be read or holds a member with an unsafe name, or one too long for a file.
    """
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                name = PurePosixPath(member.name)
                if name.is_absolute() or ".." in name.parts:
                    raise ValueError(f"{archive}: refused the member {member.name!r}, it leads outside the folder")
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


def build_manifest(
    inputs: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    kind: str = "",
    licence: str = "",
    on_error: Callable[[Path, str], None] | None = None,
) -> list[ManifestClip]:
    """List the audio in folders, files and tars as a manifest.

    Tars are unpacked into a folder ``NAME.audio`` beside the manifest. Where a tar or folder holds a ``manifest.csv``
    with columns ``file`` and ``speaker``, the speaker becomes the group.

    Args:
        inputs: folders (searched recursively), audio files, tars.
        output: the manifest to write.
        kind: written into every row.
        licence: written into every row.
        on_error: called with the path and the reason for each file that cannot be read; such files are left out.

    Returns:
        The rows written.

    Raises:
        FileNotFoundError: if an input does not exist.
        ValueError: if a folder or tar holds no audio, or none that can be read, or two tars have one name.
    """
    output = Path(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    clips: dict[str, ManifestClip] = {}
    unpacked: dict[Path, Path] = {}
    for given in map(Path, inputs):
        if not given.exists():
            raise FileNotFoundError(f"{given}: no such file or folder")
        root = given
        if given.is_file() and is_tar(given):
            root = output.parent / f"{output.stem}.audio" / TAR_ENDING.sub("", given.name)
            if not unpacked.setdefault(root, given).samefile(given):
                raise ValueError(f"expected tars of different names, got {unpacked[root]} and {given}")
            unpack_tar(given, root)
        rows = speaker_rows(root) if root.is_dir() else ()
        groups = {PurePosixPath(row["file"]).name: row["speaker"] for row in rows}
        for file in audio_files([root]):
            path = path_from(output.parent, file)
            if path in clips:
                continue
            try:
                duration_s, sample_rate, channels = _measured(file)
            except ValueError as error:
                if on_error is not None:
                    on_error(file, str(error))
                continue
            clips[path] = ManifestClip(
                path=path,
                duration_s=duration_s,
                sample_rate=sample_rate,
                channels=channels,
                source=Path(os.path.abspath(given)).name,
                kind=kind,
                group=groups.get(file.name, ""),
                licence=licence,
            )
    if not clips:
        raise ValueError(f"no audio file found in {', '.join(str(given) for given in inputs)}")
    write_manifest(clips.values(), output)
    return list(clips.values())


def _measured(file: Path) -> tuple[float, int, int]:
    """The length of a file in seconds, its rate in Hz and its channels; decoded if its header does not say the length.

    Raises:
        ValueError: if the file can have no row in a manifest; the message says why.
    """
    try:
        str(file).encode()
    except UnicodeEncodeError:
        raise ValueError("expected a name that is text in UTF-8") from None
    try:
        with closing(open_source(str(file))) as source:
            if source.frames is None:
                for _ in source.pieces():
                    pass
            n_samples = source.position if source.frames is None else source.frames
            if not n_samples:
                raise ValueError("no samples")
            return n_samples / source.sample_rate, source.sample_rate, source.channels
    except (AudioFileError, OSError) as error:
        raise ValueError(str(error).removeprefix(f"{file}: ")) from None


def speaker_rows(root: Path) -> Iterator[dict[str, str]]:
    """Rows of a collection's own ``manifest.csv`` that name a ``file`` and its ``speaker``.

    Args:
        root: the collection's folder; a ``manifest.csv`` in it that is no table in UTF-8 is another's, and passed by.
    """
    for listing in sorted(path for path in root.rglob("manifest.csv") if path.is_file()):
        try:
            with open(listing, newline="", encoding="utf-8-sig") as file:
                rows = list(csv.DictReader(file))
        except (UnicodeDecodeError, csv.Error):
            continue
        yield from (row for row in rows if row.get("file") and row.get("speaker"))
