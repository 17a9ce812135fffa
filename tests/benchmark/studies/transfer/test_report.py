"""Findings."""

from __future__ import annotations

import pandas as pd

from benchmark.studies.transfer.report import sentences


def test_the_kept_share_is_reported_for_transfers_above_chance() -> None:
    def written(**own: tuple[float, float]) -> str:
        rows = [
            {"model": "both", "transfer": name, "trained": "a", "tested": tested, "value": value, "low": value - margin}
            for name, (margin, another) in own.items()
            for tested, value in (("a", 70.0), ("b", another))
        ]
        return " ".join(sentences(pd.DataFrame(rows).assign(high=100, chance=50)))

    assert "kept" not in written(near=(5, 65))
    assert "kept" not in written(near=(5, 65), none=(25, 69))
    found = written(near=(5, 65), none=(25, 69), far=(5, 60))
    assert "the largest share is kept for near (75 %), the smallest for far (50 %), among the 2 whose" in found


def test_the_best_model_of_each_transfer_is_named() -> None:
    rows = [
        {"model": model, "transfer": name, "trained": "a", "tested": tested, "value": value}
        for name, values in (("near", (60.0, 65.0)), ("far", (55.0, 52.0)))
        for model, another in zip(("both", "mfcc"), values)
        for tested, value in (("a", 70.0), ("b", another))
    ]
    found = sentences(pd.DataFrame(rows).assign(low=60, high=100, chance=50))
    assert found[-1] == "The highest accuracy under other conditions is that of `both` for far; `mfcc` for near."
