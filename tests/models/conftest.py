"""A zoo of small models."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from byola_hear.models.zoo import add_to_zoo
from tests.models.small import small_model


@pytest.fixture(scope="module")
def built_zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("zoo")
    for name in ("speech", "both", "nonspeech"):
        add_to_zoo(small_model(name), folder)
    return folder


@pytest.fixture
def folder(built_zoo: Path, tmp_path: Path) -> Path:
    """A zoo of three models that a test may damage."""
    return Path(shutil.copytree(built_zoo, tmp_path / "zoo"))
