"""What the tests of tables share."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def no_wait_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes are killed in these tests, but the machine keeps running."""
    for name in ("fsync", "sync"):
        monkeypatch.setattr(os, name, lambda *_: None)
