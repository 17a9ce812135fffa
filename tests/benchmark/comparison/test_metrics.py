"""heareval's scores."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.comparison.metrics import METRICS, metric


def test_an_error_rate_is_inverted_and_an_unknown_score_refused() -> None:
    rate = metric("segment_1s_er")
    assert rate.lower_is_better and rate.gain(1.25) == -0.25 and rate.ratio(np.array([5.0, 4.0, 0.0])) == 1.25
    assert not metric("d_prime").fraction and len(METRICS) == 10
    with pytest.raises(ValueError, match="expected one of heareval's scores"):
        metric("loss")
