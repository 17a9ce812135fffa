"""``python -m byola_hear.pretraining match``: draw equal hours from two manifests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from byola_hear.pretraining.commands.options import FOLDER, MANIFEST, hours_by_kind
from byola_hear.pretraining.data.manifest import check_replaceable, moved, read_manifest
from byola_hear.pretraining.data.matching import limit_kinds, match, write_matched
from byola_hear.utils.text import quantity


@click.command("match", short_help="Draw equal hours from two manifests.")
@click.argument("first", type=MANIFEST)
@click.argument("second", type=MANIFEST)
@click.option("-o", "--output", required=True, type=FOLDER, help="Folder to write the three manifests to.")
@click.option(
    "--names",
    nargs=2,
    default=("speech", "nonspeech"),
    show_default=True,
    help="Names of the two collections. Their manifests are called NAME.csv.",
)
@click.option(
    "--hours", type=float, help="Length of each set, in hours. Default: the length of the shorter collection."
)
@click.option(
    "--limit",
    multiple=True,
    metavar="KIND=SHARE",
    help="Limit a kind to a share of its collection, for instance music=0.5. Can be repeated.",
)
@click.option("--seed", default=42, show_default=True, help="Seed of the random draws.")
def match_command(
    first: Path,
    second: Path,
    output: Path,
    names: tuple[str, str],
    hours: float | None,
    limit: tuple[str, ...],
    seed: int,
) -> None:
    """Draw equal hours from the manifests FIRST and SECOND, and a third set of the same length with half of each.

    Long recordings are cut into segments of at most 30 s first. The third set is called both.csv.

    Exit codes: 0: the manifests were written; 2: wrong usage, nothing was done.
    """
    shares = dict(_share(text) for text in limit)
    read = {path: read_manifest(path) for path in (first, second)}
    _check_kinds(shares, {clip.kind for clips in read.values() for clip in clips})
    for target in (output / f"{name}.csv" for name in (*names, "both")):
        if target.exists() and any(target.samefile(path) for path in read):
            raise click.UsageError(f"{target} is one of the two collections; expected another folder or other --names")
        check_replaceable(target)
    collections = []
    for path in (first, second):
        clips = [moved(clip, path.parent, output) for clip in read[path]]
        present = {kind: share for kind, share in shares.items() if any(clip.kind == kind for clip in clips)}
        collections.append(limit_kinds(clips, present, seed))
    sets = match(collections[0], collections[1], seed, hours)
    paths = write_matched(sets, output, names, {"seed": seed, "limits": shares})
    for path, clips in zip(paths, (sets.first, sets.second, sets.both)):
        click.echo(f"{path}: {quantity(len(clips), 'row')}, {hours_by_kind(clips)}")


def _share(text: str) -> tuple[str, float]:
    """Parse ``music=0.5`` into a kind and its share."""
    kind, separator, share = text.partition("=")
    try:
        if separator and kind:
            return kind, float(share)
    except ValueError:
        pass
    raise click.UsageError(f"expected --limit KIND=SHARE, for instance music=0.5, got {text!r}")


def _check_kinds(shares: Mapping[str, float], kinds: set[str]) -> None:
    """Refuse a limit for a kind that no clip has: a misspelt kind would limit nothing."""
    for unknown in (kind for kind in shares if kind not in kinds):
        known = ", ".join(sorted(kinds - {""}))
        if not known:
            raise click.UsageError(f"expected no --limit, as the manifests name no kinds, got one for {unknown!r}")
        raise click.UsageError(f"expected a --limit for one of the kinds {known}, got {unknown!r}")
