"""``python -m byola_hear.pretraining directions``: compute the directions of a network's short vectors."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from byola_hear.cli.errors import Failure
from byola_hear.cli.terminal import aligned
from byola_hear.extraction.clips import Clip
from byola_hear.extraction.extract import extract
from byola_hear.extraction.request import request_for
from byola_hear.extraction.rows import Done, Failed, Rows
from byola_hear.models.directions import most_directions, save_directions
from byola_hear.models.loading import HUB_PREFIX, directions_of_path, resolve
from byola_hear.models.model import ByolaModel
from byola_hear.models.zoo import add_directions, read_hashes, zoo_folder
from byola_hear.pretraining.commands.options import progress_bar, workers_option
from byola_hear.pretraining.directions import Stability, clips_of, drawn, principal_directions, stability
from byola_hear.utils.text import quantity


@click.command("directions", short_help="Compute the directions of a network's short vectors.")
@click.argument("name", metavar="MODEL")
@click.argument("inputs", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="INPUT...")
@click.option("--clips", "count", type=click.IntRange(2), default=6000, show_default=True, help="Number of clips.")
@click.option(
    "--seconds", type=click.FloatRange(0.1), default=5.0, show_default=True, help="Length up to which a clip is taken."
)
@click.option("--seed", default=42, show_default=True, help="Seed of the random draws.")
@workers_option
def directions(name: str, inputs: tuple[Path, ...], count: int, seconds: float, seed: int, workers: int) -> None:
    """Compute the principal directions of the embeddings of MODEL, a name or the path of a checkpoint.

    An INPUT is a manifest, a folder of audio or an audio file, with sounds like those that MODEL was trained on.
    Equally many clips are drawn from each. The directions are written next to the checkpoint, as
    NAME.directions.safetensors, or as directions.safetensors next to the model.safetensors of a folder in the Hub's
    layout. For a model of the package, their hash is added to hashes.json.
    `byola-hear embed --dimensions` uses them.

    Exit codes: 0: the directions were written; 1: fewer than half of the clips could be read, nothing was written; 2:
    wrong usage, nothing was done.
    """
    if name.startswith(HUB_PREFIX):
        raise click.UsageError(
            "expected a name or the path of a checkpoint, next to which directions can be written, "
            f"got the repository {name}; write it into a folder with save_pretrained"
        )
    model = resolve(name)
    clips, kinds = drawn([clips_of(path, seconds) for path in inputs], count, seed)
    if len(clips) < 2:
        raise click.UsageError(f"expected at least 2 clips to compute directions of, got {len(clips)}")
    embeddings, length, failures = embedded(clips, model, workers)
    for failed in failures[:10]:
        click.echo(f"left out: {failed.clip.file}: {failed.reason}", err=True)
    if len(embeddings) < max(2, len(clips) / 2):
        raise Failure(f"only {len(embeddings)} of {quantity(len(clips), 'clip')} could be read; nothing was written")
    most = most_directions(model.config.encoder.feature_size)
    computed = principal_directions(embeddings, model.fingerprint())
    computed = computed.first(most) if computed.count > most else computed
    stable = stability(embeddings, seed, computed.count)
    computed.origin = {
        **{"clips": len(embeddings), "hours": round(length / 3600, 3), "kinds": kinds},
        **{"seconds": seconds, "seed": seed, "halves": [asdict(each) for each in stable]},
    }
    if name in read_hashes():
        file = add_directions(name, computed, zoo_folder())
    else:
        file = directions_of_path(Path(name))
        save_directions(file, computed)
    shown(stable)
    size = file.stat().st_size / 1e6
    click.echo(
        f"{file}: {computed.count} directions of {model.config.name} {model.config.version}, "
        f"{quantity(len(embeddings), 'clip')}, {length / 3600:.2f} hours, {size:.1f} MB"
    )
    if computed.count < most:
        click.echo(f"note: {quantity(len(embeddings), 'clip')} give no more directions; {most} need more clips")


def embedded(clips: list[Clip], model: ByolaModel, workers: int) -> tuple[NDArray[np.float32], float, list[Failed]]:
    """Embed clips.

    Returns:
        Embeddings ``(n, size)``, seconds of audio, and the clips that can't be read.
    """
    rows: list[NDArray[np.float32]] = []
    failures: list[Failed] = []
    length = 0.0
    with progress_bar("embedding", "clip", total=len(clips), leave=False) as bar:
        for event in extract(clips, model, request_for(model), workers):
            if isinstance(event, Rows):
                rows.append(event.embeddings)
                continue
            bar.update()
            if isinstance(event, Done):
                length += event.seconds
            else:
                failures.append(event)
    return np.concatenate([np.zeros((0, model.scene_embedding_size), np.float32), *rows]), length, failures


def shown(stable: list[Stability]) -> None:
    """Print what the directions of one half of the clips are for the other half."""
    header = ["directions", "variance of the other half", "of its own", "correlation of cosines"]
    rows = [[str(each.count), f"{each.variance:.1%}", f"{each.best:.1%}", f"{each.cosines:.3f}"] for each in stable]
    if rows:
        click.echo("Directions of one half of the clips, compared with those of the other half:")
        click.echo(aligned(header, rows))
