"""The inputs of scikit-learn's estimators: lists, arrays and tables of paths, or waveforms."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from byola_hear.audio.waveforms import MAX_SAMPLE

#: Types of a path.
PATHS = (str, bytes, os.PathLike)


def column(X: Any) -> tuple[list[Any] | None, bool]:
    """Take out the cells of a list, a 1-D array or a table's only column.

    Args:
        X: what an estimator got.

    Returns:
        The cells, or None if ``X`` contains numbers or is something else, and whether it was a table.

    Raises:
        TypeError: if it is a single path, or a table with text in several columns.
        ValueError: if it is an empty list.
    """
    if isinstance(X, (str, bytes, os.PathLike)):
        raise TypeError(f"expected a list of paths, got one {type(X).__name__}: put it into a list")
    if isinstance(X, (list, tuple)):
        cells = list(X)
        if not cells:
            raise ValueError("expected at least one path or waveform, got 0 samples in an empty list")
        single = all(isinstance(cell, (list, tuple)) and len(cell) == 1 for cell in cells)
        if single and all(isinstance(cell[0], PATHS) for cell in cells):
            return [cell[0] for cell in cells], True
        return cells, False
    if isinstance(X, Tensor) or not hasattr(X, "__array__"):  # for example, a sparse matrix
        return None, False
    array = np.asarray(X)
    if array.dtype.kind not in "OUST" or array.size == 0 or array.ndim > 2:
        return None, False
    if array.shape[1:] not in ((), (1,)):
        if any(isinstance(cell, PATHS) for cell in array[0]):
            raise TypeError(f"expected a table of one column with paths, got {array.shape[1]} columns")
        return None, False
    return array.ravel().tolist(), array.ndim == 2


def is_waveform(cell: Any) -> bool:
    """Whether a cell is a 1-D array or tensor of real numbers."""
    return isinstance(cell, (np.ndarray, Tensor)) and cell.ndim == 1 and _kind(cell) in "fiub"


def _kind(array: NDArray[Any] | Tensor) -> str:
    if isinstance(array, np.ndarray):
        return array.dtype.kind
    return "c" if array.is_complex() else "f"


def in_range(waveform: NDArray[Any] | Tensor, index: int) -> NDArray[np.float32]:
    """Convert a waveform of any real type.

    Args:
        waveform: ``(n_samples,)``.
        index: its position, for the message.

    Returns:
        ``(n_samples,)`` float32.

    Raises:
        ValueError: if it is empty or can't be audio in [-1, 1].
    """
    if isinstance(waveform, Tensor):
        # NumPy has no bfloat16.
        waveform = waveform.detach().cpu()
        values = (waveform.float() if waveform.is_floating_point() else waveform).numpy()
    else:
        values = waveform
    if len(values) == 0:
        raise ValueError(f"expected waveform {index} of at least one sample, got none")
    low, high = float(values.min()), float(values.max())
    if max(-low, high) > MAX_SAMPLE:
        hint = "; divide integers by their range first" if values.dtype.kind in "iu" else ""
        raise ValueError(f"expected waveform {index} in [-1, 1], got values from {low:g} to {high:g}{hint}")
    return values.astype(np.float32, copy=False)
