"""Matching of detected and true onsets."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment


def count_pairs(reference: np.ndarray, found: np.ndarray, tolerance_ms: float) -> int:
    """Count the largest number of pairs of onsets, each used at most once.

    With one tolerance for all, pairing the earliest that fit gives the largest number.

    Args:
        reference: ``(n_reference,)`` milliseconds, ascending.
        found: ``(n_found,)`` milliseconds, ascending.
        tolerance_ms: largest distance within a pair, ms.

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
    """Compute the delays of detected onsets, with as many and then as close pairs as possible.

    Args:
        reference: ``(n_reference,)`` milliseconds.
        found: ``(n_found,)`` milliseconds.
        tolerance_ms: largest distance within a pair, ms.

    Returns:
        ``(n_pairs,)`` delay of each matched onset, ms; negative if it was detected too early.

    Example:
        >>> delays(np.array([1000.0, 1150.0]), np.array([850.0, 1000.0, 1150.0]), 200.0)
        array([0., 0.])
    """
    late = found - reference[:, None]
    distance = np.abs(late)
    # A pair too far apart costs more than all valid pairs together, so as few as possible are made; they are dropped.
    too_far = tolerance_ms * (1 + min(late.shape)) + 1
    pairs = linear_sum_assignment(np.where(distance <= tolerance_ms, distance, too_far))
    return late[pairs][distance[pairs] <= tolerance_ms]
