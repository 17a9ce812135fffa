"""The engines: the same network whoever computes it, and a table that says which is fast enough."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import byola_hear
from benchmark.reporting.markdown import markdown
from benchmark.speed import engines, race
from benchmark.speed.engine_methods import ENGINES, form
from benchmark.speed.results import HELD, machine_state, state_text


def test_onnx_runtime_computes_the_same(clips_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    for name in HELD:
        monkeypatch.delenv(name, raising=False)
    model = byola_hear.load_model("both")
    clips = [torch.randn(n_samples).clamp(-1, 1) / 4 for n_samples in (1600, 8000)]
    ours, theirs = (engines.embeddings(form(model, name), clips, model.config.pooling) for name in ("float32", "onnx"))
    torch.testing.assert_close(theirs, ours, rtol=0, atol=2e-5 * float(ours.abs().max()))
    torch.testing.assert_close(ours, model.scene_embeddings(clips))
    assert engines.difference(theirs, ours) < 1e-5
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx2")
    with pytest.raises(race.NotAvailable, match="held"):
        form(model, "onnx")


def test_the_table_says_what_is_fast_enough() -> None:
    def row(times_as_fast: float, difference: float | None, own: float = 1.0) -> dict[str, object]:
        speeds = dict.fromkeys(("network_per_cpu_second", "per_cpu_second", "per_second"), 100.0)
        return {
            "missing": "",
            **speeds,
            "times_as_fast": times_as_fast,
            "difference": difference,
            "times_as_fast_in_precision": own,
        }

    rows = {
        "float32": row(1.0, 0.0),
        "bfloat16": row(2.4, 0.015),
        "int8": row(1.8, 0.002),
        "compiled": row(1.1, 1e-7, 1.1),
    }
    about: dict[str, Any] = {
        "commit": "0123456789abc",
        "time": "2026-01-02T03:04",
        "hardware": "a machine",
        "model": "both 0.2.0",
    }
    about |= {"threads": 1, "turns": 3, "capability": "AVX2", "load_before": 0.25, "held": "ATEN_CPU_CAPABILITY=avx2"}
    result: dict[str, Any] = {
        "about": about,
        "engines": {**rows, "compiled_bfloat16": {"missing": "no compiler"}, "onnx": row(1.4, 1e-6, 1.4)},
        "auto": {"takes": "bfloat16", "trial": {"float32": 200.0, "bfloat16": 480.0}},
    }
    text = engines.report(result, markdown)
    assert list(result["engines"]) == list(ENGINES)
    assert "| PyTorch, `--precision bfloat16` | 100 | 100 | 100 | 2.40 | 1.5 % | – | – |" in text
    assert "| torch.compile, float32 | 100 | 100 | 100 | 1.10 | 1e-05 % | 1.10 | no: below 1.3 |" in text
    assert "| – | no compiler |" in text and "| 1.40 | 0.0001 % | 1.40 | yes |" in text
    for wrong in (3.8e14, None):
        broken = {**result, "engines": {**result["engines"], "onnx": row(1.4, wrong, 1.4)}}
        assert "| ONNX Runtime, float32 | – | – | – | – | – | – | no: computes wrong numbers here |" in engines.report(
            broken, markdown
        )
    assert "The load of the machine was 0.2 before. PyTorch was held to older instructions by `ATEN_CPU" in text
    assert "`--precision auto` takes bfloat16 here: in its trial, float32 200, bfloat16 480 × real time." in text


def test_the_state_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in HELD:
        monkeypatch.delenv(name, raising=False)
    assert machine_state()["held"] == ""
    assert state_text({}) == ""
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert "held to older instructions by `ONEDNN_MAX_CPU_ISA=AVX2`" in state_text(machine_state())
