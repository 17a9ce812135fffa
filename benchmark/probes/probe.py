"""The linear probe: embed labelled sets, classify, and compute accuracies by fold with intervals.

``python -m benchmark probe`` is in :mod:`benchmark.probes.command`; :func:`evaluate` does the same for a function.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy import stats
from tqdm import tqdm

from benchmark.datasets.labelled_set import LabelledSet, cache_folder
from benchmark.models.embedding import cached_embeddings, embed_set
from benchmark.models.extractors import Embed, Extractor
from benchmark.probes.plan import Plan, plan
from benchmark.probes.ridge import classify
from benchmark.probes.splits import Fold, Task, groups_of

#: What a caption of intervals over the tested clips has to say: the folds keep groups together, resampling does not.
INDEPENDENT = "Clips of one speaker or recording are resampled as if they were independent."


@dataclass
class TaskResult:
    """The result of a model on a task.

    Attributes:
        task: the task's name.
        fold_names: the folds, in order.
        accuracies: %, one for each fold.
        strengths: the chosen regularisation, one for each fold.
        counts: number of tested clips, one for each fold.
    """

    task: str
    fold_names: list[str] = field(default_factory=list)
    accuracies: list[float] = field(default_factory=list)
    strengths: list[float] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)

    @property
    def accuracy(self) -> float:
        """Mean over the folds, %."""
        return float(np.mean(self.accuracies))

    @property
    def spread(self) -> float | None:
        """Standard deviation over the folds, points; None with one fold."""
        return float(np.std(self.accuracies, ddof=1)) if len(self.accuracies) > 1 else None

    def draws(self, seed: int = 0, n_draws: int = 2000) -> np.ndarray:
        """``(n_draws,)`` accuracies, %, of bootstrap samples of the tested clips; each fold is resampled separately.

        The number of correct clips among n drawn with replacement is binomial, so no clips are drawn.
        """
        rng = np.random.default_rng(seed)
        shares = [
            rng.binomial(count, accuracy / 100, n_draws) / count
            for count, accuracy in zip(self.counts, self.accuracies)
        ]
        return 100 * np.mean(shares, axis=0)

    def interval(self, seed: int = 0) -> tuple[float, float]:
        """95 % bootstrap interval over the tested clips, %; Wilson's if all or none are right: no draw varies then."""
        if set(self.accuracies) in ({0.0}, {100.0}):
            clips = sum(self.counts)
            limits = stats.binomtest(clips if self.accuracies[0] else 0, clips).proportion_ci(0.95, method="wilson")
            return 100 * float(limits.low), 100 * float(limits.high)
        low, high = np.percentile(self.draws(seed), [2.5, 97.5])
        return float(low), float(high)


def mean_interval(results: Sequence[TaskResult], seed: int = 0) -> tuple[float, float]:
    """95 % bootstrap interval of the mean over tasks, %; the tested clips of every task are resampled.

    If no draw varies, its limits are the means of the tasks' limits.

    Args:
        results: the results of a model, one for each task.
        seed: seed of the bootstrap.

    Returns:
        Lower and upper limit.
    """
    draws = np.mean([result.draws(seed + number) for number, result in enumerate(results)], axis=0)
    if np.ptp(draws):
        low, high = np.percentile(draws, [2.5, 97.5])
    else:
        low, high = np.mean([result.interval(seed) for result in results], axis=0)
    return float(low), float(high)


def probe(
    features: np.ndarray, task: Task, labelled: LabelledSet, task_folds: Sequence[Fold], standardise: bool = True
) -> TaskResult:
    """Probe one task.

    Args:
        features: ``(n_clips, n_features)`` embeddings of the set's clips; rows that no fold uses are ignored.
        task: the task.
        labelled: its set.
        task_folds: its folds.
        standardise: whether each feature has its own scale, see :class:`benchmark.probes.ridge.RidgeRegression`.

    Returns:
        The result.
    """
    labels, groups = labelled.manifest[task.label].to_numpy(str), groups_of(task, labelled.manifest)
    result = TaskResult(task.name)
    for fold in task_folds:
        used = np.unique(np.concatenate([fold.train, fold.test]))
        place = np.zeros(len(labelled), np.int64)
        place[used] = np.arange(len(used))
        train, choose, test = (place[part] for part in (fold.train, fold.choose, fold.test))
        predicted, strength = classify(
            features[used], labels[used], train, choose, test, groups[used], standardise=standardise
        )
        result.fold_names.append(fold.name)
        result.accuracies.append(100 * float(np.mean(predicted == labels[fold.test])))
        result.strengths.append(strength)
        result.counts.append(len(fold.test))
    return result


def run(
    planned: Plan, extractor: Extractor, cache: str | Path | None = None, progress: bool = False, keep: bool = True
) -> dict[str, TaskResult]:
    """Embed and probe every task of a plan.

    Args:
        planned: the plan.
        extractor: the model.
        cache: folder for embeddings.
        progress: whether to show a progress bar on stderr.
        keep: whether to use the cache.

    Returns:
        Results by task name.
    """
    results: dict[str, TaskResult] = {}
    bar = tqdm(
        desc=extractor.row,
        total=math.ceil(planned.seconds),
        unit="s",
        disable=not progress,
        leave=False,
        bar_format="{desc}: {percentage:3.0f}%|{bar}| {n:.0f}/{total:.0f} s of audio [{elapsed}<{remaining}{postfix}]",
    )
    with bar:
        for name, labelled in planned.sets.items():
            rows = planned.rows[name]
            bar.set_postfix_str(f"embed {name}")
            if keep:
                embeddings = cached_embeddings(extractor, labelled, rows, cache_folder(cache), bar)
            else:
                embeddings = embed_set(extractor.embed, labelled, rows, extractor.sample_rate, bar)
            features = np.zeros((len(labelled), embeddings.shape[1]), np.float32)
            features[rows] = embeddings
            for task in planned.tasks:
                if task.source == name:
                    bar.set_postfix_str(f"probe {task.name}")
                    results[task.name] = probe(features, task, labelled, planned.folds[task.name])
    return {task.name: results[task.name] for task in planned.tasks}


def evaluate(
    embed: Embed,
    tasks: str | Sequence[str] = "core",
    validation: bool = True,
    audio: str | Path | None = None,
    cache: str | Path | None = None,
    max_clips: int | None = None,
    seed: int = 0,
    sample_rate: int = 16000,
    progress: bool = False,
) -> dict[str, TaskResult]:
    """Probe a function, by default on validation parts, to choose a training recipe.

    Args:
        embed: a function from a list of clips, each ``(n_samples,)`` float32 in [-1, 1], of any length, to
            ``(n_clips, n_features)``.
        tasks: names, see :func:`benchmark.probes.splits.find_tasks`.
        validation: whether to use validation parts instead of test parts, see :func:`benchmark.probes.splits.folds`.
        audio: folder of tars; None for the default.
        cache: folder for decoded audio; None for the default.
        max_clips: largest number of clips of a task, for a quick look.
        seed: seed of the folds and of the choice of clips.
        sample_rate: Hz, of the clips passed to ``embed``.
        progress: whether to show a progress bar on stderr.

    Returns:
        Results by task name; ``result.accuracy`` is in %.
    """
    planned = plan(tasks, audio, cache, validation, max_clips, seed, progress)
    return run(planned, Extractor("evaluate", "", sample_rate, embed, ""), cache, progress, keep=False)
