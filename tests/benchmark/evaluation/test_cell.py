"""One model on one task: embedded, probed and read once, taken from the cache after that, whatever happened before."""

from __future__ import annotations

import dataclasses
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmark.evaluation.cell import Cache, RunCell, cached, embed, find_embeddings, measure
from benchmark.evaluation.processes import Failed, Processes
from benchmark.evaluation.settings import ProbeSettings, outcome_key
from tests import forked
from tests.processes import working_in

Calls = Callable[[], list[str]]
MakeCell = Callable[..., RunCell]


def test_measured_once_and_then_cached(heareval: Calls, make_cell: MakeCell, cache: Cache) -> None:
    outcome = measure(make_cell(), cache, Processes(), keep_embeddings=True)
    assert heareval() == ["embed small_module digits", "predict digits --grid default --grid-points 8"]
    assert (outcome.score, outcome.model, outcome.labels) == (0.875, "small", ("NA", "01"))
    assert outcome.counts.sum(0).tolist() == [7, 8, 8]
    assert sorted(outcome.files) == [f"test{number}.wav" for number in range(8)]
    assert outcome.settings["hyperparameters"] == {"lr": 0.001, "initialization": "xavier_uniform_"}
    assert outcome.settings["validation_scores"] == [None]
    assert (outcome.settings["embedding_seconds"], outcome.settings["prediction_seconds"]) == (0.5, 2.5)
    again = measure(make_cell(model="same_weights"), cache, Processes())
    assert len(heareval()) == 2 and again.model == "same_weights"
    np.testing.assert_array_equal(again.files, outcome.files)
    # Embeddings that were kept serve another grid, without the single files that heareval makes arrays of.
    assert cache.size() > 0 and not list((cache.folder / "embeddings").rglob("*.embedding.npy"))
    measure(make_cell(grid="fast"), cache, Processes())
    assert [call.split()[0] for call in heareval()] == ["embed", "predict", "predict"]
    files = [path.relative_to(cache.folder) for path in cache.folder.rglob("*") if path.is_file()]
    assert sorted(path.suffix for path in files) == [".lock", ".log", ".log", ".npz", ".npz"]


def test_half_embeddings_are_made_anew(heareval: Calls, make_cell: MakeCell, cache: Cache) -> None:
    cell = make_cell()
    folder = embed(cell, cache, Processes(), cache.log(cell))
    assert embed(cell, cache, Processes(), cache.log(cell)) == folder and len(heareval()) == 1
    with open(folder / "test.embeddings.npy", "r+b") as file:
        file.truncate(8)
    assert find_embeddings(cache.embeddings(cell), "digits") is None
    assert embed(cell, cache, Processes(), cache.log(cell)) == folder and len(heareval()) == 2
    assert (folder / "test.embeddings.npy").stat().st_size == 64


def test_embeddings_that_are_no_numbers_fail_with_the_reason_and_are_not_kept(
    heareval: Calls, make_cell: MakeCell, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUB_NAN", "digits")
    with pytest.raises(Failed, match="expected finite embeddings, got NaN or infinity in those of the split test"):
        measure(make_cell(), cache, Processes(), keep_embeddings=True)
    assert heareval() == ["embed small_module digits"]
    monkeypatch.delenv("STUB_NAN")  # the model is mended, and its name is still the same
    assert measure(make_cell(), cache, Processes()).score == 0.875


def test_damaged_outcome_is_not_taken(heareval: Calls, make_cell: MakeCell, cache: Cache) -> None:
    cell = make_cell()
    cache.outcome(cell).write_bytes(b"half")
    assert cached(cell, cache) is None


@pytest.mark.parametrize(
    "change", [{"identity": "other weights"}, {"grid": "faster"}], ids=["other weights", "other grid"]
)
def test_another_key_where_numbers_may_differ(make_cell: MakeCell, heareval: Calls, change: dict[str, str]) -> None:
    assert make_cell(**change).key != make_cell().key


def test_key_follows_content_settings_and_versions(
    make_cell: MakeCell, heareval: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = make_cell()
    keys = {cell.key, dataclasses.replace(cell, settings=ProbeSettings("default", 4)).key}
    keys.add(dataclasses.replace(cell, task=dataclasses.replace(cell.task, sha256="other audio")).key)
    same = dataclasses.replace(cell.task, title="another title", folder=Path("elsewhere"))
    assert dataclasses.replace(cell, task=same).key == cell.key
    monkeypatch.setattr("benchmark.evaluation.settings.heareval_version", lambda: "2099.1")
    keys.add(outcome_key(cell.task.sha256, cell.model.identity, cell.settings))
    keys.add(dataclasses.replace(cell, settings=ProbeSettings("default", 8, standardise=True)).key)
    assert len(keys) == 5
    # A choice that is new must not make what was measured before it out of date.
    assert "standardise" not in cell.settings.about()


def test_another_run_at_the_same_cell(heareval: Calls, make_cell: MakeCell, cache: Cache) -> None:
    cell = make_cell()
    with cache.held(cell), pytest.raises(Failed, match="another run"):
        measure(cell, cache, Processes())
    assert heareval() == []


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="expected a grid out of default, fast, faster, got 'slow'"):
        ProbeSettings("slow", 8)
    with pytest.raises(ValueError, match="at least one grid point, got 0"):
        ProbeSettings("fast", 0)


@pytest.mark.skipif(os.name != "posix", reason="processes are forked")
@pytest.mark.parametrize("stage", ["embed", "predict"])
def test_killed_and_run_again(
    heareval: Calls, make_cell: MakeCell, cache: Cache, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    cell = make_cell()

    def run() -> None:
        measure(cell, cache, Processes())

    with monkeypatch.context() as asleep:
        asleep.setenv("STUB_SLEEP", f"{stage} digits")
        parent = forked.start(run)
    wait_until(lambda: any(call.startswith(stage) for call in heareval()))
    os.kill(parent, signal.SIGKILL)
    assert forked.wait(parent) == -signal.SIGKILL
    wait_until(lambda: not working_in(cache.folder))
    assert not cache.outcome(cell).exists()
    assert measure(cell, cache, Processes()).score == 0.875
    expected = ["embed", "embed", "predict"] if stage == "embed" else ["embed", "predict", "predict"]
    assert [call.split()[0] for call in heareval()] == expected
    assert not list((cache.folder / "work").iterdir())


def wait_until(true: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
