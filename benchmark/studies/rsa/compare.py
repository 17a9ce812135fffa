"""Similarity of matrices: rank correlations, whitened correlation and cosine, intervals, and the noise ceiling.

Source:
    Diedrichsen et al., Comparing representational geometries using whitened unbiased-distance-matrix similarity,
    Neurons, Behavior, Data analysis, and Theory 5 (2021); Nili et al., A toolbox for representational similarity
    analysis, PLoS Computational Biology 10 (2014), for the noise ceiling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from benchmark.comparison.intervals import finite_percentiles
from benchmark.studies.rsa.dissimilarity import defined, rdms
from benchmark.studies.rsa.ranks import LEAST, over, partial_correlations, rank_correlations

#: Raise it when a change to how matrices are made or compared changes a number: cached results are then out of date.
MEASUREMENT_VERSION = 1

#: rsatoolbox's names of the measures, without the partial correlation.
MEASURES = ("spearman", "corr_cov", "cosine_cov")

#: Number of parts of the jackknife for whitened measures.
BLOCKS = 20


@dataclass(frozen=True)
class Likeness:
    """The similarity of a model's matrix and a reference's.

    Attributes:
        reference: the reference's name.
        measure: a name out of :data:`MEASURES`, or ``partial``: Spearman's correlation given all other references.
        value: between -1 and 1.
        low: lower end of the 95 % interval over the stimuli.
        high: upper end.
        stimuli: number of stimuli.
    """

    reference: str
    measure: str
    value: float
    low: float
    high: float
    stimuli: int


def whitened(models: Sequence[np.ndarray], references: Sequence[np.ndarray], measure: str) -> np.ndarray:
    """rsatoolbox's whitened correlation or cosine of square matrices, ``(n_models, n_references)``."""
    from rsatoolbox.rdm.compare import compare

    first, second = (rdms(each, [str(number) for number in range(len(each))]) for each in (models, references))
    result: np.ndarray = compare(first, second, measure)
    return result


def compared(
    models: Mapping[str, Sequence[np.ndarray]],
    references: Mapping[str, np.ndarray],
    draws: int,
    seed: int,
    bar: tqdm | None = None,
) -> dict[str, list[Likeness]]:
    """Compare each model's matrices with each reference.

    The measures are averaged over a model's matrices (seeds of an untrained network). Intervals of rank correlations
    are percentiles of bootstrap samples of the stimuli, the same for all models. The whitened measures are not defined
    for repeated stimuli; their intervals are 1.96 standard errors of a jackknife over twenty parts of the stimuli. A
    reference that is undefined for some stimuli is compared over the others. Partial correlations are over the stimuli
    for which all references are defined. Values without enough draws or stimuli are nan.

    Args:
        models: by name, one matrix ``(n, n)`` for each seed.
        references: matrices ``(n, n)`` by name.
        draws: number of bootstrap samples.
        seed: seed of the bootstrap.
        bar: progress bar that counts samples.

    Returns:
        By model, for each reference and measure, in order.

    Raises:
        ValueError: if a reference is defined for fewer than four stimuli.
    """
    matrices, average = _stacked(models)
    known = {name: defined(matrix) for name, matrix in references.items()}
    fewest = min(known, key=lambda name: int(known[name].sum()))
    if known[fewest].sum() < LEAST:
        raise ValueError(f"{fewest}: expected at least {LEAST} stimuli to compare over, got {known[fewest].sum()}")
    everywhere = np.logical_and.reduce(list(known.values()))
    # References with the same gaps are ranked together.
    groups: dict[bytes, list[str]] = {}
    for name, mask in known.items():
        groups.setdefault(mask.tobytes(), []).append(name)
    rng = np.random.default_rng(seed)
    n_stimuli = len(matrices[0])
    samples = [np.arange(n_stimuli), *(rng.integers(0, n_stimuli, n_stimuli) for _ in range(draws))]
    # For each sample (n_models,), by reference.
    plain: dict[str, list[np.ndarray]] = {name: [] for name in references}
    partial: dict[str, list[np.ndarray]] = {name: [] for name in references}
    for sample in samples:
        for names in groups.values():
            chosen, several = sample[known[names[0]][sample]], [references[name] for name in names]
            for name, column in zip(names, (average @ over(chosen, rank_correlations, matrices, several)).T):
                plain[name].append(column)
        chosen, several = sample[everywhere[sample]], list(references.values())
        for name, column in zip(references, (average @ over(chosen, partial_correlations, matrices, several)).T):
            partial[name].append(column)
        if bar is not None:
            bar.update()
    result: dict[str, list[Likeness]] = {model: [] for model in models}
    others = {
        (name, measure): column
        for names in groups.values()
        for measure in MEASURES[1:]
        for name, column in zip(
            names, _jackknifed(matrices, average, [references[each] for each in names], known[names[0]], measure, seed)
        )
    }
    for name in references:
        inside = int(known[name].sum())
        for index, model in enumerate(models):
            values = [float(column[index]) for column in plain[name]]
            result[model].append(Likeness(name, "spearman", values[0], *finite_percentiles(values[1:]), inside))
            for measure in MEASURES[1:]:
                result[model].append(Likeness(name, measure, *others[name, measure][index], inside))
            if len(references) > 1:
                values = [float(column[index]) for column in partial[name]]
                result[model].append(
                    Likeness(name, "partial", values[0], *finite_percentiles(values[1:]), int(everywhere.sum()))
                )
    return result


def _stacked(models: Mapping[str, Sequence[np.ndarray]]) -> tuple[list[np.ndarray], np.ndarray]:
    """All models' matrices, and the ``(n_models, n_matrices)`` weights that average over each model's."""
    matrices = [matrix for several in models.values() for matrix in several]
    owners = np.repeat(np.arange(len(models)), [len(several) for several in models.values()])
    return matrices, (owners == np.arange(len(models))[:, None]) / np.bincount(owners)[:, None]


def _jackknifed(
    models: Sequence[np.ndarray],
    average: np.ndarray,
    references: Sequence[np.ndarray],
    known: np.ndarray,
    measure: str,
    seed: int,
) -> list[list[tuple[float, float, float]]]:
    """A whitened measure and its interval over the known stimuli: for each reference, for each model."""

    def values(chosen: np.ndarray) -> np.ndarray:
        part = np.ix_(chosen, chosen)
        among = whitened([matrix[part] for matrix in models], [matrix[part] for matrix in references], measure)
        averaged: np.ndarray = average @ among
        return averaged

    inside = np.flatnonzero(known)
    shuffled = np.random.default_rng(seed).permutation(inside)
    n_blocks = min(BLOCKS, len(inside))
    whole = values(inside)
    error = np.full(whole.shape, np.nan)
    if len(inside) > LEAST:
        left = np.array([values(np.setdiff1d(inside, block)) for block in np.array_split(shuffled, n_blocks)])
        error = np.sqrt((n_blocks - 1) / n_blocks * np.sum((left - left.mean(0)) ** 2, axis=0))
    low, high = np.maximum(whole - 1.96 * error, -1), np.minimum(whole + 1.96 * error, 1)
    return [list(zip(*(part[:, index].tolist() for part in (whole, low, high)))) for index in range(len(references))]


def to_listeners(
    models: Mapping[str, Sequence[np.ndarray]], listeners: Sequence[np.ndarray], draws: int, seed: int
) -> dict[str, list[Likeness]]:
    """Each model's likeness to listeners: a measure with every listener's matrix, averaged, as the noise ceiling is.

    Intervals of the rank correlation are of bootstrap samples of the stimuli; of the others, listeners' averaged.

    Args:
        models: by name, one matrix ``(n, n)`` a seed.
        listeners: one ``(n, n)`` each.
        draws: bootstrap samples.
        seed: of the bootstrap.

    Returns:
        By model, one for each of :data:`MEASURES`.
    """
    matrices, average = _stacked(models)
    rng, n_stimuli = np.random.default_rng(seed), len(listeners[0])
    everything = np.arange(n_stimuli)
    samples = [everything, *(rng.integers(0, n_stimuli, n_stimuli) for _ in range(draws))]
    # (n_samples, n_models)
    plain = np.array([(average @ over(sample, rank_correlations, matrices, listeners)).mean(1) for sample in samples])
    # (n_models, 3): value, low and high
    others = {
        measure: np.mean(_jackknifed(matrices, average, listeners, everything >= 0, measure, seed), axis=0)
        for measure in MEASURES[1:]
    }
    result: dict[str, list[Likeness]] = {}
    for index, model in enumerate(models):
        values = plain[:, index].tolist()
        result[model] = [Likeness("listeners", "spearman", values[0], *finite_percentiles(values[1:]), n_stimuli)]
        for measure, found in others.items():
            value, low, high = found[index].tolist()
            result[model].append(Likeness("listeners", measure, value, low, high, n_stimuli))
    return result


def noise_ceiling(listeners: Sequence[np.ndarray], measure: str) -> tuple[float, float]:
    """The noise ceiling: the similarity of a listener to the mean of the other listeners, and to the mean of all.

    Args:
        listeners: two ``(n, n)`` or more.
        measure: a name out of :data:`MEASURES`.

    Returns:
        Lower and upper bound.

    Raises:
        ValueError: if there is only one listener.
    """
    if len(listeners) < 2:
        raise ValueError(f"a noise ceiling needs at least two listeners, got {len(listeners)}")
    from rsatoolbox.inference.noise_ceiling import boot_noise_ceiling

    low, high = boot_noise_ceiling(rdms(listeners, [str(number) for number in range(len(listeners))]), measure, "name")
    return float(low), float(high)
