"""Onsets found against onsets that are there."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment


def count_pairs(reference: np.ndarray, found: np.ndarray, tolerance_ms: float) -> int:
    """How many onsets can be paired, each at most once.

    On a line, with one tolerance for all, taking the earliest that fit gives as many pairs as can be.

    Args:
        reference: ``(n_reference,)`` milliseconds, ascending.
        found: ``(n_found,)`` milliseconds, ascending.
        tolerance_ms: how far the two of a pair may be apart.

    Example:
        >>> count_pairs(np.array([100.0, 250.0, 900.0]), np.array([120.0, 200.0, 700.0]), 60.0)
        2
    """
    count = i = j = 0
    while i < len(reference) and j < len(found):
        delay = found[j] - reference[i]
        if abs(delay) <= tolerance_ms:
            count, i, j = count + 1, i + 1, j + 1
        elif delay < 0:
            j += 1
        else:
            i += 1
    return count


def delays(reference: np.ndarray, found: np.ndarray, tolerance_ms: float) -> np.ndarray:
    """How far onsets are off, paired so that there are as many pairs as can be and these are as near as can be.

    Args:
        reference: ``(n_reference,)`` milliseconds.
        found: ``(n_found,)`` milliseconds.
        tolerance_ms: how far the two of a pair may be apart.

    Returns:
        ``(n_pairs,)`` how much later than the reference each matched onset was found, milliseconds.

    Example:
        >>> delays(np.array([1000.0, 1150.0]), np.array([850.0, 1000.0, 1150.0]), 200.0)
        array([0., 0.])
    """
    late = found - reference[:, None]
    distance = np.abs(late)
    # A pair too far apart costs more than all that are near enough can, so the fewest of these are taken, and dropped.
    too_far = tolerance_ms * (1 + min(late.shape)) + 1
    pairs = linear_sum_assignment(np.where(distance <= tolerance_ms, distance, too_far))
    return late[pairs][distance[pairs] <= tolerance_ms]
