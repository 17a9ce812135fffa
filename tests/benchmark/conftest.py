"""What all of the benchmark's tests need."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmark.baselines.weights import MODELS_VARIABLE
from benchmark.datasets.labelled_set import AUDIO_VARIABLE, CACHE_VARIABLE, audio_folder

# Real sets and weights, where a folder of them lies next to the checkout.
for variable, folder in ((AUDIO_VARIABLE, "audio/tasks"), (MODELS_VARIABLE, "models")):
    path = Path(__file__).resolve().parents[3] / "shared" / folder
    if path.is_dir():
        os.environ.setdefault(variable, str(path))


@pytest.fixture(autouse=True)
def cache_variable_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands set the variable for all that they start; here it is put back, so that no test sees another's cache."""
    monkeypatch.setenv(CACHE_VARIABLE, os.environ.get(CACHE_VARIABLE, ""))


@pytest.fixture(scope="session")
def labelled_sets() -> Path:
    """The folder of the real labelled sets."""
    try:
        return audio_folder()
    except FileNotFoundError as error:
        pytest.skip(str(error))
