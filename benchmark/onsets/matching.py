"""Onsets found against onsets that are there."""

from __future__ import annotations

import numpy as np


def match_onsets(reference: np.ndarray, found: np.ndarray, tolerance_ms: float) -> np.ndarray:
    """Pair onsets, each at most once, so that there are as many pairs as can be.

    On a line, with one tolerance for all, taking the earliest that fit is best.

    Args:
        reference: ``(n_reference,)`` milliseconds, ascending.
        found: ``(n_found,)`` milliseconds, ascending.
        tolerance_ms: how far the two of a pair may be apart.

    Returns:
        ``(n_pairs,)`` how much later than the reference each matched onset was found, milliseconds.

    Example:
        >>> match_onsets(np.array([100.0, 250.0, 900.0]), np.array([120.0, 200.0, 700.0]), 60.0)
        array([ 20., -50.])
    """
    delays = []
    i = j = 0
    while i < len(reference) and j < len(found):
        delay = found[j] - reference[i]
        if abs(delay) <= tolerance_ms:
            delays.append(delay)
            i, j = i + 1, j + 1
        elif delay < 0:
            j += 1
        else:
            i += 1
    return np.array(delays, dtype=float)
