"""Findings."""

from __future__ import annotations

import pandas as pd

from benchmark.studies.few_shot.report import sentences


def test_the_same_probe_is_reported_whichever_was_better() -> None:
    rows = [
        {"model": "both", "seed": 0, "task": "made", "probe": probe, "count": 1, "draw": draw, "accuracy": accuracy}
        for probe, accuracy in (("centroid", 90.0), ("ridge", 50.0))
        for draw in range(3)
    ]
    assert "a ridge probe on `both` classifies 50.0 % of the clips correctly" in sentences(pd.DataFrame(rows), 3)[0]
