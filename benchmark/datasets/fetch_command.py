"""``python -m benchmark fetch``: build the labelled sets from their public origins."""

from __future__ import annotations

from pathlib import Path

import click

from benchmark.datasets.labelled_set import AUDIO_VARIABLE, cache_folder
from benchmark.datasets.origin import build_set, from_mirror
from benchmark.datasets.origins import ORIGINS, RATED, origin_of
from byola_hear.utils.text import quantity


def _pairs(option: str, values: tuple[str, ...]) -> dict[str, str]:
    """``NAME=VALUE`` given any number of times."""
    pairs: dict[str, str] = {}
    for value in values:
        name, found, text = value.partition("=")
        if not found or not text:
            raise click.BadParameter(f"expected NAME=VALUE, got {value!r}", param_hint=option)
        pairs[origin_of(name).name] = text
    return pairs


@click.command("fetch")
@click.argument("names", nargs=-1, metavar="NAME…")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    envvar=AUDIO_VARIABLE,
    help=f"Folder to write the sets to, NAME.tar each. Default: ${AUDIO_VARIABLE}.",
)
@click.option(
    "--archive",
    "archives",
    multiple=True,
    metavar="NAME=FILE",
    help="Read the original of set NAME from FILE instead of downloading it. May be repeated.",
)
@click.option(
    "--from",
    "mirrors",
    multiple=True,
    metavar="NAME=URL",
    help="Download the original of set NAME from URL. May be repeated.",
)
@click.option(
    "--downloads",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to keep the originals in. Default: a folder in the benchmark's cache.",
)
@click.option("--list", "list_only", is_flag=True, help="List the origin, licence and size of each set, and exit.")
@click.option("-q", "--quiet", is_flag=True, help="Do not show progress bars.")
def command(
    names: tuple[str, ...],
    output: Path | None,
    archives: tuple[str, ...],
    mirrors: tuple[str, ...],
    downloads: Path | None,
    list_only: bool,
    quiet: bool,
) -> None:
    """Build labelled sets from the public archives they were taken from.

    NAME is the name of a set, "all", or "ratings" for the three sets with listeners' ratings. Sets that exist already
    are left as they are. To continue an interrupted download, run the command again.
    """
    if list_only:
        for origin in ORIGINS.values():
            sizes = [file.size for file in (origin.archive, *origin.parts)]
            size = f", {sum(filter(None, sizes)) / 1e6:.0f} MB" if all(sizes) else ""
            size = f" and {quantity(len(origin.parts), 'file')} more{size}" if origin.parts else size
            click.echo(f"{origin.name}: {origin.title}, {origin.licence}\n  {origin.page}")
            click.echo(f"  {origin.archive.urls[0]}{size}\n  {origin.checked}")
        return
    if not names:
        raise click.UsageError(f"expected names of sets out of {', '.join(ORIGINS)}, or all, got no name")
    if output is None:
        raise click.UsageError(
            f"expected a folder to write the sets to, got none: use -o FOLDER or set {AUDIO_VARIABLE}"
        )
    groups = {"all": tuple(ORIGINS), "ratings": RATED}
    asked = [each for name in names for each in groups.get(name, (name,))]
    wanted = [origin_of(name).name for name in dict.fromkeys(asked)]
    files, addresses = _pairs("--archive", archives), _pairs("--from", mirrors)
    kept = downloads or cache_folder() / "originals"
    failures: list[str] = []
    for name in wanted:
        origin = from_mirror(ORIGINS[name], addresses[name]) if name in addresses else ORIGINS[name]
        if (output / f"{name}.tar").is_file():
            click.echo(f"{name}: exists already: {output / f'{name}.tar'}")
            continue
        try:
            file = Path(files[name]) if name in files else None
            count = build_set(origin, output, kept, file, progress=not quiet)
        except (ValueError, OSError) as error:
            # A set that fails must not stop the others.
            failures.append(f"{name}: {error}")
            click.echo(f"{name}: failed", err=True)
            continue
        click.echo(f"{name}: {quantity(count, 'clip')}, {output / f'{name}.tar'}; {origin.title}, {origin.licence}")
    if failures:
        raise ValueError("; ".join(failures))
