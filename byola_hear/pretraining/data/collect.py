"""Make a manifest of folders of audio, single files, tars, and other manifests."""

from __future__ import annotations

import csv
import os
import posixpath
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from byola_hear.audio.opening import open_source
from byola_hear.audio.source import AudioFileError
from byola_hear.extraction.clips import audio_files
from byola_hear.pretraining.data.manifest import (
    ManifestClip,
    check_replaceable,
    moved,
    path_from,
    read_manifest,
    write_manifest,
)
from byola_hear.pretraining.data.tars import TAR_ENDING, is_tar, unpack_tar


def build_manifest(
    inputs: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    kind: str = "",
    licence: str = "",
    on_error: Callable[[Path, str], None] | None = None,
) -> list[ManifestClip]:
    """List the audio in folders, files, tars and other manifests as one manifest.

    Tars are unpacked into a folder ``NAME.audio`` next to the manifest. If a tar or folder contains a ``manifest.csv``
    with columns ``file`` and ``speaker``, the speakers become the groups.

    Args:
        inputs: folders, which are searched recursively, audio files, tars, and manifests, whose rows are taken as they
            are. The same file or segment is listed once.
        output: manifest to write.
        kind: kind of all clips; if empty, rows of other manifests keep theirs.
        licence: licence of all clips; if empty, rows of other manifests keep theirs.
        on_error: called with the path and the reason for each file that can't be read. Such files are left out.

    Returns:
        The clips of the manifest.

    Raises:
        FileNotFoundError: if an input does not exist.
        ValueError: if a folder or tar has no readable audio, two tars have the same name, a manifest can't be read, or
            the output exists and is no manifest.
    """
    output = Path(output)
    check_replaceable(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    # By path, and by the beginning and end of a segment.
    clips: dict[tuple[str, float | None, float | None], ManifestClip] = {}
    unpacked: dict[Path, Path] = {}
    for given in map(Path, inputs):
        if not given.exists():
            raise FileNotFoundError(f"{given}: no such file or folder")
        if given.is_file() and given.suffix.lower() == ".csv":
            for clip in read_manifest(given):
                clip = moved(clip, given.parent, output.parent)
                clip = replace(clip, kind=kind or clip.kind, licence=licence or clip.licence)
                clips.setdefault((clip.path, clip.start_s, clip.end_s), clip)
            continue
        root = given
        if given.is_file() and is_tar(given):
            root = output.parent / f"{output.stem}.audio" / TAR_ENDING.sub("", given.name)
            if not unpacked.setdefault(root, given).samefile(given):
                raise ValueError(f"expected tars of different names, got {unpacked[root]} and {given}")
            unpack_tar(given, root)
        rows = listed_rows(root)
        for file in audio_files([root]):
            path = path_from(output.parent, file)
            if (path, None, None) in clips:
                continue
            try:
                duration_s, sample_rate, channels = _measured(file)
            except ValueError as error:
                if on_error is not None:
                    on_error(file, str(error))
                continue
            clips[path, None, None] = ManifestClip(
                path=path,
                duration_s=duration_s,
                sample_rate=sample_rate,
                channels=channels,
                source=Path(os.path.abspath(given)).name,
                kind=kind,
                group=rows(Path(os.path.relpath(file, root)).as_posix()).get("speaker") or "",
                licence=licence,
            )
    if not clips:
        raise ValueError(f"no readable audio file in {', '.join(str(given) for given in inputs)}")
    write_manifest(clips.values(), output)
    return list(clips.values())


def _measured(file: Path) -> tuple[float, int, int]:
    """Measure the seconds, rate in Hz and channels of a file. It is decoded if its header does not give the length.

    Raises:
        ValueError: if the file can't be in a manifest; the message says why.
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


def listed_rows(root: Path) -> Callable[[str], dict[str, str]]:
    """Read what a collection's own ``manifest.csv`` say of its files.

    Args:
        root: folder of the collection. A ``manifest.csv`` in it that is not a CSV table in UTF-8 is ignored.

    Returns:
        A function of a file's path, relative to ``root`` and with slashes, that returns its row. A row belongs to the
        path ``file``, relative to its table. If the collection has no such file, it belongs to files of the same base
        name, unless rows of other files have that, too. The row is empty if there is none.
    """
    by_path: dict[str, dict[str, str]] = {}
    by_name: dict[str, set[str]] = {}
    for listing in sorted(path for path in root.rglob("manifest.csv") if path.is_file()):
        try:
            with open(listing, newline="", encoding="utf-8-sig") as file:
                rows = [row for row in csv.DictReader(file) if row.get("file")]
        except (UnicodeDecodeError, csv.Error):
            continue
        for row in rows:
            path = Path(os.path.relpath(listing.parent / row["file"], root)).as_posix()
            by_path[path] = row
            by_name.setdefault(posixpath.basename(path), set()).add(path)
    # A row of a file that is there says nothing of another one of the same base name.
    alone = ((name, *paths) for name, paths in by_name.items() if len(paths) == 1)
    elsewhere = {name: path for name, path in alone if path.startswith("../") or not os.path.isfile(root / path)}

    def row_of(name: str) -> dict[str, str]:
        return by_path.get(name) or by_path.get(elsewhere.get(posixpath.basename(name), ""), {})

    return row_of
