"""``python -m benchmark transfer``: probes trained under one condition and tested under another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmark.datasets.labelled_set import LabelledSet, audio_folder, load_set
from benchmark.models.extractors import Extractor
from benchmark.probes import ridge
from benchmark.probes.plan import plan
from benchmark.reporting.command_line import command_line
from benchmark.studies.findings import save_numbers
from benchmark.studies.study import seconds_bar, show_report, study_options
from benchmark.studies.study_setup import Setup, embedded, key_of, remembered
from benchmark.studies.transfer import matrix
from benchmark.studies.transfer.conditions import TRANSFERS, Clips, Transfer, find_transfers
from benchmark.studies.transfer.matrix import Condition, transfer_matrix
from benchmark.studies.transfer.report import NAME, report


@click.command(NAME)
@study_options()
@click.option(
    "--transfers",
    default="all",
    show_default=True,
    metavar="NAME,…",
    help=f"Transfers: all, or names out of {', '.join(TRANSFERS)}.",
)
@click.option(
    "--max-clips",
    type=click.IntRange(50),
    default=400,
    show_default=True,
    help="Largest number of clips of a set in a condition.",
)
def command(transfers: str, max_clips: int, **options: Any) -> None:
    """Measure the balanced accuracy of a ridge probe that is trained under one condition and tested under each.

    Writes transfer.csv, transfer.json, transfer.md, transfer_findings.md and transfer.png. Groups (speakers,
    recordings, notes, strokes) are never split, not even across conditions.

    Exit codes: 0, or 2 if something that you named is not available.
    """
    setup = Setup.of(**options)
    wanted = find_transfers(transfers)
    folder = audio_folder(setup.audio)
    sources = dict.fromkeys(source for transfer in wanted for source in transfer.sources)
    sets = {name: load_set(folder / f"{name}.tar", setup.cache, setup.progress) for name in sources}
    rows = setup.rows(lambda: plan("core", setup.audio, setup.cache).training_clips())
    clips = {
        transfer.name: {
            name: [thinned(part, max_clips, setup.seed) for part in parts]
            for name, parts in transfer.conditions({source: sets[source] for source in transfer.sources}).items()
        }
        for transfer in wanted
    }
    found: list[dict[str, Any]] = []
    for row in rows:
        for number, extractor in enumerate(row.extractors):
            for each in _of_model(extractor, wanted, clips, sets, setup):
                found.append({"model": row.name, "seed": number, **each})
    numbers = pd.DataFrame(found)
    about = {
        "command": command_line(),
        "seed": setup.seed,
        "max_clips": max_clips,
        "extractors": {row.name: [each.identity for each in row.extractors] for row in rows},
        "audio": {name: labelled.sha256 for name, labelled in sets.items()},
    }
    save_numbers(setup.output, NAME, numbers, about)
    show_report(setup.output, NAME, report(setup.output))


def thinned(clips: Clips, most: int, seed: int) -> Clips:
    """Draw at most ``most`` clips of a set, with labels as balanced as possible."""
    if len(clips.rows) <= most:
        return clips
    shuffled = np.random.default_rng(seed).permutation(len(clips.rows))
    turn = pd.Series(clips.labels[shuffled]).groupby(clips.labels[shuffled]).cumcount().to_numpy()
    kept = np.sort(shuffled[np.argsort(turn, kind="stable")[:most]])
    return Clips(clips.source, clips.rows[kept], clips.labels[kept], clips.groups[kept])


def _of_model(
    extractor: Extractor,
    wanted: Sequence[Transfer],
    clips: dict[str, dict[str, list[Clips]]],
    sets: dict[str, LabelledSet],
    setup: Setup,
) -> list[dict[str, Any]]:
    """All matrices of a model; embeds only for those that are not in the cache."""
    needed = {
        name: np.unique(
            np.concatenate(
                [part.rows for of in clips.values() for parts in of.values() for part in parts if part.source == name]
            )
        )
        for name in sets
    }
    held: dict[str, np.ndarray] = {}

    def embeddings(source: str) -> np.ndarray:
        """Embeddings of a set's clips; those that no transfer needs are zero."""
        if source not in held:
            labelled, rows = sets[source], needed[source]
            seconds = float(labelled.lengths[rows].sum()) / labelled.sample_rate
            with seconds_bar(f"{extractor.row}: embed {source}", seconds, setup.progress) as bar:
                part = embedded(extractor, labelled, rows, setup.cache, bar)
            held[source] = np.zeros((len(labelled), part.shape[1]), np.float32)
            held[source][rows] = part
        return held[source]

    found: list[dict[str, Any]] = []
    for transfer in wanted:
        conditions = clips[transfer.name]
        identity = [
            [
                name,
                [
                    [
                        part.source,
                        sets[part.source].sha256,
                        *(each.tolist() for each in (part.rows, part.labels, part.groups)),
                    ]
                    for part in parts
                ],
            ]
            for name, parts in conditions.items()
        ]
        versions = [matrix.MEASUREMENT_VERSION, ridge.MEASUREMENT_VERSION]
        key = key_of(extractor.identity, identity, setup.seed, versions=versions)

        def compute(transfer: Transfer = transfer, conditions: dict[str, list[Clips]] = conditions) -> Any:
            ready = {
                name: Condition(
                    np.concatenate([embeddings(part.source)[part.rows] for part in parts]),
                    np.concatenate([part.labels for part in parts]),
                    np.concatenate([part.groups for part in parts]),
                )
                for name, parts in conditions.items()
            }
            apart = transfer.apart

            def tested(one: str, other: str) -> bool:
                return apart is None or not apart(one) & apart(other)

            with tqdm(
                total=len(ready), desc=f"{extractor.row}: {transfer.name}", disable=not setup.progress, leave=False
            ) as bar:
                return transfer_matrix(ready, setup.seed, tested, bar=bar)

        rows = remembered(setup.cache, NAME, key, compute)
        found += [{"transfer": transfer.name, **row} for row in rows]
    return found
