"""Measure how well models' dissimilarities agree with listeners', with intervals over sounds and over spaces."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmark.comparison.intervals import finite_percentiles, mirrored
from benchmark.datasets.rated_set import RatedSet
from benchmark.studies.listeners import metric
from benchmark.studies.listeners.ceiling import corrected, one_against_rest, split_half
from benchmark.studies.listeners.likeness import averaged, by_anchor, over_pairs
from benchmark.studies.rsa.dissimilarity import descriptor_matrix

#: Descriptors that are held constant.
HELD = ("duration", "level", "pitch", "centroid")
#: The measures, in a table's order.
MEASURES = ("anchor", "triangle", "partial")
#: The representation that is shown first, and that of the learnt metric.
CLIP, LEARNT = "clip", "learnt"
#: Name of the row of the four held descriptors as an embedding.
DESCRIPTORS_ROW = "descriptors"
#: Sounds of the second set are of one space, so its metric is fitted to the spaces of the first.
FITTED_TO = {"timbre_groups_sol": "timbre_similarity"}
#: Raise it when a change to the learnt metric changes a number: cached results are then out of date.
LEARNT_VERSION = 1
#: Random halvings of listeners.
HALVINGS = 100


@dataclass(frozen=True)
class Key:
    """A model's representation: the clip embedding, a layer, or the learnt metric."""

    model: str
    representation: str


#: Matrices of a set by space, each ``(n_seeds, n, n)``.
Matrices = Mapping[Key, Sequence[np.ndarray]]


def held_matrices(rated: RatedSet, described: Sequence[Mapping[str, list[float]]]) -> list[list[np.ndarray]]:
    """The matrices of :data:`HELD` for each space."""
    values = {name: np.array([each[name] for each in described]) for name in HELD}
    return [[descriptor_matrix(values[name][space.rows]) for name in HELD] for space in rated.spaces]


def descriptor_embeddings(described: Sequence[Mapping[str, list[float]]]) -> np.ndarray:
    """The four held descriptors, standardised over the set, ``(n, 4)``; an undefined one is set to the mean.

    One that is the same for all sounds, as the duration of sung notes is, counts as zero.
    """
    values = np.array([[each[name][0] for name in HELD] for each in described])
    deviation = np.nanstd(values, 0)
    centred = np.divide(values - np.nanmean(values, 0), deviation, out=np.zeros_like(values), where=deviation > 0)
    return np.nan_to_num(centred)


def measured(
    rated: RatedSet, matrices: Matrices, held: Sequence[Sequence[np.ndarray]], draws: int, seed: int, bar: tqdm
) -> pd.DataFrame:
    """All measures of all representations on a set.

    Intervals are of two bootstraps: over the sounds of each space, and over spaces. They are percentiles, but for those
    of values over sounds, which are basic bootstrap limits.

    Args:
        rated: the set.
        matrices: by model and representation.
        held: matrices to hold constant, by space.
        draws: number of bootstrap samples.
        seed: of the bootstraps.
        bar: counts samples.

    Returns:
        Columns ``set``, ``model``, ``representation``, ``measure``, ``reference``, ``value``, ``low``, ``high``,
        ``low_spaces``, ``high_spaces``. A reference is what the value is a difference to, in pairs; empty for the
        value itself.
    """
    keys = list(matrices)
    owners = np.concatenate([[index] * len(matrices[key][0]) for index, key in enumerate(keys)])
    average = (owners == np.arange(len(keys))[:, None]) / np.bincount(owners)[:, None]
    stacked = [np.concatenate([matrices[key][place] for key in keys]) for place in range(len(rated.spaces))]
    sizes = np.array([len(space.rows) for space in rated.spaces])
    rng = np.random.default_rng(seed)

    def values(samples: Sequence[np.ndarray | None]) -> np.ndarray:
        """``(n_measures, n_spaces, n_keys)``."""
        found = []
        for models, space, sample, given in zip(stacked, rated.spaces, samples, held):
            ours = space.dissimilarity
            found.append(
                [
                    average @ by_anchor(models, ours, sample),
                    average @ over_pairs(models, ours, sample),
                    average @ over_pairs(models, ours, sample, given),
                ]
            )
        return np.array(found).transpose(1, 0, 2)

    whole = values([None] * len(sizes))
    bar.update()
    by_sounds, by_spaces = [], []
    for _ in range(draws):
        drawn = values([rng.integers(0, n, n) for n in sizes])
        by_sounds.append([averaged(each, sizes) for each in drawn])
        chosen = rng.integers(0, len(sizes), len(sizes))
        by_spaces.append([averaged(each[chosen], sizes[chosen]) for each in whole])
        bar.update()
    shape = (draws, len(MEASURES), len(keys))
    sounds, spaces = np.array(by_sounds).reshape(shape), np.array(by_spaces).reshape(shape)
    mean = np.array([averaged(each, sizes) for each in whole])
    lines: list[dict[str, Any]] = []
    for number, name in enumerate(MEASURES):
        for index, key in enumerate(keys):
            for reference in (None, *_references(key, keys)):
                other = None if reference is None else keys.index(reference)
                value, drawn_sounds, drawn_spaces = (
                    each[..., number, index] - (0.0 if other is None else each[..., number, other])
                    for each in (mean, sounds, spaces)
                )
                low, high = finite_percentiles(drawn_sounds)
                if reference is None:
                    # Draws lie below the value where sounds repeat. In the difference of two models, this cancels out.
                    low, high = mirrored(float(value), (low, high), -1, 1)
                low_spaces, high_spaces = finite_percentiles(drawn_spaces) if len(sizes) > 1 else (np.nan, np.nan)
                lines.append(
                    {
                        "set": rated.sounds.name,
                        "model": key.model,
                        "representation": key.representation,
                        "measure": name,
                        "reference": "" if reference is None else f"{reference.model} {reference.representation}",
                        "value": float(value),
                        **{"low": low, "high": high, "low_spaces": low_spaces, "high_spaces": high_spaces},
                    }
                )
    return pd.DataFrame(lines)


def _references(key: Key, keys: Sequence[Key]) -> list[Key]:
    """What a representation is compared with: the untrained network's and MFCC's clip embeddings, and its own."""
    others = [Key("untrained", CLIP), Key("mfcc", CLIP), Key(key.model, CLIP)]
    return [other for other in dict.fromkeys(others) if other in keys and other != key]


def ceilings(rated: RatedSet, seed: int) -> pd.DataFrame:
    """The listeners' agreement, mean over spaces: lines of the models ``split half``, ``split half, corrected`` and
    ``one against the rest``; empty if no rater is known.
    """
    lines = []
    known = [space.raters for space in rated.spaces if space.raters is not None]
    for name, function in (("anchor", by_anchor), ("triangle", over_pairs)):
        for model, few in (("split half", 4), ("one against the rest", 3)):
            several = [raters for raters in known if len(raters) >= few]
            if not several:
                continue
            values = [
                split_half(raters, function, HALVINGS, seed) if few == 4 else one_against_rest(raters, function)
                for raters in several
            ]
            found = {model: float(np.mean(values))}
            if few == 4:
                found["split half, corrected"] = corrected(found[model])
            lines += [
                {
                    **{"set": rated.sounds.name, "model": each, "representation": "listeners", "measure": name},
                    **{"reference": "", "value": value},
                }
                for each, value in found.items()
            ]
    return pd.DataFrame(lines)


def sound_hashes(rated: RatedSet) -> dict[str, frozenset[str]]:
    """Hashes of the samples of each space's sounds."""
    return {
        space.name: frozenset(hashlib.sha256(rated.sounds.clip(int(row)).tobytes()).hexdigest() for row in space.rows)
        for space in rated.spaces
    }


def learnt_matrices(
    rated: RatedSet, embeddings: np.ndarray, fitted_to: tuple[RatedSet, np.ndarray] | None
) -> list[np.ndarray]:
    """Each space's matrix under a metric that was fitted to other spaces.

    Args:
        rated: the set.
        embeddings: ``(n, n_features)`` of its sounds.
        fitted_to: another set and its embeddings, if the metric is fitted to all of its spaces; otherwise, to the
            spaces of this set that are in other parts (:func:`benchmark.studies.listeners.metric.parts_of`).
    """
    if fitted_to is not None:
        weights = metric.fitted(_rated_spaces(*fitted_to))
        return [metric.weighted_matrix(embeddings[space.rows], weights) for space in rated.spaces]
    spaces = _rated_spaces(rated, embeddings)
    parts = metric.parts_of([space.name for space in rated.spaces], sound_hashes(rated))
    weights_of = {
        part: metric.fitted([space for space, other in zip(spaces, parts) if other != part]) for part in set(parts)
    }
    return [
        metric.weighted_matrix(embeddings[space.rows], weights_of[part]) for space, part in zip(rated.spaces, parts)
    ]


def _rated_spaces(rated: RatedSet, embeddings: np.ndarray) -> list[metric.Rated]:
    return [metric.Rated(metric.scaled(embeddings[space.rows]), space.dissimilarity) for space in rated.spaces]
