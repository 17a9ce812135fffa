"""Findings."""

from __future__ import annotations

import pandas as pd

from benchmark.studies.few_shot.report import sentences, table


def test_the_same_probe_is_reported_whichever_was_better() -> None:
    rows = [
        {"model": "both", "seed": 0, "task": "made", "probe": probe, "count": 1, "draw": draw, "accuracy": accuracy}
        for probe, accuracy in (("centroid", 90.0), ("ridge", 50.0))
        for draw in range(3)
    ]
    assert "a ridge probe on `both` classifies 50.0 % of the clips correctly" in sentences(pd.DataFrame(rows), 3)[0]


def made(accuracies: dict[str, float], counts: tuple[int, ...] = (1, 8)) -> pd.DataFrame:
    """Draws that vary a little, the same for all probes."""
    return pd.DataFrame(
        {
            "model": "both",
            "seed": 0,
            "task": "made",
            "probe": probe,
            "count": count,
            "draw": draw,
            "accuracy": at + draw,
        }
        for probe, at in accuracies.items()
        for count in counts
        for draw in range(5)
    )


def test_eight_labels_are_compared_draw_by_draw() -> None:
    text = " ".join(sentences(made({"ridge": 60.0, "ridge, raw": 50.0}), 5))
    assert "With 8 labels a class, as MAEB has" in text and "`both` 52.0 → 62.0 % (+10.0 ± 0.0)" in text
    same = " ".join(sentences(made({"ridge": 60.0, "ridge, raw": 60.0}), 5))
    assert "(+0.0 ± 0.0, an interval that includes 0)" in same
    # Results of a time without raw probes have no such sentence.
    assert "MAEB" not in " ".join(sentences(made({"ridge": 60.0}, (1, 5)), 5))


def test_the_table_has_intervals_over_the_draws() -> None:
    line = next(line for line in table(made({"ridge": 60.0})).splitlines() if line.startswith("| both, ridge"))
    assert "62.0 ± 1." in line
