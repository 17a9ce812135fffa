"""Embeddings of the windows of a recording: a network's own, and the mean of a baseline's timestamps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

import byola_hear
from benchmark.baselines import baseline
from benchmark.baselines.contract import Baseline
from benchmark.datasets.labelled_set import SAMPLE_RATE, LabelledSet
from benchmark.models.extractors import Extractor, identity_of, one_thread
from benchmark.models.loading import ModelName
from byola_hear.classification.classifier import Network
from byola_hear.models.model import ByolaModel


@dataclass(frozen=True)
class Windows:
    """Embeddings of a recording's windows.

    Attributes:
        start: ``(n,)`` s.
        end: ``(n,)`` s.
        embeddings: ``(n, size)`` float32.
    """

    start: np.ndarray
    end: np.ndarray
    embeddings: np.ndarray


@dataclass(frozen=True)
class Embedder:
    """What embeds windows.

    Attributes:
        row: the table's row.
        model: a network of the package or a baseline's model.
        name: name of the baseline; empty for a network.
    """

    row: str
    model: ByolaModel | Baseline
    name: str = ""

    @classmethod
    def of(cls, extractor: Extractor, name: ModelName) -> Embedder:
        """The embedder of one of a row's extractors."""
        if extractor.model is not None:
            return cls(extractor.row, extractor.model)
        model = name.load()
        assert isinstance(model, Baseline)
        return cls(extractor.row, model, name.baseline)

    @property
    def identity(self) -> str:
        """Text that changes whenever the embeddings may change."""
        return identity_of(self.model, self.name)

    def network(self) -> Network:
        """What a classifier says of its embeddings."""
        size = self.model.scene_embedding_size if isinstance(self.model, ByolaModel) else self._size()
        return Network(self.row, self.row, self.identity, int(size))

    def _size(self) -> int:
        return int(self.model.timestamp_embedding_size)

    def windows(self, samples: np.ndarray, window: float, hop: float) -> Windows:
        """Embed the windows of a recording.

        Args:
            samples: ``(n_samples,)`` float32 at 16 kHz.
            window: length of a window, s.
            hop: time from one window to the next, s.
        """
        if isinstance(self.model, ByolaModel):
            table = byola_hear.embed(samples, self.model, window=window, hop=hop, sample_rate=SAMPLE_RATE)
            start, end = (table.index.get_level_values(level).to_numpy(np.float64) for level in ("start", "end"))
            return Windows(start, end, table.to_numpy(np.float32))
        with one_thread():
            clips = [torch.from_numpy(samples)]
            frames, times = baseline(self.name).get_timestamp_embeddings(clips, self.model)
        return pooled(frames[0].numpy(), times[0].numpy() / 1000, len(samples) / SAMPLE_RATE, window, hop)

    def table(self, recordings: LabelledSet, window: float, hop: float) -> pd.DataFrame:
        """Embed the windows of all recordings, as a table that :func:`byola_hear.read_table` returns."""
        parts = dict(self.each(recordings, window, hop))
        files = np.repeat(list(parts), [len(each.start) for each in parts.values()])
        start, end, embeddings = (
            np.concatenate([getattr(each, name) for each in parts.values()]) for name in ("start", "end", "embeddings")
        )
        index = pd.MultiIndex.from_arrays([files, start, end], names=["file", "start", "end"])
        return pd.DataFrame(embeddings, index, copy=False)

    def each(self, recordings: LabelledSet, window: float, hop: float) -> Iterator[tuple[str, Windows]]:
        """Embed the windows of each recording, by its name."""
        files: Iterable[str] = recordings.manifest["file"]
        for number, file in enumerate(files):
            yield file, self.windows(recordings.clip(number), window, hop)


def pooled(frames: np.ndarray, times: np.ndarray, seconds: float, window: float, hop: float) -> Windows:
    """Average timestamps over windows. A window without a timestamp takes the nearest.

    Args:
        frames: ``(n_times, size)`` float32.
        times: ``(n_times,)`` s, rising.
        seconds: length of the recording.
        window: length of a window, s.
        hop: time from one window to the next, s.
    """
    count = 1 + max(0, int((seconds - window) / hop + 1e-6))
    start = np.arange(count) * hop
    end = np.minimum(start + window, seconds)
    first, last = np.searchsorted(times, start), np.searchsorted(times, end)
    middle = (start + end) / 2
    nearest = np.abs(times - middle[:, None]).argmin(1)
    empty = first >= last
    first, last = np.where(empty, nearest, first), np.where(empty, nearest + 1, last)
    sums = np.concatenate([np.zeros((1, frames.shape[1])), np.cumsum(frames, 0, dtype=np.float64)])
    return Windows(start, end, ((sums[last] - sums[first]) / (last - first)[:, None]).astype(np.float32))
