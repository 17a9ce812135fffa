"""What all of the benchmark's tests need."""

from __future__ import annotations

import os

import pytest

from benchmark.datasets.labelled_set import CACHE_VARIABLE


@pytest.fixture(autouse=True)
def cache_variable_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands set the variable for all that they start; here it is put back, so that no test sees another's cache."""
    monkeypatch.setenv(CACHE_VARIABLE, os.environ.get(CACHE_VARIABLE, ""))
