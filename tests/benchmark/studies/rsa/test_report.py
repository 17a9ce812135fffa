"""Findings."""

from __future__ import annotations

import pandas as pd
import pytest

from benchmark.studies.rsa.report import sentences

pytest.importorskip("rsatoolbox")


pytest.importorskip("parselmouth")


def test_sentences_name_the_held_descriptors_and_the_number_of_sounds() -> None:
    def row(reference: str, measure: str, value: float, low: float, count: int) -> dict[str, object]:
        about = {"stimuli": "together", "model": "both", "distance": "correlation", "reference": reference}
        return {**about, "measure": measure, "value": value, "low": low, "high": 1.0, "count": count}

    def written(*rows: dict[str, object]) -> list[str]:
        return sentences(pd.DataFrame(rows), 200)

    plain = [row("level", "spearman", 0.5, 0.4, 200), row("pitch", "spearman", 0.3, 0.1, 64)]
    assert "level (0.50) and pitch (0.30, over 64) over all sounds" in written(*plain)[0]
    partial = row("level", "partial", -0.1, -0.2, 60)
    assert written(*plain, partial)[1] == (
        "Given the other descriptors, the largest partial correlations are with nothing whose interval is above 0, "
        "over the 60 of 200 sounds for which all are defined."
    )
    assert (
        "descriptors and the set that a sound is from"
        in written(*plain, partial, row("same set", "partial", 1, 1, 60))[1]
    )
