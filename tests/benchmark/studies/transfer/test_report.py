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
