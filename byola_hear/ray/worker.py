"""What a worker of a cluster does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch

from byola_hear.extraction.clips import Clip
from byola_hear.extraction.extract import extract
from byola_hear.extraction.request import Request
from byola_hear.extraction.rows import Rows
from byola_hear.models.model import ByolaModel
from byola_hear.ray.events import packed

if TYPE_CHECKING:
    import pyarrow


class Worker:
    """Embeds clips in a process of the cluster, and returns their events as tables."""

    def __init__(self, model: ByolaModel, request: Request, threads: int) -> None:
        import ray

        torch.set_num_threads(threads)
        self.threads = threads
        device = "cuda" if ray.get_gpu_ids() and torch.cuda.is_available() else "cpu"
        self.model = model.to(device)
        self.request = request

    def __call__(self, batch: pyarrow.Table) -> Iterator[pyarrow.Table]:
        columns = batch.to_pydict()
        clips = [
            Clip(os.fsdecode(file), start, None if np.isnan(end) else end)
            for file, start, end in zip(columns["file"], columns["start"], columns["end"], strict=True)
        ]
        numbered = iter(columns["index"])
        index, position = next(numbered), 0
        for event in extract(clips, self.model, self.request, self.threads):
            yield packed(event, index, position)
            position += 1
            if not isinstance(event, Rows):
                index, position = next(numbered, -1), 0
