"""How alike matrices are: rank correlation, whitened correlation and cosine, partial rank correlation, intervals.

Source:
    Diedrichsen et al., Comparing representational geometries using whitened unbiased-distance-matrix similarity,
    Neurons, Behavior, Data analysis, and Theory 5 (2021); Nili et al., A toolbox for representational similarity
    analysis, PLoS Computational Biology 10 (2014), for the noise ceiling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata
from tqdm import tqdm

from benchmark.rsa.dissimilarity import defined, rdms

#: rsatoolbox's names of the measures beside the partial correlation.
MEASURES = ("spearman", "corr_cov", "cosine_cov")

#: Parts that the whitened measures' jackknife leaves out, one at a time.
BLOCKS = 20


@dataclass(frozen=True)
class Likeness:
    """How alike a model's matrix and a reference's are.

    Attributes:
        reference: the reference's name.
        measure: out of :data:`MEASURES`, or ``partial``: Spearman's correlation given all the other references.
        value: between -1 and 1.
        low: lower end of the 95 % interval over the stimuli.
        high: upper end.
        stimuli: how many it was computed over.
    """

    reference: str
    measure: str
    value: float
    low: float
    high: float
    stimuli: int


def pairs(matrices: Sequence[np.ndarray], chosen: np.ndarray) -> np.ndarray:
    """``(n_matrices, n_pairs)`` dissimilarities of all pairs of chosen stimuli; one chosen twice, as by a bootstrap,
    is not compared with itself."""
    first, second = np.triu_indices(len(chosen), 1)
    different = chosen[first] != chosen[second]
    first, second = chosen[first[different]], chosen[second[different]]
    return np.stack([matrix[first, second] for matrix in matrices])


def rank_correlations(models: np.ndarray, references: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spearman's correlations and partial ones.

    Args:
        models: ``(n_models, n_pairs)``.
        references: ``(n_references, n_pairs)``.

    Returns:
        Two of ``(n_models, n_references)``: with each reference, and with each given all the others; 0 where a matrix
        does not vary, or is nothing but a mixture of the others.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> level, pitch = rng.random((2, 5000))
        >>> plain, partial = rank_correlations(np.array([level + pitch]), np.array([level, pitch]))
        >>> plain.round(1).tolist(), partial.round(1).tolist()
        ([[0.7, 0.7]], [[1.0, 1.0]])
    """
    ranks = rankdata(np.concatenate([models, references]), axis=1)
    ranks -= ranks.mean(1, keepdims=True)
    norms = np.linalg.norm(ranks, axis=1, keepdims=True)
    ranks = np.divide(ranks, norms, out=np.zeros_like(ranks), where=norms > 0)
    table = ranks @ ranks.T
    n_models = len(models)
    plain, among = table[:n_models, n_models:], table[n_models:, n_models:]
    partial = np.zeros_like(plain)
    for index in range(len(references)):
        others = np.delete(np.arange(len(references)), index)
        solve = np.linalg.pinv(among[np.ix_(others, others)])
        to_others = among[index, others]
        left = 1 - to_others @ solve @ to_others
        for model in range(n_models):
            explained = plain[model, others] @ solve
            rest = 1 - explained @ plain[model, others]
            if left > 1e-9 and rest > 1e-9:
                partial[model, index] = (plain[model, index] - explained @ to_others) / (left * rest) ** 0.5
    return plain, np.clip(partial, -1, 1)


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
    """How alike each model's matrices and each reference's are.

    The measures are averaged over a model's matrices (seeds of an untrained network). Rank correlations' intervals
    are percentiles of bootstrap samples of the stimuli, the same for all models; those of the whitened measures,
    which are not defined for a stimulus that comes twice, are 1.96 standard errors of a jackknife over twenty parts
    of the stimuli. A reference that is undefined for some stimuli is compared over the others; partial correlations
    are over the stimuli for which all references are defined, so that each is given the same others.

    Args:
        models: by name, one matrix ``(n, n)`` a seed.
        references: ``(n, n)`` by name.
        draws: bootstrap samples.
        seed: of the bootstrap.
        bar: advanced by one a sample.

    Returns:
        By model, for each reference and measure, in order.

    Raises:
        ValueError: if fewer than four stimuli are defined.
    """
    matrices = [matrix for several in models.values() for matrix in several]
    owners = np.repeat(np.arange(len(models)), [len(several) for several in models.values()])
    average = (owners == np.arange(len(models))[:, None]) / np.bincount(owners)[:, None]
    known = {name: defined(matrix) for name, matrix in references.items()}
    everywhere = np.logical_and.reduce(list(known.values()))
    # References with the same gaps are ranked together.
    groups: dict[bytes, list[str]] = {}
    for name, mask in known.items():
        groups.setdefault(mask.tobytes(), []).append(name)
    rng = np.random.default_rng(seed)
    n_stimuli = len(matrices[0])
    samples = [np.arange(n_stimuli), *(rng.integers(0, n_stimuli, n_stimuli) for _ in range(draws))]
    #: Of each sample, (n_models,) by reference.
    plain: dict[str, list[np.ndarray]] = {name: [] for name in references}
    partial: dict[str, list[np.ndarray]] = {name: [] for name in references}
    for sample in samples:
        for names in groups.values():
            chosen = _enough(sample[known[names[0]][sample]])
            table = rank_correlations(pairs(matrices, chosen), pairs([references[name] for name in names], chosen))
            for name, column in zip(names, (average @ table[0]).T):
                plain[name].append(column)
        if len(groups) > 1:
            chosen = _enough(sample[everywhere[sample]])
            table = rank_correlations(pairs(matrices, chosen), pairs(list(references.values()), chosen))
        for name, column in zip(references, (average @ table[1]).T):
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
            result[model].append(Likeness(name, "spearman", values[0], *_percentiles(values), inside))
            for measure in MEASURES[1:]:
                result[model].append(Likeness(name, measure, *others[name, measure][index], inside))
            if len(references) > 1:
                values = [float(column[index]) for column in partial[name]]
                result[model].append(Likeness(name, "partial", values[0], *_percentiles(values), int(everywhere.sum())))
    return result


def _enough(chosen: np.ndarray) -> np.ndarray:
    if len(np.unique(chosen)) < 4:
        raise ValueError(f"expected at least four stimuli to compare over, got {len(np.unique(chosen))}")
    return chosen


def _percentiles(values: Sequence[float]) -> tuple[float, float]:
    low, high = np.percentile(values[1:] or values, [2.5, 97.5])
    return float(low), float(high)


def _jackknifed(
    models: Sequence[np.ndarray],
    average: np.ndarray,
    references: Sequence[np.ndarray],
    known: np.ndarray,
    measure: str,
    seed: int,
) -> list[list[tuple[float, float, float]]]:
    """A whitened measure and its interval over the stimuli that are known: for each reference, of each model."""

    def values(chosen: np.ndarray) -> np.ndarray:
        part = np.ix_(chosen, chosen)
        among = whitened([matrix[part] for matrix in models], [matrix[part] for matrix in references], measure)
        averaged: np.ndarray = average @ among
        return averaged

    inside = np.flatnonzero(known)
    shuffled = np.random.default_rng(seed).permutation(inside)
    n_blocks = min(BLOCKS, len(inside) - 3)
    whole = values(inside)
    error = np.full(whole.shape, np.nan)
    if n_blocks >= 2:
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
    references = {str(number): matrix for number, matrix in enumerate(listeners)}
    each = compared(models, references, 0, seed)
    rng, n_stimuli = np.random.default_rng(seed), len(listeners[0])
    samples = [_enough(rng.integers(0, n_stimuli, n_stimuli)) for _ in range(draws)]
    result: dict[str, list[Likeness]] = {}
    for model, several in models.items():
        drawn = [
            float(rank_correlations(pairs(several, sample), pairs(listeners, sample))[0].mean()) for sample in samples
        ]
        result[model] = []
        for measure in MEASURES:
            found = [one for one in each[model] if one.measure == measure]
            value, low, high = (
                float(np.mean([getattr(one, end) for one in found])) for end in ("value", "low", "high")
            )
            if measure == "spearman" and drawn:
                low, high = (float(end) for end in np.percentile(drawn, [2.5, 97.5]))
            result[model].append(Likeness("listeners", measure, value, low, high, n_stimuli))
    return result


def noise_ceiling(listeners: Sequence[np.ndarray], measure: str) -> tuple[float, float]:
    """What the best possible model could reach: a listener's likeness to the mean of the others, and of all.

    Args:
        listeners: two ``(n, n)`` or more.
        measure: out of :data:`MEASURES`.

    Returns:
        Lower and upper bound.

    Raises:
        ValueError: if there is one listener only.
    """
    if len(listeners) < 2:
        raise ValueError(f"a noise ceiling needs at least two listeners, got {len(listeners)}")
    from rsatoolbox.inference.noise_ceiling import boot_noise_ceiling

    low, high = boot_noise_ceiling(rdms(listeners, [str(number) for number in range(len(listeners))]), measure, "name")
    return float(low), float(high)
