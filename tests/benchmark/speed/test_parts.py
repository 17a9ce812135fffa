"""The parts: each is measured, and the table says what a cheaper resampler would cost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmark.reporting.markdown import markdown
from benchmark.speed import parts


def test_every_part_is_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(parts, "SECONDS", 0.5)
    result = json.loads(json.dumps(parts.measure("both", 1, progress=False, others=["distilled-small", "both"])))
    assert len(result["parts"]) == 2 * len(parts.FORMATS) + len(parts.QUALITIES) + 4
    assert all(value > 0 for value in result["parts"].values())
    moved = result["moved"]
    assert 0 == moved["resampling, HQ"] < moved["resampling, VHQ"] < 0.05 < moved["resampling, LQ"]
    text = parts.report(result, markdown)
    assert "| reading flac, at 16000 Hz | " in text and "| log-mel | " in text
    assert text.count(" % |") == 3
