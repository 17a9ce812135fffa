"""Cached embeddings of the clips of a labelled set."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from tqdm import tqdm

from benchmark.datasets.labelled_set import LabelledSet
from benchmark.models.extractors import Embed, Extractor
from byola_hear.utils.files import replacing

#: Seconds of audio in a batch of clips to embed.
BATCH_SECONDS = 160.0


def embed_set(
    embed: Embed, labelled: LabelledSet, rows: np.ndarray, sample_rate: int, bar: tqdm | None = None
) -> np.ndarray:
    """Embed clips of a set in batches of similar lengths.

    Args:
        embed: maps a list of clips to ``(n_clips, n_features)``.
        labelled: the set.
        rows: positions of the clips.
        sample_rate: rate that ``embed`` expects, Hz.
        bar: a progress bar that counts seconds of audio.

    Returns:
        ``(len(rows), n_features)`` float32, in the order of ``rows``.

    Raises:
        ValueError: if ``embed`` returns another shape or a value that is not finite, or there are no clips.
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
        raise ValueError("expected at least one clip to embed, got no rows")
    bad = np.flatnonzero(~np.isfinite(result).all(1))
    if len(bad):
        file = labelled.manifest["file"].iloc[rows[bad[0]]]
        raise ValueError(
            f"expected finite embeddings, got NaN or infinity in those of {len(bad)} of {len(rows)} clips of "
            f"{labelled.name}, such as {file!r}"
        )
    return result


def embeddings_path(extractor: Extractor, labelled: LabelledSet, rows: np.ndarray, cache: Path) -> Path:
    """Path of the result of :func:`cached_embeddings`."""
    digest = hashlib.sha256(f"{extractor.identity}-{labelled.sha256}-{extractor.sample_rate}".encode())
    digest.update(rows.astype(np.int64).tobytes())
    return cache / "embeddings" / f"{labelled.name}-{digest.hexdigest()[:24]}.npy"


def cached_embeddings(
    extractor: Extractor, labelled: LabelledSet, rows: np.ndarray, cache: Path, bar: tqdm | None = None
) -> np.ndarray:
    """:func:`embed_set` with a cache. The key is the extractor's identity, the set's content and the rows.

    Raises:
        ValueError: if the model does not return what is expected; the message names it.
    """
    path = embeddings_path(extractor, labelled, rows, cache)
    if path.is_file():
        if bar is not None:
            bar.update(float(labelled.lengths[rows].sum() / labelled.sample_rate))
        return np.load(path)
    try:
        embeddings = embed_set(extractor.embed, labelled, rows, extractor.sample_rate, bar)
    except ValueError as error:
        raise ValueError(f"{extractor.row}: {error}") from error
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as stream:
        np.save(stream, embeddings)
    return embeddings
