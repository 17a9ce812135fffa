"""From a clip's frame features to the rows that were requested."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from byola_hear.extraction.clips import Clip
from byola_hear.extraction.request import Request
from byola_hear.extraction.rows import Rows
from byola_hear.models.model import ByolaModel
from byola_hear.models.pooling.clip import ClipPool
from byola_hear.models.pooling.grid import Grid, GridPool
from byola_hear.models.pooling.timestamps import timestamp_centre, timestamp_count
from byola_hear.models.pooling.window import WindowPool


class Pooled:
    """Pools one clip's frame features, which arrive in blocks, into rows.

    Args:
        clip: the clip.
        model: the network.
        request: what is asked of the clip.
    """

    def __init__(self, clip: Clip, model: ByolaModel, request: Request) -> None:
        self.clip, self.rate, self.shortened = clip, model.sample_rate, model.shortened
        #: The file's sample with which the clip begins.
        self.first_sample = round(clip.start * self.rate)
        frontend, stride = model.config.frontend, model.config.encoder.stride
        self.step = (stride, frontend.hop_length)
        self.centre, frame = timestamp_centre(0, *self.step), float(stride * frontend.hop_length)
        own_window = model.config.window_frames * frame
        window = own_window if request.window is None else request.window * self.rate
        hop = frame if request.hop is None else request.hop * self.rate
        self.centred = request.kind == "timestamp"
        origin = self.centre - window / 2 if self.centred else 0.0
        self.grid = Grid(window, hop, origin, self.centre, frame, self.centred)
        #: One of these pools: windows anywhere, the model's own windows along the frames, or the whole clip.
        self.grid_pool: GridPool | None = None
        self.slider: WindowPool | None = None
        self.clip_pool: ClipPool | None = None
        if request.window is not None or request.hop is not None:
            self.grid_pool = GridPool(self.grid, model.config.pooling)
        elif self.centred:
            self.slider = WindowPool(model.config.window_frames, model.config.pooling)
        else:
            self.clip_pool = ClipPool(model.config.pooling)
        #: Rows that were yielded.
        self.given = 0
        #: The model's own windows that are pooled, but may be centred beyond the clip's end.
        self.held: Tensor | None = None

    def add(self, frames: Tensor, n_samples: int) -> Iterator[Rows]:
        """Add the next frames.

        Args:
            frames: ``(n_frames, size)``.
            n_samples: samples of the clip that are known to exist; 0 is always safe.

        Yields:
            The rows that are complete.
        """
        if self.clip_pool is not None:
            self.clip_pool.add(frames)
        elif self.slider is not None:
            # The last of a clip's windows may be centred beyond its end, so one is held back.
            ready = self._with_held(self.slider.add(frames))
            self.held = ready[-1:]
            if len(ready) > 1:
                yield self._rows(self.given, ready[:-1], None)
        elif self.grid_pool is not None:
            for first, embeddings in self.grid_pool.add(frames, n_samples):
                yield self._rows(first, embeddings, None)

    def finish(self, n_samples: int) -> Iterator[Rows]:
        """End the clip.

        Args:
            n_samples: length of the clip, in samples.

        Yields:
            The remaining rows.

        Raises:
            ValueError: if there were no frames.
        """
        if self.clip_pool is not None:
            embedding = self.clip_pool.result()[None]
            end = np.array([self._end(n_samples)])
            yield Rows(self.clip, np.array([self.clip.start]), end, None, self._to_numpy(embedding))
        elif self.slider is not None:
            rest = self._with_held(self.slider.finish())[: timestamp_count(n_samples, *self.step) - self.given]
            if len(rest):
                yield self._rows(self.given, rest, n_samples)
        elif self.grid_pool is not None:
            for first, embeddings in self.grid_pool.finish(n_samples):
                yield self._rows(first, embeddings, n_samples)

    def _with_held(self, windows: Tensor) -> Tensor:
        return windows if self.held is None else torch.cat([self.held, windows])

    def _rows(self, first: int, embeddings: Tensor, n_samples: int | None) -> Rows:
        """Rows of windows from ``first`` on; ``n_samples`` is the clip's length if they may reach beyond it."""
        self.given = first + len(embeddings)
        places = np.arange(first, self.given, dtype=np.float64) * self.grid.hop
        starts = self.grid.origin + places
        return Rows(
            self.clip,
            self._seconds(np.maximum(starts, 0.0), n_samples),
            self._seconds(starts + self.grid.window, n_samples),
            self._seconds(self.centre + places, n_samples) if self.centred else None,
            self._to_numpy(embeddings),
        )

    def _to_numpy(self, pooled: Tensor) -> NDArray[np.float32]:
        return self.shortened(pooled.float()).cpu().numpy()

    def _seconds(self, samples: NDArray[np.float64], n_samples: int | None) -> NDArray[np.float64]:
        """Places in the clip as times in the file, s, none of them after the clip's end if its length is known."""
        seconds = self.clip.start + samples / self.rate
        if n_samples is not None:
            end = self._end(n_samples)
            seconds = np.where(samples < n_samples, np.minimum(seconds, end), end)
        return seconds

    def _end(self, n_samples: int) -> float:
        """Where the clip ends in the file, s: where it was asked to end, unless the file ends earlier.

        A time that was asked for comes back unchanged, so that a table can be joined to the segments by it.
        """
        last_sample = self.first_sample + n_samples
        if self.clip.end is not None and round(self.clip.end * self.rate) <= last_sample:
            return self.clip.end
        return last_sample / self.rate
