"""What a study of clip embeddings starts from: its options as one value, its models, embeddings out of the probe's
cache where they are there, finished parts out of its own."""

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
from benchmark.studies.study import asked_models
from byola_hear.utils.files import replacing


@dataclass(frozen=True)
class Setup:
    """The options that every study has (:func:`benchmark.studies.study.study_options`).

    Attributes:
        models: names, checkpoints' paths and baselines with commas between them, in the order of the figures.
        audio: folder of labelled sets; None for the usual one.
        output: folder that the results are written to.
        cache: folder for decoded audio, embeddings and finished parts.
        progress: whether bars are shown.
        seed: of everything that is drawn.
        untrained_seeds: how many untrained networks stand behind ``untrained``.
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
        """Out of the options as the command line gives them; what can't be had is found here, before hours of work.

        Raises:
            ModuleNotFoundError: if there is no matplotlib.
            ValueError: if no model is named, one is named twice or is none.
            FileNotFoundError: if there is no such checkpoint.
        """
        new_figure(1, 1)
        models_by_row(models)
        return cls(models=models, output=output, cache=use_cache(cache), progress=not no_progress, **others)

    def rows(self, training_clips: Callable[[], list[np.ndarray]]) -> list[Asked]:
        """The models that can be had; of each other one, a line on stderr says why not. The folder of results is made.

        Raises:
            OSError: if it can't be made.
            ValueError: if none can be had, one is named twice or can't be used.
            FileNotFoundError: if there is no such file.
        """
        asked = asked_models(self.models, training_clips, self.untrained_seeds)
        for row in asked:
            if row.missing:
                click.echo(f"{row.name}: not measured: {row.missing}", err=True)
        found = [row for row in asked if not row.missing]
        if not found:
            raise ValueError(f"expected a model that can be had here, got {self.models}")
        self.output.mkdir(parents=True, exist_ok=True)
        return found


def embedded(
    extractor: Extractor, labelled: LabelledSet, rows: np.ndarray, cache: Path, bar: tqdm | None = None
) -> np.ndarray:
    """Embeddings of some clips: cut from those of the whole set if the cache has them, else computed and kept.

    Args:
        extractor: what embeds.
        labelled: the set.
        rows: ``(n,)`` positions of the clips.
        cache: the cache folder.
        bar: counts seconds of audio.

    Returns:
        ``(n, n_features)`` float32.
    """
    whole = embeddings_path(extractor, labelled, np.arange(len(labelled)), cache)
    if whole.is_file():
        if bar is not None:
            bar.update(float(labelled.lengths[rows].sum() / labelled.sample_rate))
        return np.array(np.load(whole, mmap_mode="r")[rows])
    return cached_embeddings(extractor, labelled, rows, cache, bar)


def key_of(*parts: Any, versions: Sequence[int]) -> str:
    """A key for the cache: hash of what was measured and of how.

    Args:
        *parts: JSON values and arrays that decide the result.
        versions: ``MEASUREMENT_VERSION`` of each module that made something of them.

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
    """A finished part of a study, JSON values: out of the cache, or computed and kept there."""
    path = cache / "studies" / f"{study}-{key}.json"
    if path.is_file():
        return json.loads(path.read_text())
    value = compute()
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as stream:
        stream.write(json.dumps(value).encode())
    return value
