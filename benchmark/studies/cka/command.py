"""``python -m benchmark cka``: similarity of networks by layer."""

from __future__ import annotations

from itertools import combinations, combinations_with_replacement, product
from typing import Any

import click
import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmark.models.extractors import Extractor
from benchmark.reporting.command_line import command_line
from benchmark.studies.cka import layers
from benchmark.studies.cka import pairs as pairs_module
from benchmark.studies.cka.alignment import gram
from benchmark.studies.cka.layers import activations, layer_names, network_of
from benchmark.studies.cka.pairs import layers_compared
from benchmark.studies.cka.report import NAME, report
from benchmark.studies.findings import save_numbers
from benchmark.studies.stimuli import Stimuli, drawn, sets_plan
from benchmark.studies.study import show_report, study_options
from benchmark.studies.study_setup import Setup, key_of, remembered
from byola_hear.utils.files import replacing


@click.command(NAME)
@study_options("both,speech,nonspeech,untrained", baselines=False)
@click.option(
    "--per-side",
    type=click.IntRange(30),
    default=300,
    show_default=True,
    help="Number of clips of speech, and of other sounds.",
)
def command(per_side: int, **options: Any) -> None:
    """Compare the layers of networks by unbiased linear centred kernel alignment (CKA) on the same clips.

    Writes cka.csv, cka.json, cka.md, cka_findings.md and figures. Every pair of networks is compared, and untrained
    networks of different seeds. A layer is represented by its mean over a clip's time. Networks of different kinds
    have only the frame feature and the embedding in common; their other layers are compared each with each.

    Exit codes: 0, or 2 if something that you named is not available.
    """
    setup = Setup.of(**options)
    planned = sets_plan(setup)
    stimuli = drawn(planned, per_side, setup.seed)
    rows = setup.rows(planned.training_clips)
    networks = {row.name: row.extractors for row in rows}
    shapes = {name: layer_names(network_of(several[0])) for name, several in networks.items()}
    if sum(len(several) for several in networks.values()) < 2:
        raise ValueError("expected at least two networks to compare, got one")
    grams = {
        name: [layer_grams(each, stimuli, setup, f"{name}: layers") for each in several]
        for name, several in networks.items()
    }
    numbers = alignments(networks, grams, stimuli, setup)
    about = {
        "command": command_line(),
        "seed": setup.seed,
        "per_side": per_side,
        "stimuli": len(stimuli),
        "layers": shapes,
        "extractors": {name: [each.identity for each in several] for name, several in networks.items()},
        "audio": {labelled.name: labelled.sha256 for labelled, _ in stimuli.parts},
    }
    save_numbers(setup.output, NAME, numbers, about)
    show_report(setup.output, NAME, report(setup.output))


def layer_grams(extractor: Extractor, stimuli: Stimuli, setup: Setup, description: str) -> dict[str, np.ndarray]:
    """Gram matrices ``(n, n)`` by layer, from the cache if possible."""
    key = key_of(extractor.identity, stimuli.identity, versions=[layers.MEASUREMENT_VERSION])
    path = setup.cache / "studies" / f"layers-{key}.npz"
    if not path.is_file():
        model = network_of(extractor)
        rows = stimuli.each(
            description,
            setup.progress,
            lambda clip, _rate: activations(model, [clip]),
            extractor.sample_rate,
        )
        names = layer_names(model)
        found = {name: gram(np.concatenate([row[name] for row in rows])).astype(np.float32) for name in names}
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as stream:
            np.savez(stream, allow_pickle=False, **found)
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name].astype(np.float64) for name in layer_names(network_of(extractor))}


def alignments(
    networks: dict[str, list[Extractor]],
    grams: dict[str, list[dict[str, np.ndarray]]],
    stimuli: Stimuli,
    setup: Setup,
) -> pd.DataFrame:
    """Columns ``stimuli``, ``first``, ``second``, ``first_layer``, ``second_layer``, ``value``, ``low``, ``high``.

    Models with several seeds are averaged over them; compared with themselves, seeds differ. Only equal layers have
    intervals, which are averaged like the values.
    """
    kinds = {side: np.flatnonzero(stimuli.sides == side) for side in ("speech", "nonspeech")}
    kinds["together"] = np.arange(len(stimuli))
    pairs = [
        (first, second)
        for first, second in combinations_with_replacement(grams, 2)
        if first != second or len(grams[first]) > 1
    ]
    found: list[dict[str, Any]] = []
    with tqdm(total=len(kinds) * len(pairs), desc="compare", disable=not setup.progress, leave=False) as bar:
        for (kind, chosen), (first, second) in product(kinds.items(), pairs):
            seeds = (
                list(product(range(len(grams[first])), range(len(grams[second]))))
                if first != second
                else list(combinations(range(len(grams[first])), 2))
            )

            def compute(
                first: str = first,
                second: str = second,
                chosen: np.ndarray = chosen,
                seeds: list[tuple[int, int]] = seeds,
            ) -> list[dict[str, Any]]:
                return layers_compared(grams[first], grams[second], seeds, np.ix_(chosen, chosen), setup.seed)

            identities = [[each.identity for each in networks[name]] for name in (first, second)]
            key = key_of(
                identities,
                stimuli.identity,
                kind,
                setup.seed,
                versions=[pairs_module.MEASUREMENT_VERSION, layers.MEASUREMENT_VERSION],
            )
            for row in remembered(setup.cache, NAME, key, compute):
                found.append({"stimuli": kind, "first": first, "second": second, **row})
            bar.update()
    return pd.DataFrame(found)
