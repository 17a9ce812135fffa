"""Add models to results of the study with listeners that were measured before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

#: What has to be equal for rows to be comparable.
COMPARED = ("seed", "draws", "held", "audio")


def check_models(numbers: pd.DataFrame, about: Mapping[str, Any], since: Mapping[str, Any]) -> None:
    """Check before models are measured that they can be added.

    Args:
        numbers: the earlier numbers.
        about: how they were measured.
        since: how the models are going to be measured.

    Raises:
        ValueError: if it is in another way or on other sounds, there is no model to add, or one that others are
            compared with has changed or is missing.
    """
    for name in COMPARED:
        if about[name] != since[name]:
            raise ValueError(f"expected results with the same {name}, got {about[name]} and {since[name]}")
    apart = numbers.dropna(subset="reference")
    references = apart["reference"].str.rpartition(" ")[0]
    compared_with = set(references[references != apart["model"]])
    for name in sorted(compared_with & about["extractors"].keys() & since["extractors"].keys()):
        if about["extractors"][name] != since["extractors"][name]:
            raise ValueError(
                f"{name}, which others are compared with, has changed since the results were written: measure all "
                "models again"
            )
    if lacking := compared_with - since["extractors"].keys():
        raise ValueError(f"expected also the models that others are compared with, {', '.join(sorted(lacking))}")
    if not new_models(about, since):
        raise ValueError(
            f"expected a model that the results do not have, or another version of one, got "
            f"{', '.join(since['extractors'])}"
        )


def added(
    before: tuple[pd.DataFrame, Mapping[str, Any]], measured: tuple[pd.DataFrame, Mapping[str, Any]]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Add models to earlier results. Rows that are there stay as they are, unless their model has changed since.

    Args:
        before: the earlier numbers, and how they were measured.
        measured: the numbers measured since, with provenance. Of models that are in both and have not changed, the
            earlier ones stay.

    Returns:
        Numbers and provenance of both.
    """
    (old, about), (new, since) = before, measured
    names = new_models(about, since)
    kept = old[~old["model"].isin(names)]
    numbers = pd.concat([kept, new[new["model"].isin(names)]], ignore_index=True)
    place = {name: number for number, name in enumerate(dict.fromkeys(old["set"]))}
    numbers = numbers.sort_values("set", key=lambda sets: sets.map(place), kind="stable", ignore_index=True)
    own = {key: since[key] for key in ("command", "commit", "time", "hardware")}
    return numbers, {
        **about,
        "extractors": {**about["extractors"], **{name: since["extractors"][name] for name in names}},
        "notes": {**about["notes"], **{name: since["notes"][name] for name in names}},
        "added": [*about.get("added", []), {**own, "models": names}],
    }


def new_models(about: Mapping[str, Any], since: Mapping[str, Any]) -> list[str]:
    """Names of the models that the earlier results lack, or have in another version."""
    return [name for name, extractor in since["extractors"].items() if about["extractors"].get(name) != extractor]
