"""What both estimators do: load a model, check inputs, embed them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import validate_data
from torch import Tensor

from byola_hear.audio.waveforms import check_orientation
from byola_hear.dataframe import embed
from byola_hear.extraction.clips import Clip
from byola_hear.extraction.inputs import not_audio
from byola_hear.models.loading import loaded, resolve
from byola_hear.models.model import ByolaModel
from byola_hear.sklearn.columns import PATHS, column, in_range, is_waveform
from byola_hear.utils.device import usable_device

#: Number of loaded models that are kept. The clones of a cross-validation share one.
_MODELS_KEPT = 4


class Embeds:
    """What the estimators share: a model, and inputs that are paths or waveforms."""

    model: str | os.PathLike[str] | ByolaModel
    sample_rate: int
    device: str | torch.device | None
    precision: str | None = None
    workers: int
    dimensions: int | None

    def _loaded(self) -> ByolaModel:
        """The model on its device, after checking the parameters."""
        for name in ("sample_rate", "workers"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
                raise ValueError(f"{name} must be a positive integer, got {value!r}")
        if isinstance(self.model, ByolaModel):
            given = loaded(self.model, self.dimensions)
            model = given if self.device is None else given.to(usable_device(self.device))
            return model if self.precision is None else model.in_precision(self.precision)
        if not isinstance(self.model, (str, os.PathLike)):
            received = type(self.model).__name__
            raise TypeError(f"model must be a name, a checkpoint's path or a model, got {received}")
        name, device = os.fspath(self.model), "cpu" if self.device is None else str(self.device)
        # A checkpoint that was written again is loaded again.
        written = Path(name).stat().st_mtime_ns if os.path.isfile(name) else None
        return _load(name, device, written, self.precision, self.dimensions)

    def _checked(self, X: Any, reset: bool) -> list[str] | list[NDArray[Any] | Tensor]:
        """``X`` as a list of paths or of 1-D waveforms, at least one. ``reset``: keep its width, else compare it."""
        cells, is_table = column(X)
        if cells is not None and all(isinstance(cell, PATHS) for cell in cells):
            if is_table:
                validate_data(self, X, reset=reset, skip_check_array=True)
            return [os.fsdecode(cell) for cell in cells]
        if cells is not None and all(is_waveform(cell) for cell in cells):
            return cells
        if cells is not None and any(isinstance(cell, PATHS) or is_waveform(cell) for cell in cells):
            missing = [row for row, cell in enumerate(cells) if pd.isna(cell) is True]
            if missing:
                where = f"{len(missing)} of {len(cells)}, the first in row {missing[0]}"
                raise ValueError(f"expected a path or a waveform in each row, got none in {where}")
            kinds = ", ".join(sorted({type(cell).__name__ for cell in cells}))
            raise TypeError(f"expected paths only or 1-D waveforms only, got {kinds}")
        for given in [X, *(cells or [])]:
            if isinstance(given, Mapping) and not hasattr(given, "shape"):  # unlike some sparse matrices
                raise TypeError(not_audio(given))
        batch = validate_data(self, X, reset=reset, dtype="numeric")
        try:
            check_orientation(batch.shape)
        except ValueError as error:  # scikit-learn's contract has such arrays, so they can't be refused
            warnings.warn(str(error), stacklevel=3)
        return list(batch)

    def _embedded(self, clips: list[str] | list[NDArray[Any] | Tensor]) -> NDArray[np.float32]:
        """Embed paths or waveforms, see :meth:`_checked`."""
        network = self._loaded()
        if isinstance(clips[0], str):
            # A file in several rows is embedded once.
            files = {file: index for index, file in enumerate(dict.fromkeys(clips))}
            missing = [file for file in files if not os.path.exists(file)]
            if missing:
                others = f" (and {len(missing) - 1} others)" if len(missing) > 1 else ""
                raise FileNotFoundError(f"no such audio file: {missing[0]}{others}")
            embeddings = embed([Clip(file) for file in files], network, output="numpy", workers=self.workers)
            return embeddings[[files[file] for file in clips]]
        waveforms = [in_range(clip, index) for index, clip in enumerate(clips)]
        return embed(waveforms, network, sample_rate=self.sample_rate, output="numpy")


@lru_cache(maxsize=_MODELS_KEPT)
def _load(name: str, device: str, written: int | None, precision: str | None, dimensions: int | None) -> ByolaModel:
    target = usable_device(device)
    model = resolve(name, dimensions=dimensions).to(target)
    return model if precision is None else model.in_precision(precision)
