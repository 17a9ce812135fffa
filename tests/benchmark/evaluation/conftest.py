"""A stand-in for heareval that writes what heareval writes, at once, and tasks and models to run it on."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmark.datasets.labelled_set import CACHE_VARIABLE
from benchmark.evaluation.cell import Cache, RunCell
from benchmark.evaluation.settings import ProbeSettings
from benchmark.models.heareval_rows import ModelRow
from benchmark.tasks.layout import Prepared

#: heareval's runners, as far as files go. STUB_CALLS is where each call is noted; STUB_FAIL, STUB_SLEEP,
#: STUB_WRONG and STUB_NAN name a task at which predictions fail, take long or are in another order, or at which
#: embeddings of the test split are no numbers.
HEAREVAL = {
    "heareval/__init__.py": "",
    "heareval/embeddings/__init__.py": "",
    "heareval/predictions/__init__.py": "",
    "heareval/embeddings/runner.py": """
        import argparse, json, os, pickle, random, shutil, struct, time
        from pathlib import Path
        parser = argparse.ArgumentParser()
        parser.add_argument("module")
        for name in ("tasks-dir", "task", "embeddings-dir", "model", "model-options"):
            parser.add_argument("--" + name)
        given = parser.parse_args()
        with open(os.environ["STUB_CALLS"], "a") as calls:
            print("embed", given.module, given.task, file=calls)
        task = Path(given.tasks_dir) / given.task
        metadata = json.loads((task / "task_metadata.json").read_text())
        folder = Path(given.embeddings_dir) / given.module / given.task
        folder.mkdir(parents=True)
        generator = random.Random(0)
        for file in (*task.glob("*.json"), *task.glob("*.csv")):
            shutil.copy(file, folder)
        for split in metadata["splits"]:
            files = list(json.loads((task / f"{split}.json").read_text()).items())
            (folder / split).mkdir()
            (folder / split / "a.wav.embedding.npy").write_bytes(b"1")
            generator.shuffle(files)
            broken = os.environ.get("STUB_NAN") == given.task and split == "test"
            value = struct.pack("<f", float("nan") if broken else 0.0)
            (folder / f"{split}.embeddings.npy").write_bytes(value * 2 * len(files))
            (folder / f"{split}.embedding-dimensions.json").write_text(json.dumps([len(files), 2]))
            (folder / f"{split}.target-labels.pkl").write_bytes(pickle.dumps([labels for _, labels in files]))
        if os.environ.get("STUB_SLEEP") == "embed " + given.task:
            time.sleep(60)
        (folder / "profile.embeddings.json").write_text('{"time_elapsed": 0.5}')
        (folder / ".done.embeddings").touch()
        """,
    "heareval/predictions/runner.py": """
        import csv, json, os, pickle, sys, time
        from pathlib import Path
        import numpy as np
        folder = Path(sys.argv[1])
        with open(os.environ["STUB_CALLS"], "a") as calls:
            print("predict", *sys.argv[1:], file=calls)
        if os.environ.get("STUB_SLEEP") == "predict " + folder.name:
            time.sleep(60)
        if os.environ.get("STUB_FAIL") == folder.name:
            raise AssertionError("nan in the embeddings")
        labels = [row["label"] for row in csv.DictReader(open(folder / "labelvocabulary.csv"))]
        truth = pickle.loads((folder / "test.target-labels.pkl").read_bytes())
        if os.environ.get("STUB_WRONG") == folder.name:
            truth = truth[::-1]
        target = np.eye(len(labels))[[labels.index(each[0]) for each in truth]]
        prediction = target.copy()
        prediction[0] = prediction[0][::-1]  # the first is wrong
        with open(folder / "test.predictions.pkl", "wb") as file:
            pickle.dump({"target": target, "prediction": prediction}, file)
        score = 1 - 1 / len(truth)
        scores = {"test_top1_acc": score, "validation_score": float("inf"), "epoch": 2, "time_in_min": 0.1}
        hparams = {"lr": 0.001, "initialization": "<function xavier_uniform_ at 0x7f0000>"}
        (folder / "test.predicted-scores.json").write_text(
            json.dumps({"test": scores, "hparams": hparams, "postprocessing": []}))
        (folder / "prediction-done.json").write_text('{"time": 2.5}')
        """,
}


@pytest.fixture
def heareval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """The stand-in, for this process and its children; gives the calls that were made."""
    site = tmp_path / "site"
    for name, source in HEAREVAL.items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))
    for name in [each for each in sys.modules if each.partition(".")[0] == "heareval"]:
        monkeypatch.delitem(sys.modules, name)
    calls = tmp_path / "calls"
    calls.touch()
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.setenv("STUB_CALLS", str(calls))
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))  # and as it was before when a command has changed it
    return lambda: calls.read_text().splitlines()


@pytest.fixture
def make_task(tmp_path: Path) -> Callable[..., Prepared]:
    """Tasks in HEAR's layout without their audio, which the stand-in does not look at."""

    def make(name: str, n_files: int = 8, sha256: str = "") -> Prepared:
        folder = tmp_path / "tasks" / name
        folder.mkdir(parents=True, exist_ok=True)
        metadata: dict[str, Any] = {
            "task_name": name,
            "embedding_type": "scene",
            "prediction_type": "multiclass",
            "split_mode": "trainvaltest",
            "splits": ["train", "valid", "test"],
            "sample_duration": 1.0,
            "evaluation": ["top1_acc"],
        }
        (folder / "task_metadata.json").write_text(json.dumps(metadata))
        (folder / "labelvocabulary.csv").write_text("idx,label\n0,NA\n1,01\n")
        for split in metadata["splits"]:
            truth = {f"{split}{number}.wav": [["NA", "01"][number % 3 == 0]] for number in range(n_files)}
            (folder / f"{split}.json").write_text(json.dumps(truth))
        return Prepared(name, name.title(), "speech", f"what {name} is", folder, sha256 or f"hash of {name}", metadata)

    return make


@pytest.fixture
def make_cell(make_task: Callable[..., Prepared]) -> Callable[..., RunCell]:
    """Cells of models that only the stand-in could run."""

    def make(task: str = "digits", model: str = "small", identity: str = "weights", grid: str = "default") -> RunCell:
        row = ModelRow(model, f"{model}_module", "", identity, 16000, (2, 2), "a note")
        return RunCell(row, make_task(task), ProbeSettings(grid, 8))

    return make


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")
