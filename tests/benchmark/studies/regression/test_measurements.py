"""Quantities by name."""

from __future__ import annotations

import pytest

from benchmark.studies.regression.measurements import MEASUREMENTS, find_measurements


def test_measurements_are_named() -> None:
    assert find_measurements("all") == list(MEASUREMENTS.values())
    with pytest.raises(ValueError, match="out of all, pitch.*got 'weight'"):
        find_measurements("pitch,weight")
