"""Findings."""

from __future__ import annotations

import pandas as pd

from benchmark.studies.regression.report import sentences


def test_only_differences_beyond_their_interval_are_reported() -> None:
    def found(model: str, measurement: str, score: str, value: float, half: float = 0.1) -> dict[str, object]:
        ends = {"low": value - half, "high": value + half}
        return {"model": model, "measurement": measurement, "score": score, "value": value, **ends}

    def text(level: float, age: float) -> str:
        lines = [found("nonspeech", "level", "r2", 0.5), found("nonspeech", "age", "r2", -0.3)]
        lines += [found("speech", "level", "r2", 0.5 + level), found("speech", "age", "r2", -0.3 + age)]
        lines += [found("speech", "level", "r2_ahead", level), found("speech", "age", "r2_ahead", age)]
        return " ".join(sentences(pd.DataFrame(lines)))

    assert "(R², mean over 2 networks): level 0.60; no better than guessing: age -0.30." in text(0.2, 0.0)
    one, other = "`speech` is ahead of `nonspeech`", "`nonspeech` is ahead of `speech`"
    assert f"{one} for level (0.70 and 0.50); the 95 % intervals of the other differences include 0." in text(0.2, 0.0)
    assert f"{one} for level (0.70 and 0.50), and {other} for age (-0.30 and -0.50)." in text(0.2, -0.2)
    assert "do not differ by more than" in text(0.05, -0.05)


def test_what_the_untrained_network_reaches_is_said() -> None:
    def text(trained: float) -> str:
        lines = [
            {
                "model": model,
                "measurement": name,
                "score": "r2",
                "value": value,
                "low": value - 0.1,
                "high": value + 0.1,
            }
            for name, values in (("level", (0.6, 0.5)), ("age", (trained, 0.4)))
            for model, value in zip(("both", "untrained"), values)
        ]
        return sentences(pd.DataFrame(lines))[-1]

    assert text(0.7).startswith(
        "Without training, `untrained` reaches age 0.40, level 0.50; for age alone, the interval"
    )
    assert text(0.5).endswith("the interval of no trained network is above that of `untrained`.")
