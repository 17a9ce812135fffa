"""``python -m byola_hear.pretraining corpora build``: build a set of FLAC files and its manifest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from byola_hear.cli.terminal import aligned
from byola_hear.pretraining.commands.options import FOLDER, hours_by_kind
from byola_hear.pretraining.commands.package_options import origin_options, set_choice
from byola_hear.pretraining.corpora.build import BuildSettings, Built, build
from byola_hear.pretraining.corpora.collection import resolve
from byola_hear.pretraining.corpora.packages.fetch import PackageOrigin
from byola_hear.pretraining.data.manifest import hours
from byola_hear.utils.text import quantity

#: Columns of the summary, and the reasons for leaving a sound out that each one counts.
_REASONS = {
    "path": ("path",),
    "evaluation": ("evaluation",),
    "speech": ("speech",),
    "duplicate": ("duplicate",),
    "silent, short": ("silent", "short"),
    "unreadable": ("unreadable", "undecoded"),
}


@click.command("build", short_help="Build a set: FLAC files and their manifest.")
@click.argument("inputs", nargs=-1, metavar="[NAME|TAR|FOLDER]...")
@click.option("--set", "set_name", type=set_choice, required=True, help="Set to build.")
@click.option("-o", "--output", required=True, type=FOLDER, help="Folder of the set. What is already built is kept.")
@click.option(
    "--downloads", type=FOLDER, help="Folder for packages. Default: the folder 'downloads' in the set's folder."
)
@click.option(
    "--keep-speech", is_flag=True, help="Leave speech out of the non-speech set by its paths alone, not by a detector."
)
@click.option("--music-share", default=0.5, show_default=True, help="Largest share of music in the non-speech set.")
@click.option("--seed", default=42, show_default=True, help="Seed of the sample of music.")
@click.option("--kind", default="", help="Kind of the sounds in tars and folders that the catalogue does not know.")
@click.option(
    "--licence", default="", help="Licence of the sounds in tars and folders that the catalogue does not know."
)
@click.option("--jobs", default=1, show_default=True, help="Number of processes.")
@origin_options
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
    method: str,
    mirror: str,
    suite: str,
) -> None:
    """Build a set: decode sounds to 16 kHz mono FLAC and list them with source, kind, group and licence in a manifest.

    The sounds are those of the corpora NAME, and of tars and folders. Without arguments, all packages of the set
    are built; "all" names them next to tars and folders. Exact duplicates are built once. The non-speech set leaves out
    sounds in which a detector finds speech, and samples music.

    The same command continues an interrupted build. A package that is no longer available or damaged is reported and
    skipped.

    Exit codes: 0: the set was built; 2: wrong usage, or nothing could be built.
    """
    collections = resolve(inputs or ("all",), set_name, kind, licence)
    settings = BuildSettings(
        folder=output,
        downloads=downloads or output / "downloads",
        origin=PackageOrigin(method, mirror, suite),
        leave_out_speech=set_name == "nonspeech" and not keep_speech,
        music_share=music_share,
        seed=seed,
        jobs=jobs,
    )
    done = 0

    def report(built: Built) -> None:
        nonlocal done
        done += 1
        result = f"skipped: {built.problem}" if built.problem else f"{hours(built.outcome.clips):.2f} hours"
        click.echo(f"[{done}/{len(collections)}] {built.name}: {result}", err=True)

    _echo_summary(build(collections, settings, report), output)


def _echo_summary(built: Sequence[Built], output: Path) -> None:
    """Print a table of what was built and left out, and the problems."""
    rows = []
    for one in built:
        clips, counts = one.outcome.clips, one.outcome.counts
        left_out = (str(sum(counts[reason] for reason in reasons)) for reasons in _REASONS.values())
        rows.append((clips[0].source if clips else one.name, str(len(clips)), f"{hours(clips):.3f}", *left_out))
    click.echo(aligned(("collection", "clips", "hours", *_REASONS), rows))
    for one in built:
        if one.problem:
            click.echo(f"skipped: {one.name}: {one.problem}", err=True)
        if undecoded := one.outcome.counts["undecoded"]:
            detail = next(row[3] for row in one.outcome.left_out if row[1] == "undecoded")
            click.echo(f"{one.name}: {quantity(undecoded, 'sound')} not decoded: {detail}", err=True)
    every = [clip for one in built for clip in one.outcome.clips]
    click.echo(f"{output / 'manifest.csv'}: {quantity(len(every), 'clip')}, {hours_by_kind(every)}")
