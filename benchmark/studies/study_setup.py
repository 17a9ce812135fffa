"""The basis of a study: its options as one value, its models, and its cache of embeddings and finished parts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from tqdm import tqdm

from benchmark.datasets.labelled_set import LabelledSet, use_cache
from benchmark.models.embedding import cached_embeddings, embeddings_path
from benchmark.models.extractors import Extractor
from benchmark.models.rows import Asked, models_by_row
from benchmark.studies.figures import new_figure
from benchmark.studies.study import asked_models, seconds_bar
from byola_hear.utils.files import write_file


@dataclass(frozen=True)
class Setup:
    """The options that every study has (:func:`benchmark.studies.study.study_options`).

    Attributes:
        models: names, paths of checkpoints and baselines separated by commas, in the order of the figures.
        audio: folder of labelled sets; None for the default.
        output: folder for the results.
        cache: folder for decoded audio, embeddings and finished parts.
        progress: whether to show progress bars.
        seed: seed of everything random.
        untrained_seeds: number of untrained networks that ``untrained`` is averaged over.
    """

    models: str
    audio: Path | None
    output: Path
    cache: Path
    progress: bool
    seed: int = 0
    untrained_seeds: int = 1

    @classmethod
    def of(cls, models: str, output: Path, cache: Path | None, no_progress: bool, **others: Any) -> Setup:
        """Make it from the command line's options, and report missing models and packages before hours of work.

        Raises:
            ModuleNotFoundError: if matplotlib is not installed.
            ValueError: if no model is named, one is named twice or is unknown.
            FileNotFoundError: if a checkpoint does not exist.
        """
        new_figure(1, 1)
        models_by_row(models)
        return cls(models=models, output=output, cache=use_cache(cache), progress=not no_progress, **others)

    def rows(self, training_clips: Callable[[], list[np.ndarray]]) -> list[Asked]:
        """Load the available models and report the others on stderr; create the folder of results.

        Raises:
            OSError: if the folder cannot be created.
            ValueError: if no model is available, one is named twice or cannot be used.
            FileNotFoundError: if a file does not exist.
        """
        asked = asked_models(self.models, training_clips, self.untrained_seeds)
        for row in asked:
            if row.missing:
                click.echo(f"{row.name}: not measured: {row.missing}", err=True)
        found = [row for row in asked if not row.missing]
        if not found:
            raise ValueError(f"expected at least one available model, got {self.models}")
        self.output.mkdir(parents=True, exist_ok=True)
        return found


def embedded(
    extractor: Extractor, labelled: LabelledSet, rows: np.ndarray, cache: Path, bar: tqdm | None = None
) -> np.ndarray:
    """Embed some clips of a set. The cache is used, also if it has the whole set's embeddings.

    Args:
        extractor: the model.
        labelled: the set.
        rows: ``(n,)`` positions of the clips.
        cache: the cache folder.
        bar: progress bar that counts seconds of audio.

    Returns:
        ``(n, n_features)`` float32.
    """
    whole = embeddings_path(extractor, labelled, np.arange(len(labelled)), cache)
    if whole.is_file():
        if bar is not None:
            bar.update(float(labelled.lengths[rows].sum() / labelled.sample_rate))
        return np.array(np.load(whole, mmap_mode="r")[rows])
    return cached_embeddings(extractor, labelled, rows, cache, bar)


def features_of(extractor: Extractor, labelled: LabelledSet, rows: np.ndarray, setup: Setup) -> np.ndarray:
    """Embed some clips of a set, with a progress bar.

    Args:
        extractor: the model.
        labelled: the set.
        rows: ``(n,)`` positions of the clips.
        setup: the study's options.

    Returns:
        ``(n_clips, n_features)`` float32 for all clips of the set; zero for those that are not in ``rows``.
    """
    seconds = float(labelled.lengths[rows].sum()) / labelled.sample_rate
    with seconds_bar(f"{extractor.row}: embed {labelled.name}", seconds, setup.progress) as bar:
        part = embedded(extractor, labelled, rows, setup.cache, bar)
    features = np.zeros((len(labelled), part.shape[1]), np.float32)
    features[rows] = part
    return features


def key_of(*parts: Any, versions: Sequence[int]) -> str:
    """Make a key for the cache.

    Args:
        *parts: JSON values and arrays that determine the result.
        versions: ``MEASUREMENT_VERSION`` of each module that computes it.

    Returns:
        24 hexadecimal digits.

    Example:
        >>> key_of("a", 1, versions=[1]) == key_of("a", 1, versions=[1])
        True
        >>> key_of("a", 1, versions=[1]) in (key_of("a", 2, versions=[1]), key_of("a", 1, versions=[2]))
        False
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype}{part.shape}".encode() + np.ascontiguousarray(part).tobytes())
        else:
            digest.update(json.dumps(part, sort_keys=True).encode())
        digest.update(b"\0")
    digest.update(json.dumps(list(versions)).encode())
    return digest.hexdigest()[:24]


def remembered(cache: Path, study: str, key: str, compute: Callable[[], Any]) -> Any:
    """Return a finished part of a study (JSON values) from the cache, or compute it and keep it there."""
    path = cache / "studies" / f"{study}-{key}.json"
    if path.is_file():
        return json.loads(path.read_text())
    value = compute()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, json.dumps(value))
    return value
