"""Manifests made from what a user has: folders of audio, single files, tars."""

from __future__ import annotations

import csv
import os
import shutil
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import soundfile

from byola_hear.clips import audio_files
from byola_hear.files import replacing
from byola_hear.pretraining.manifest import Clip, write_manifest


def unpack_tar(archive: Path, folder: Path) -> None:
    """Unpack a tar's files into a folder, refusing members that would land outside it.

    Args:
        archive: ``.tar``, also compressed.
        folder: where to; created. Files already there with the right size are kept.

    Raises:
        ValueError: if the archive cannot be read or holds a member with an unsafe name.
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
                target.parent.mkdir(parents=True, exist_ok=True)
                with replacing(target) as file:
                    shutil.copyfileobj(data, file)
    except tarfile.TarError as error:
        raise ValueError(f"{archive}: not a readable tar archive ({error})") from None


def build_manifest(
    inputs: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    kind: str = "",
    licence: str = "",
    on_error: Callable[[Path, str], None] | None = None,
) -> list[Clip]:
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
        ValueError: if a folder or tar holds no audio, or none that can be read.
    """
    output = Path(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    clips: list[Clip] = []
    for given in map(Path, inputs):
        if not given.exists():
            raise FileNotFoundError(f"{given}: no such file or folder")
        root = given
        if given.is_file() and tarfile.is_tarfile(given):
            root = output.parent / f"{output.stem}.audio" / given.name.split(".")[0]
            unpack_tar(given, root)
        groups = _speakers(root) if root.is_dir() else {}
        for path in audio_files([root]):
            try:
                info = soundfile.info(path)
            except (soundfile.SoundFileError, OSError) as error:
                if on_error is not None:
                    on_error(path, str(error))
                continue
            if info.frames <= 0:
                if on_error is not None:
                    on_error(path, "no samples")
                continue
            clips.append(
                Clip(
                    path=Path(os.path.relpath(path, output.parent)).as_posix(),
                    duration_s=info.frames / info.samplerate,
                    sample_rate=info.samplerate,
                    channels=info.channels,
                    source=given.name,
                    kind=kind,
                    group=groups.get(path.name, ""),
                    licence=licence,
                )
            )
    if not clips:
        raise ValueError(f"no audio file found in {', '.join(str(given) for given in inputs)}")
    write_manifest(clips, output)
    return clips


def _speakers(root: Path) -> dict[str, str]:
    """File name → speaker, where the collection's own manifest.csv tells."""
    speakers: dict[str, str] = {}
    for listing in sorted(root.rglob("manifest.csv")):
        with open(listing, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row.get("file") and row.get("speaker"):
                    speakers[PurePosixPath(row["file"]).name] = row["speaker"]
    return speakers
