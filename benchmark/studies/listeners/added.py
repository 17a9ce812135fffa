"""Add models to results of the study with listeners that were measured before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

#: What has to be equal for rows to be comparable.
COMPARED = ("seed", "draws", "held", "audio")


def added(
    before: tuple[pd.DataFrame, Mapping[str, Any]], measured: tuple[pd.DataFrame, Mapping[str, Any]]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Add models to earlier results. Rows that are there stay as they are.

    Args:
        before: the earlier numbers, and how they were measured.
        measured: the numbers measured since, with provenance. Models that are in both are only references for
            differences.

    Returns:
        Numbers and provenance of both.

    Raises:
        ValueError: if the two were measured in different ways or on other sounds, a model has changed, or a reference
            of the earlier differences is missing.
    """
    (old, about), (new, since) = before, measured
    for name in COMPARED:
        if about[name] != since[name]:
            raise ValueError(f"expected results with the same {name}, got {about[name]} and {since[name]}")
    for name in about["extractors"].keys() & since["extractors"].keys():
        if about["extractors"][name] != since["extractors"][name]:
            raise ValueError(f"{name} has changed since the results were written: measure all models again")
    lacking = _references(old, about) - since["extractors"].keys()
    if lacking:
        raise ValueError(f"expected also the models that others are compared with, {', '.join(sorted(lacking))}")
    names = [name for name in since["extractors"] if name not in about["extractors"]]
    if not names:
        raise ValueError(f"expected a model that the results do not have, got {', '.join(since['extractors'])}")
    numbers = pd.concat([old, new[new["model"].isin(names)]], ignore_index=True)
    place = {name: number for number, name in enumerate(dict.fromkeys(old["set"]))}
    numbers = numbers.sort_values("set", key=lambda sets: sets.map(place), kind="stable", ignore_index=True)
    own = {key: since[key] for key in ("command", "commit", "time", "hardware")}
    return numbers, {
        **about,
        "extractors": {**about["extractors"], **{name: since["extractors"][name] for name in names}},
        "notes": {**about["notes"], **{name: since["notes"][name] for name in names}},
        "added": [*about.get("added", []), {**own, "models": names}],
    }


def _references(numbers: pd.DataFrame, about: Mapping[str, Any]) -> set[str]:
    """The models that other models' values are differences to."""
    apart = numbers.dropna(subset="reference")
    named = apart["reference"].str.rpartition(" ")[0]
    return set(named[named != apart["model"]]) & about["extractors"].keys()
