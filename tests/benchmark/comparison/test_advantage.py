"""The domain advantage."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmark.comparison.advantage import advantage
from benchmark.comparison.comparison import compare
from benchmark.comparison.folder import load_run


def test_a_planted_advantage_is_found(planted_run: Callable[..., Path]) -> None:
    comparison = compare(load_run(planted_run(0.08)))
    found = advantage(comparison, "speech", "nonspeech", "speech")
    assert found is not None and found.low is not None and found.high is not None
    assert found.low < 0.16 < found.high and found.value == pytest.approx(0.16, abs=0.04)
    assert found.inside == pytest.approx(0.08, abs=0.03) and found.outside == pytest.approx(-0.08, abs=0.03)
    assert found.p == found.least_p == pytest.approx(2 / math.comb(10, 5))
    assert sum(each.p_holm is not None and each.p_holm < 0.05 for each in found.differences) >= 5
    assert {each.test for each in found.differences} == {"McNemar"}
    against = advantage(comparison, "nonspeech", "untrained", "nonspeech")
    assert against is not None and against.value == pytest.approx(0.08, abs=0.03) and against.p < 0.05
    mirrored = advantage(comparison, "nonspeech", "speech", "nonspeech")
    assert mirrored is not None and mirrored.value == pytest.approx(found.value)


def test_no_advantage_is_found_without_one(planted_run: Callable[..., Path]) -> None:
    p_values, covered, holm = [], 0, []
    for seed in range(12):
        comparison = compare(load_run(planted_run(0.0, files=120, tasks=3, seed=seed)), resamples=200)
        found = advantage(comparison, "speech", "nonspeech", "speech")
        assert found is not None and found.low is not None and found.high is not None
        p_values.append(found.p)
        covered += found.low <= 0 <= found.high
        holm += [min(each.p_holm for each in found.differences if each.p_holm is not None)]
    assert covered >= 9 and np.mean(np.array(p_values) <= 0.05) <= 0.25 and 0.2 < np.mean(p_values) < 0.85
    assert np.mean(np.array(holm) < 0.05) <= 0.25
