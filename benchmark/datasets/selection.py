"""The clips that a labelled set takes from its original collection, and their splits.

``selections/NAME.csv`` lists them by name, so that the original always gives the set that the published results were
measured on.
"""

from __future__ import annotations

import csv
from pathlib import Path

FOLDER = Path(__file__).with_name("selections")


def selection(name: str) -> dict[str, str]:
    """The clips of a set.

    Args:
        name: the set's name.

    Returns:
        The split of each clip by the clip's name without suffix, in the set's order.

    >>> selection("vocal_bursts")["000054-02-2"]
    'train'
    """
    with open(FOLDER / f"{name}.csv", newline="", encoding="utf-8") as file:
        return {row["file"]: row["split"] for row in csv.DictReader(file)}
