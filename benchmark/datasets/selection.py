"""Which clips of an original collection a labelled set takes, in order, and the split of each.

``selections/NAME.csv`` holds them by the clip's name without its ending, so that anyone who has the original gets the
set that the published results were measured on.
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
        From a clip's name without ending to its split, in the set's order.

    >>> selection("vocal_bursts")["000054-02-2"]
    'train'
    """
    with open(FOLDER / f"{name}.csv", newline="", encoding="utf-8") as file:
        return {row["file"]: row["split"] for row in csv.DictReader(file)}
