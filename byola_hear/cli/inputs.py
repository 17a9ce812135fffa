"""What commands read: clips that paths stand for, tables and models. What is wrong with them is wrong usage."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from byola_hear.cli.terminal import stderr_is_terminal
from byola_hear.extraction.clips import Clip, find_clips, parse_shard, shard
from byola_hear.extraction.rows import Failed
from byola_hear.models.loading import resolve
from byola_hear.models.model import ByolaModel
from byola_hear.utils.device import usable_device
from byola_hear.utils.text import one_line

if TYPE_CHECKING:
    import pandas


def found_clips(
    paths: tuple[str, ...], lists: tuple[str, ...], segments: str | None, share: str | None
) -> tuple[list[Clip], list[Failed]]:
    """The clips that were asked for, or a share of them, and a failure for each path that gives none."""
    if not (paths or lists or segments):
        raise click.UsageError("expected something to embed: paths, --list or --segments; got nothing")
    absent: list[Failed] = []
    if sys.stdin is None and "-" in (*paths, *lists):
        raise click.UsageError("expected paths on standard input, but it is closed")
    named = [path for path in paths if path != "-"]
    streams = [sys.stdin.buffer if each == "-" else each for each in (*lists, *(path for path in paths if path == "-"))]
    try:
        clips = find_clips(
            named,
            segments=segments,
            lists=streams,
            on_missing=lambda path, reason: absent.append(Failed(Clip(path), reason)),
        )
        if share is not None:
            index, count = parse_shard(share)
            clips, absent = shard(clips, index, count), absent if index == 0 else []
    except (ValueError, OSError) as error:
        raise click.UsageError(one_line(error)) from error
    return clips, absent


def loaded_model(name: str, device: str, dimensions: int | None = None) -> ByolaModel:
    """The model on its device; an error in either is wrong usage."""
    try:
        target = usable_device(device)
        return resolve(name, dimensions=dimensions).to(target)
    except (ValueError, OSError) as error:
        raise click.UsageError(one_line(error)) from error


def is_table(path: str) -> bool:
    """Whether a path is a table: by its ending or, for a folder of ``.npy`` files, by the list in it."""
    # Imported here, because pandas and Arrow take long to load.
    from byola_hear.tables import ENDINGS

    return Path(path).suffix.lower() in ENDINGS or all(
        Path(path, listing).is_file() for listing in ("index.csv", "index.json")
    )


def embedded(
    paths: tuple[str, ...], name: str, window: float | None, device: str, workers: int
) -> tuple[pandas.DataFrame, dict[str, str]]:
    """Read the named table, or embed the clips that paths stand for; also return what could not be embedded."""
    from byola_hear.dataframe import embed
    from byola_hear.tables import read_table

    if any(map(is_table, paths)):
        if len(paths) > 1:
            raise ValueError(
                f"expected one table or any number of audio paths, got {len(paths)} paths: {paths[0]} and others"
            )
        if window is not None:
            raise ValueError("--window is for audio; a table already has its windows")
        if name:
            raise ValueError("--model is for audio; a table already has its embeddings")
        return read_table(paths[0]), {}
    model = loaded_model(name, device)
    table = embed(list(paths), model, window=window, workers=workers, errors="skip", progress=stderr_is_terminal())
    return table, table.attrs["errors"]


def labels_of_table(
    paths: Path | tuple[Path, ...], files: Iterable[str], column: str | None, others: Sequence[str] = ()
) -> pandas.DataFrame:
    """The labels of a table's recordings, which need not exist. A track that names none may be in another folder."""
    from byola_hear import labels
    from byola_hear.analysis.listening.naming import below_common_folder

    try:
        return labels.read(paths, label_column=column, missing="keep", columns=others)
    except FileNotFoundError:
        _, folder = below_common_folder(files)
        if not os.path.isdir(folder):
            raise
        return labels.read(paths, label_column=column, missing="keep", columns=others, recordings=folder)
