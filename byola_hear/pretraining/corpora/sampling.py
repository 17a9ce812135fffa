"""Long recordings in parts: pieces of equal length, and a sample of music that every track has a share in."""

from __future__ import annotations

import random
from collections.abc import Sequence

#: What is longer is cut into pieces of at most this length, seconds.
PIECE_S = 30.0


def pieces(duration_s: float) -> list[tuple[float, float]]:
    """Cut a recording into pieces of equal length, none longer than :data:`PIECE_S`.

    Args:
        duration_s: of the recording.

    Returns:
        Start and length of each, seconds.

    Example:
        >>> pieces(75.0)
        [(0.0, 25.0), (25.0, 25.0), (50.0, 25.0)]
    """
    count = max(1, -(-int(duration_s * 1000) // int(PIECE_S * 1000)))
    length = duration_s / count
    return [(index * length, length) for index in range(count)]


def share_per_track(durations_s: Sequence[float], wanted_s: float) -> float:
    """How much to take of each track, so that all together give what is wanted.

    A track shorter than its share gives all that it has, and the others give more.

    Args:
        durations_s: of the tracks, seconds.
        wanted_s: in all, seconds.

    Returns:
        Seconds of each track; infinity if all of everything is not more than wanted.

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
    """The pieces of a track in the order in which they are drawn, the same for the same name and seed.

    Args:
        duration_s: of the track.
        name: of the track; different tracks are shuffled differently.
        seed: of the whole sample.

    Returns:
        Start and length of each piece, seconds.
    """
    order = pieces(duration_s)
    random.Random(f"{seed}/{name}").shuffle(order)
    return order
