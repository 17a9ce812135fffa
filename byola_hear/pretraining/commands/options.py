"""What the commands share: types of arguments and options, and what they print."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from byola_hear.models.frontend import FrontendConfig
from byola_hear.pretraining.data.build_cache import build_cache
from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.data.manifest import ManifestClip, hours, hours_by

#: Types of paths: a folder or file to write, a manifest to read, the folder of a run.
FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
MANIFEST = click.Path(exists=True, dir_okay=False, path_type=Path)
RUN = click.Path(exists=True, file_okay=False, path_type=Path)

workers_option = click.option("--workers", default=2, show_default=True, help="Number of decoding threads.")


def hours_by_kind(clips: Sequence[ManifestClip]) -> str:
    """Format the hours of clips, in all and of each kind.

    Example:
        >>> hours_by_kind([ManifestClip("a.wav", 3600, 16000, kind="music"), ManifestClip("b.wav", 1800, 16000)])
        '1.50 hours (music 1.00, other 0.50)'
    """
    kinds = ", ".join(f"{kind or 'other'} {hour:.2f}" for kind, hour in hours_by(clips, "kind").items())
    return f"{hours(clips):.2f} hours ({kinds})"


def progress_bar(title: str, unit: str, **options: Any) -> tqdm:
    """Make a progress bar on stderr. It is silent if stderr is not a terminal.

    Args:
        title: text before the bar.
        unit: name of what is counted.
        options: further options of ``tqdm.tqdm``.
    """
    return tqdm(desc=title, unit=unit, disable=None, dynamic_ncols=True, **options)


def cache_with_progress(
    manifest: Path, output: Path, workers: int, frontend: FrontendConfig | None = None
) -> LogMelCache:
    """Build, finish or open a cache, with a progress bar.

    Args:
        manifest: the manifest to decode.
        output: folder of the cache.
        workers: number of decoding threads.
        frontend: the front end. None takes that of BYOL-A v2.
    """
    with progress_bar("decoding", "row", leave=False) as bar:

        def report(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        return build_cache(manifest, output, frontend, workers, progress=report)


def report_left_out(cache: LogMelCache, folder: Path) -> None:
    """Say on stderr how many rows of a manifest a cache lacks, if any, and why the first of them could not be read.

    Args:
        cache: the cache.
        folder: its folder.
    """
    if failed := cache.info["failed"]:
        n_rows = len(failed) + cache.info["rows"]
        click.echo(
            f"{folder}: {len(failed)} of {n_rows} rows left out; the first: {failed[0]}; "
            "delete this folder to try them again, in a new run",
            err=True,
        )
