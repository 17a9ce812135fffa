"""``python -m byola_hear.pretraining corpora``: list, fetch and build corpora by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from byola_hear.pretraining.corpora.build import BuildSettings, Built, build
from byola_hear.pretraining.corpora.catalogue.corpus import SETS
from byola_hear.pretraining.corpora.catalogue.lookup import catalogue, find
from byola_hear.pretraining.corpora.collection import resolve
from byola_hear.pretraining.corpora.packages.fetch import WAYS, FetchError, PackageOrigin, fetch
from byola_hear.pretraining.corpora.packages.mirror import DEFAULT_MIRROR, DEFAULT_SUITE
from byola_hear.pretraining.data.manifest import ManifestClip, hours, hours_by

FOLDER = click.Path(file_okay=False, path_type=Path)

set_option = click.option("--set", "set_name", type=click.Choice(SETS), help="Of corpora.")
from_option = click.option(
    "--from",
    "way",
    type=click.Choice(WAYS),
    default="auto",
    show_default=True,
    help="Where packages come from: apt-get, the mirror, or apt-get and else the mirror.",
)
mirror_option = click.option("--mirror", default=DEFAULT_MIRROR, show_default=True, help="Debian's, or one like it.")
suite_option = click.option("--suite", default=DEFAULT_SUITE, show_default=True, help="The mirror's release to use.")


@click.group(invoke_without_command=True, short_help="Free sounds by name: list, fetch and build them.")
@click.pass_context
def corpora(context: click.Context) -> None:
    """Free sounds by name: list what is known, fetch packages, build a set of FLAC files with its manifest."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@corpora.command("list", short_help="List the corpora known by name, with their hours.")
@set_option
def list_command(set_name: str | None) -> None:
    """List the corpora known by name, with the hours that they gave when they were last measured.

    All of the music is in those hours, of which a set takes a sample.
    """
    rows = [("corpus", "set", "kind", "hours", "licence", "what")]
    for corpus in catalogue(set_name):
        about = corpus.about + (f"; a tar from {corpus.origin}" if corpus.origin else "")
        given = f"{corpus.hours:.2f}" if corpus.hours >= 0.01 else "<0.01"
        rows.append((corpus.name, corpus.set_name, corpus.kind, given, corpus.licence, about))
    _echo_table(rows, right={3})


@corpora.command("fetch", short_help="Fetch Debian packages of corpora.")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@set_option
@click.option("-o", "--output", required=True, type=FOLDER, help="Folder for the packages.")
@from_option
@mirror_option
@suite_option
def fetch_command(
    names: tuple[str, ...], set_name: str | None, output: Path, way: str, mirror: str, suite: str
) -> None:
    """Fetch corpora's Debian packages, or "all". What is there already is kept; a package that is gone is reported.

    Every package is verified by its hash. An interrupted download from a mirror is continued by the same command.
    """
    wanted = catalogue(set_name) if "all" in names else find(names, set_name)
    packages = list(dict.fromkeys(corpus.name for corpus in wanted if not corpus.origin))
    for corpus in wanted:
        if corpus.origin and "all" not in names:
            raise click.UsageError(f"{corpus.name} is no Debian package; it is made from {corpus.origin}")
    missing = 0
    for name in packages:
        try:
            click.echo(fetch(name, output, PackageOrigin(way, mirror, suite)))
        except FetchError as error:
            missing += 1
            click.echo(f"skipped: {error}", err=True)
    if missing == len(packages):
        raise click.ClickException("none of the packages could be had")


@corpora.command("build", short_help="Build a set: FLAC files and their manifest.")
@click.argument("inputs", nargs=-1, metavar="[NAME|TAR|FOLDER]...")
@click.option("--set", "set_name", type=click.Choice(SETS), required=True, help="What is built.")
@click.option("-o", "--output", required=True, type=FOLDER, help="Folder of the set; what is done there is kept.")
@click.option("--downloads", type=FOLDER, help="Folder for packages; by default 'downloads' in the set's folder.")
@click.option(
    "--keep-speech", is_flag=True, help="In the non-speech set, go by paths alone, without the speech detector."
)
@click.option("--music-share", default=0.5, show_default=True, help="Music is sampled down to this part of the set.")
@click.option("--seed", default=42, show_default=True, help="Of that sample.")
@click.option("--kind", default="", help="Of the sounds in tars and folders that have no name here.")
@click.option("--licence", default="", help="Of the sounds in tars and folders that have no name here.")
@click.option("--jobs", default=1, show_default=True, help="Processes that work side by side.")
@from_option
@mirror_option
@suite_option
def build_command(
    inputs: tuple[str, ...],
    set_name: str,
    output: Path,
    downloads: Path | None,
    keep_speech: bool,
    music_share: float,
    seed: int,
    kind: str,
    licence: str,
    jobs: int,
    way: str,
    mirror: str,
    suite: str,
) -> None:
    """Build a set: everything to 16 kHz mono FLAC, and a manifest with source, kind, group and licence.

    Given nothing, it takes all Debian packages of the set; "all" stands for them beside tars and folders. Of exact
    duplicates one stays. The non-speech set leaves out what a detector finds speech in, and samples music.
    Interrupted, the same command goes on; a package that is gone or broken is reported and skipped.
    """
    collections = resolve(inputs or ("all",), set_name, kind, licence)
    settings = BuildSettings(
        folder=output,
        downloads=downloads or output / "downloads",
        origin=PackageOrigin(way, mirror, suite),
        leave_out_speech=set_name == "nonspeech" and not keep_speech,
        music_share=music_share,
        seed=seed,
        jobs=jobs,
    )
    done = 0

    def report(built: Built) -> None:
        nonlocal done
        done += 1
        said = f"skipped: {built.problem}" if built.problem else f"{hours(built.outcome.clips):.2f} hours"
        click.echo(f"[{done}/{len(collections)}] {built.name}: {said}", err=True)

    _echo_summary(build(collections, settings, report), output)


#: What a summary's columns count: reasons for which sounds were left out.
_REASONS = {
    "path": ("path",),
    "speech": ("speech",),
    "duplicate": ("duplicate",),
    "silent, short": ("silent", "short"),
    "unreadable": ("unreadable", "undecoded"),
}


def _echo_summary(built: Sequence[Built], output: Path) -> None:
    """The table at the end."""
    rows: list[tuple[str, ...]] = [("collection", "clips", "hours", *_REASONS)]
    clips: list[ManifestClip] = []
    for one in built:
        outcome = one.outcome
        clips += outcome.clips
        left = (str(sum(outcome.counts[name] for name in names)) for names in _REASONS.values())
        source = outcome.clips[0].source if outcome.clips else one.name
        rows.append((source, str(len(outcome.clips)), f"{hours(outcome.clips):.3f}", *left))
    _echo_table(rows, right=set(range(1, len(rows[0]))))
    for one in built:
        if one.problem:
            click.echo(f"skipped: {one.name}: {one.problem}", err=True)
        if one.outcome.counts["undecoded"]:
            reason = next(row[3] for row in one.outcome.left_out if row[1] == "undecoded")
            click.echo(f"{one.name}: {one.outcome.counts['undecoded']} sounds not decoded: {reason}", err=True)
    kinds = ", ".join(f"{kind or 'other'} {hour:.2f}" for kind, hour in hours_by(clips, "kind").items())
    click.echo(f"{output / 'manifest.csv'}: {len(clips)} clips, {hours(clips):.2f} hours ({kinds})")


def _echo_table(rows: Sequence[tuple[str, ...]], right: set[int]) -> None:
    """Columns aligned; those in ``right`` to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        )
        click.echo("  ".join(cells).rstrip())
