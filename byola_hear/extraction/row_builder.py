"""A clip's frame features to the rows that were asked for."""

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
    """Turns one clip's frame features, which come in blocks, into rows.

    Args:
        clip: which.
        model: the network.
        request: what is asked of it.
    """

    def __init__(self, clip: Clip, model: ByolaModel, request: Request) -> None:
        self.clip, self.rate = clip, model.sample_rate
        frontend, stride = model.config.frontend, model.config.encoder.stride
        self.step = (stride, frontend.hop_length)
        self.centre, frame = timestamp_centre(0, *self.step), float(stride * frontend.hop_length)
        own_window = model.config.window_frames * frame
        window = own_window if request.window is None else request.window * self.rate
        hop = frame if request.hop is None else request.hop * self.rate
        self.centred = request.kind == "timestamp"
        origin = self.centre - window / 2 if self.centred else 0.0
        self.grid = Grid(window, hop, origin, self.centre, frame, self.centred)
        #: Windows laid anyhow, the model's own along the frames, or none.
        self.grid_pool: GridPool | None = None
        self.slider: WindowPool | None = None
        self.clip_pool: ClipPool | None = None
        if request.window is not None or request.hop is not None:
            self.grid_pool = GridPool(self.grid)
        elif self.centred:
            self.slider = WindowPool(model.config.window_frames)
        else:
            self.clip_pool = ClipPool()
        self.given = 0
        #: The model's own windows that are pooled, but may be centred beyond the clip's end.
        self.held: Tensor | None = None

    def add(self, frames: Tensor, n_samples: int) -> Iterator[Rows]:
        """Take the next frames, give the rows that they complete.

        Args:
            frames: ``(n_frames, size)``.
            n_samples: samples of the clip that are known to exist; 0 is always true.
        """
        if self.clip_pool is not None:
            self.clip_pool.add(frames)
        elif self.slider is not None:
            # All but the last of a clip's windows are centred within it, so one is held back.
            ready = self._with_held(self.slider.add(frames))
            self.held = ready[-1:]
            if len(ready) > 1:
                yield self._rows(self.given, ready[:-1], None)
        elif self.grid_pool is not None:
            for first, embeddings in self.grid_pool.add(frames, n_samples):
                yield self._rows(first, embeddings, None)

    def finish(self, n_samples: int) -> Iterator[Rows]:
        """The remaining rows.

        Args:
            n_samples: length of the clip.

        Raises:
            ValueError: if no frame came.
        """
        if self.clip_pool is not None:
            end = self.clip.start + n_samples / self.rate
            embedding = self.clip_pool.result()[None]
            yield Rows(self.clip, np.array([self.clip.start]), np.array([end]), None, _to_numpy(embedding))
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
        """Rows of windows from ``first`` on; ``n_samples`` is the clip's length where they may reach beyond it."""
        last = first + len(embeddings)
        end = float("inf") if n_samples is None else float(n_samples)
        index = np.arange(first, last, dtype=np.float64)
        starts = self.grid.origin + index * self.grid.hop
        times = np.minimum(self.centre + index * self.grid.hop, end) if self.centred else None
        self.given = last
        return Rows(
            self.clip,
            self._seconds(np.maximum(starts, 0.0)),
            self._seconds(np.minimum(starts + self.grid.window, end)),
            None if times is None else self._seconds(times),
            _to_numpy(embeddings),
        )

    def _seconds(self, samples: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.clip.start + samples / self.rate


def _to_numpy(embeddings: Tensor) -> NDArray[np.float32]:
    return embeddings.float().cpu().numpy()
