"""``python -m benchmark rsa --ratings``: the sets of rated sounds, as fetched, against all models."""

from __future__ import annotations

from collections.abc import Sequence, Set
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmark.datasets.labelled_set import audio_folder
from benchmark.datasets.origins import RATED
from benchmark.datasets.rated_set import RatedSet, load_rated_set
from benchmark.models.extractors import Extractor
from benchmark.models.rows import Asked
from benchmark.reporting.command_line import command_line
from benchmark.reporting.provenance import provenance
from benchmark.studies.cka.layers import MEASUREMENT_VERSION as LAYERS_VERSION
from benchmark.studies.cka.layers import activations, layer_names
from benchmark.studies.findings import read_about, read_numbers, save_numbers
from benchmark.studies.listeners import measure
from benchmark.studies.listeners.added import added, check_models, new_models
from benchmark.studies.listeners.measure import CLIP, DESCRIPTORS_ROW, FITTED_TO, HELD, LEARNT, Key
from benchmark.studies.listeners.report import NAME, report
from benchmark.studies.rsa.descriptors import MEASUREMENT_VERSION, describe
from benchmark.studies.rsa.dissimilarity import embedding_matrix
from benchmark.studies.study import seconds_bar, show_report
from benchmark.studies.study_setup import Setup, embedded, key_of, remembered
from byola_hear.models.encoders.convolutional import Encoder
from byola_hear.utils.files import replacing


def run_listeners(setup: Setup, draws: int, add: bool = False) -> None:
    """Measure all models on the three sets and write the study's results.

    Args:
        setup: the study's options.
        draws: number of bootstrap samples.
        add: whether to add the models to the results in the output folder.

    Raises:
        FileNotFoundError: if a set is missing; the message says how to get it. Or if there are no results to add to.
        ValueError: if models cannot be added, see :func:`benchmark.studies.listeners.added.check_models`.
    """
    before = (read_numbers(setup.output, NAME), read_about(setup.output, NAME)) if add else None
    folder = audio_folder(setup.audio)
    sets = [load_rated_set(folder / f"{name}.tar") for name in RATED]
    rows = setup.rows(lambda: [sets[0].sounds.clip(row, 16000) for row in range(len(sets[0].sounds))])
    about: dict[str, Any] = {
        "command": command_line(),
        "seed": setup.seed,
        "draws": draws,
        "held": list(HELD),
        "extractors": {row.name: [each.identity for each in row.extractors] for row in rows},
        "notes": {row.name: row.extractors[0].note for row in rows},
        "audio": {rated.sounds.name: rated.sounds.sha256 for rated in sets},
    }
    references: Set[str] = frozenset()
    if before is not None:
        check_models(*before, about)
        references = about["extractors"].keys() - set(new_models(before[1], about))
    numbers, counts = [], {}
    embeddings = {
        (rated.sounds.name, each.identity): _embeddings(each, rated, setup)
        for rated in sets
        for row in rows
        for each in row.extractors
    }
    for rated in sets:
        described = _described(rated, setup)
        held = measure.held_matrices(rated, described)
        matrices = _matrices(rated, sets, rows, embeddings, described, setup, references)
        with tqdm(total=draws + 1, desc=rated.sounds.name, disable=not setup.progress, leave=False) as bar:
            numbers.append(measure.measured(rated, matrices, held, draws, setup.seed, bar))
        numbers.append(measure.ceilings(rated, setup.seed))
        counts[rated.sounds.name] = {
            "sounds": len(rated.sounds),
            "spaces": len(rated.spaces),
            "raters": [0 if space.raters is None else len(space.raters) for space in rated.spaces],
        }
    about = {**provenance(), **about, "sets": counts}
    found = pd.concat(numbers, ignore_index=True)
    if before is not None:
        found, about = added(before, (found, about))
    save_numbers(setup.output, NAME, found, about)
    show_report(setup.output, NAME, report(setup.output))


def _embeddings(extractor: Extractor, rated: RatedSet, setup: Setup) -> np.ndarray:
    rows = np.arange(len(rated.sounds))
    seconds = float(rated.sounds.lengths.sum()) / rated.sounds.sample_rate
    with seconds_bar(f"embed: {extractor.row}", seconds, setup.progress) as bar:
        return embedded(extractor, rated.sounds, rows, setup.cache, bar)


def _described(rated: RatedSet, setup: Setup) -> list[dict[str, list[float]]]:
    key = key_of(rated.sounds.sha256, versions=[MEASUREMENT_VERSION])
    sounds = rated.sounds

    def compute() -> list[dict[str, list[float]]]:
        bar = tqdm(range(len(sounds)), "describe", disable=not setup.progress, leave=False, unit="clip")
        return [describe(sounds.clip(row), sounds.sample_rate) for row in bar]

    found: list[dict[str, list[float]]] = remembered(setup.cache, "descriptors", key, compute)
    return found


def _matrices(
    rated: RatedSet,
    sets: Sequence[RatedSet],
    rows: Sequence[Asked],
    embeddings: dict[tuple[str, str], np.ndarray],
    described: list[dict[str, list[float]]],
    setup: Setup,
    references: Set[str],
) -> dict[Key, list[np.ndarray]]:
    """Each representation's matrices by space, ``(n_seeds, n, n)``; of a reference, the clip embedding's alone."""
    matrices: dict[Key, list[np.ndarray]] = {}
    name = rated.sounds.name

    def add(key: Key, several: Sequence[np.ndarray]) -> None:
        matrices[key] = [
            np.stack([embedding_matrix(each[space.rows], "cosine") for each in several]) for space in rated.spaces
        ]

    for row in tqdm(rows, f"{name}: matrices", disable=not setup.progress, leave=False):
        add(Key(row.name, CLIP), [embeddings[name, each.identity] for each in row.extractors])
        if row.name in references:
            continue
        networks = [each.model for each in row.extractors if each.model is not None]
        if networks and all(isinstance(each.encoder, Encoder) and each.precision == "float32" for each in networks):
            layers = [_layers(each, rated, setup) for each in row.extractors]
            for layer in layer_names(networks[0])[:-1]:  # the last is the clip embedding
                add(Key(row.name, layer), [each[layer] for each in layers])
        matrices[Key(row.name, LEARNT)] = [
            np.array(space)[None] for space in _learnt(row.extractors[0], rated, sets, embeddings, setup)
        ]
    add(Key(DESCRIPTORS_ROW, CLIP), [measure.descriptor_embeddings(described)])
    return matrices


def _layers(extractor: Extractor, rated: RatedSet, setup: Setup) -> dict[str, np.ndarray]:
    assert extractor.model is not None  # the caller chose networks
    key = key_of(extractor.identity, rated.sounds.sha256, versions=[LAYERS_VERSION])
    path = setup.cache / "studies" / f"layers-{key}.npz"
    if not path.is_file():
        clips = [rated.sounds.clip(row) for row in range(len(rated.sounds))]
        found = activations(extractor.model, clips)
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            np.savez(file, **found)  # type: ignore[arg-type]
    with np.load(path) as arrays:
        return dict(arrays)


def _learnt(
    extractor: Extractor,
    rated: RatedSet,
    sets: Sequence[RatedSet],
    embeddings: dict[tuple[str, str], np.ndarray],
    setup: Setup,
) -> list[list[list[float]]]:
    """Matrices of the learnt metric by space; of the first of a model's seeds."""
    name = rated.sounds.name
    other = next((each for each in sets if each.sounds.name == FITTED_TO.get(name)), None)
    hashes = [each.sounds.sha256 for each in (rated, other) if each is not None]
    key = key_of(extractor.identity, hashes, versions=[measure.LEARNT_VERSION])

    def compute() -> list[list[list[float]]]:
        fitted_to = None if other is None else (other, embeddings[other.sounds.name, extractor.identity])
        found = measure.learnt_matrices(rated, embeddings[name, extractor.identity], fitted_to)
        return [matrix.round(7).tolist() for matrix in found]

    kept: list[list[list[float]]] = remembered(setup.cache, "learnt", key, compute)
    return kept
