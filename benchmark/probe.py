"""The linear probe: embed the labelled sets, classify, give accuracies with their folds and intervals.

``python -m benchmark probe`` is :mod:`benchmark.probe_command`; :func:`evaluate` is the same for a function in memory.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmark.extractors import Embed, Extractor
from benchmark.ridge import classify
from benchmark.sources import LabelledSet, audio_folder, cache_folder, load_set
from benchmark.splits import Fold, Task, find_tasks, folds, groups_of, thin
from byola_hear.files import replacing

#: Seconds of audio in a batch of clips to embed.
BATCH_SECONDS = 160.0


@dataclass
class TaskResult:
    """How well one set of embeddings did on one task.

    Attributes:
        task: the task's name.
        fold_names: the folds, in order.
        accuracies: %, one a fold.
        strengths: the regularisation chosen, one a fold.
        counts: clips tested, one a fold.
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
        """Standard deviation over the folds, points; None for a single fold."""
        return float(np.std(self.accuracies, ddof=1)) if len(self.accuracies) > 1 else None

    def draws(self, seed: int = 0, n_draws: int = 2000) -> np.ndarray:
        """``(n_draws,)`` accuracies, %, of bootstrap samples of the tested clips, each fold resampled by itself.

        How many of n clips drawn with replacement were right is a binomial number, so no clip need be drawn.
        """
        rng = np.random.default_rng(seed)
        shares = [
            rng.binomial(count, accuracy / 100, n_draws) / count
            for count, accuracy in zip(self.counts, self.accuracies)
        ]
        return 100 * np.mean(shares, axis=0)

    def interval(self, seed: int = 0) -> tuple[float, float]:
        """95 % bootstrap interval over the tested clips, %."""
        low, high = np.percentile(self.draws(seed), [2.5, 97.5])
        return float(low), float(high)


def probe(features: np.ndarray, task: Task, labelled: LabelledSet, task_folds: Sequence[Fold]) -> TaskResult:
    """Probe one task.

    Args:
        features: ``(n_clips, n_features)`` embeddings of the set's clips, rows that no fold uses may hold anything.
        task: the task.
        labelled: its set.
        task_folds: its folds.

    Returns:
        The result.
    """
    labels, groups = labelled.manifest[task.label].to_numpy(str), groups_of(task, labelled.manifest)
    result = TaskResult(task.name)
    for fold in task_folds:
        used = np.unique(np.concatenate([fold.train, fold.test]))
        place = np.zeros(len(labelled), np.int64)
        place[used] = np.arange(len(used))
        predicted, strength = classify(
            features[used], labels[used], place[fold.train], place[fold.choose], place[fold.test], groups[used]
        )
        result.fold_names.append(fold.name)
        result.accuracies.append(100 * float(np.mean(predicted == labels[fold.test])))
        result.strengths.append(strength)
        result.counts.append(len(fold.test))
    return result


def embed_set(
    embed: Embed, labelled: LabelledSet, rows: np.ndarray, sample_rate: int, bar: tqdm | None = None
) -> np.ndarray:
    """Embeddings of some clips of a set, in batches of similar lengths.

    Args:
        embed: a list of clips to ``(n_clips, n_features)``.
        labelled: the set.
        rows: positions of the clips.
        sample_rate: Hz, what ``embed`` wants.
        bar: a progress bar that counts seconds of audio.

    Returns:
        ``(len(rows), n_features)`` float32, in the order of ``rows``.

    Raises:
        ValueError: if ``embed`` gives another number of rows, or anything but two dimensions.
    """
    seconds = labelled.lengths[rows] / labelled.sample_rate
    order = np.argsort(-seconds, kind="stable")
    result: np.ndarray | None = None
    start = 0
    while start < len(order):
        size = int(max(1, min(len(order) - start, 256, BATCH_SECONDS // max(seconds[order[start]], 1e-3))))
        batch = order[start : start + size]
        part = np.asarray(embed([labelled.clip(int(rows[i]), sample_rate) for i in batch]))
        if part.ndim != 2 or len(part) != len(batch):
            raise ValueError(f"expected embeddings of shape ({len(batch)}, n_features), got {part.shape}")
        if result is None:
            result = np.empty((len(rows), part.shape[1]), np.float32)
        result[batch] = part
        start += size
        if bar is not None:
            bar.update(float(seconds[batch].sum()))
    if result is None:
        raise ValueError("expected at least one clip to embed, got none")
    return result


def embeddings_path(extractor: Extractor, labelled: LabelledSet, rows: np.ndarray, cache: Path) -> Path:
    """Where :func:`cached_embeddings` keeps its result."""
    digest = hashlib.sha256(f"{extractor.identity}-{labelled.sha256}-{extractor.sample_rate}".encode())
    digest.update(rows.astype(np.int64).tobytes())
    return cache / "embeddings" / f"{labelled.name}-{digest.hexdigest()[:24]}.npy"


def cached_embeddings(
    extractor: Extractor, labelled: LabelledSet, rows: np.ndarray, cache: Path, bar: tqdm | None = None
) -> np.ndarray:
    """:func:`embed_set`, kept in the cache under what the model, its code and the clips are."""
    path = embeddings_path(extractor, labelled, rows, cache)
    if path.is_file():
        if bar is not None:
            bar.update(float(labelled.lengths[rows].sum() / labelled.sample_rate))
        return np.load(path)
    embeddings = embed_set(extractor.embed, labelled, rows, extractor.sample_rate, bar)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as stream:
        np.save(stream, embeddings)
    return embeddings


@dataclass(frozen=True)
class Plan:
    """Tasks with their sets, folds and the clips to embed for them.

    Attributes:
        tasks: the tasks, in order.
        sets: the labelled sets, by name.
        folds: each task's folds.
        rows: for each set, the positions of all clips that any fold of a task uses.
    """

    tasks: list[Task]
    sets: dict[str, LabelledSet]
    folds: dict[str, list[Fold]]
    rows: dict[str, np.ndarray]

    @property
    def seconds(self) -> float:
        """Seconds of audio to embed."""
        return sum(
            float(labelled.lengths[self.rows[name]].sum()) / labelled.sample_rate
            for name, labelled in self.sets.items()
        )

    def training_clips(self, n_clips: int = 1000) -> list[np.ndarray]:
        """Evenly chosen clips that the tasks learn from, at 16 kHz, for taking statistics."""
        chosen = []
        for task in self.tasks:
            train = self.folds[task.name][0].train
            picked = train[:: max(1, len(train) * len(self.tasks) // n_clips)]
            chosen += [self.sets[task.source].clip(int(row), 16000) for row in picked]
        return chosen


def plan(
    tasks: str | Sequence[str] = "core",
    audio: str | Path | None = None,
    cache: str | Path | None = None,
    validation: bool = False,
    max_clips: int | None = None,
    seed: int = 0,
    progress: bool = False,
) -> Plan:
    """Read the sets that tasks need and lay out their folds.

    Args:
        tasks: names, see :func:`benchmark.splits.find_tasks`.
        audio: folder of tars, see :func:`benchmark.sources.audio_folder`.
        cache: folder for decoded audio, see :func:`benchmark.sources.cache_folder`.
        validation: leave the table's test parts out, see :func:`benchmark.splits.folds`.
        max_clips: clips of a task to use at most, for a quick look.
        seed: for folds that are made and clips that are picked.
        progress: show a bar on stderr while decoding.

    Returns:
        The plan.
    """
    folder = audio_folder(audio)
    found = find_tasks(list(tasks) if not isinstance(tasks, str) else tasks)
    sets = {
        name: load_set(folder / f"{name}.tar", cache, progress) for name in dict.fromkeys(task.source for task in found)
    }
    laid_out: dict[str, list[Fold]] = {}
    used: dict[str, list[np.ndarray]] = {}
    for task in found:
        manifest = sets[task.source].manifest
        laid_out[task.name] = _thinned(task, manifest, folds(task, manifest, validation, seed), max_clips, seed)
        parts = [part for fold in laid_out[task.name] for part in (fold.train, fold.test)]
        used.setdefault(task.source, []).extend(parts)
    rows = {name: np.unique(np.concatenate(parts)) for name, parts in used.items()}
    return Plan(found, sets, laid_out, rows)


def _thinned(
    task: Task, manifest: pd.DataFrame, task_folds: list[Fold], max_clips: int | None, seed: int
) -> list[Fold]:
    """Folds with fewer clips in all; which ones does not depend on anything but the seed."""
    if max_clips is None:
        return task_folds
    used = np.unique(np.concatenate([part for fold in task_folds for part in (fold.train, fold.test)]))
    kept = used[thin(task, manifest.iloc[used], max_clips, seed)]
    return [
        Fold(fold.name, *(part[np.isin(part, kept)] for part in (fold.train, fold.choose, fold.test)))
        for fold in task_folds
    ]


def run(
    planned: Plan, extractor: Extractor, cache: str | Path | None = None, progress: bool = False, keep: bool = True
) -> dict[str, TaskResult]:
    """Embed and probe every task of a plan.

    Args:
        planned: the plan.
        extractor: what embeds.
        cache: folder for embeddings.
        progress: show a bar on stderr.
        keep: whether embeddings are looked for in the cache and kept there.

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
    """Probe a function in memory, by default on validation parts only, for choosing a training recipe.

    Args:
        embed: a list of clips, each ``(n_samples,)`` float32 in [-1, 1] and of any length, to
            ``(n_clips, n_features)``.
        tasks: names, see :func:`benchmark.splits.find_tasks`.
        validation: True leaves the table's test parts out (see :func:`benchmark.splits.folds`).
        audio: folder of tars, None for the usual one.
        cache: folder for decoded audio, None for the usual one.
        max_clips: clips of a task to use at most, for a quick look.
        seed: for folds that are made and clips that are picked.
        sample_rate: Hz, of the clips that ``embed`` wants.
        progress: show a bar on stderr.

    Returns:
        Results by task name; ``result.accuracy`` is in %.
    """
    planned = plan(tasks, audio, cache, validation, max_clips, seed, progress)
    return run(planned, Extractor("evaluate", "", sample_rate, embed, ""), cache, progress, keep=False)
