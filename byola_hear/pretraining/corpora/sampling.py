"""Cut long recordings into pieces, and sample tracks of music so that each contributes."""

from __future__ import annotations

import random
from collections.abc import Sequence

#: Longest piece, in seconds. Longer recordings are cut.
PIECE_S = 30.0


def pieces(duration_s: float) -> list[tuple[float, float]]:
    """Cut a recording into pieces of equal length, none longer than :data:`PIECE_S`.

    Args:
        duration_s: length of the recording, in seconds.

    Returns:
        Start and length of each piece, in seconds.

    Example:
        >>> pieces(75.0)
        [(0.0, 25.0), (25.0, 25.0), (50.0, 25.0)]
    """
    count = max(1, -(-int(duration_s * 1000) // int(PIECE_S * 1000)))
    length = duration_s / count
    return [(index * length, length) for index in range(count)]


def share_per_track(durations_s: Sequence[float], wanted_s: float) -> float:
    """Compute how much to take of each track to reach a total.

    A track shorter than this share is taken as a whole, and the others contribute more.

    Args:
        durations_s: length of each track, in seconds.
        wanted_s: the total, in seconds.

    Returns:
        Seconds to take of each track; infinity if all tracks together are not longer than the total.

    Example:
        >>> share_per_track([10.0, 100.0, 200.0], 90.0)
        40.0
    """
    if wanted_s >= sum(durations_s):
        return float("inf")
    left = max(wanted_s, 0.0)
    ordered = sorted(durations_s)
    for index, duration in enumerate(ordered):
        share = left / (len(ordered) - index)
        if duration >= share:
            return share
        left -= duration
    return float("inf")


def draw_order(duration_s: float, name: str, seed: int) -> list[tuple[float, float]]:
    """Shuffle the pieces of a track. The order depends on the name and the seed.

    Args:
        duration_s: length of the track, in seconds.
        name: name of the track.
        seed: seed of the whole sample.

    Returns:
        Start and length of each piece, in seconds.
    """
    order = pieces(duration_s)
    random.Random(f"{seed}/{name}").shuffle(order)
    return order
