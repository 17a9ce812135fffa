"""Shuffled labels give chance level, and a probe that knows too much is found out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from benchmark.comparison.outcome import Outcome
from benchmark.evaluation import agreement, shuffled
from benchmark.evaluation.check_task import described
from benchmark.models.heareval_rows import ModelRow
from benchmark.tasks.layout import Prepared


def guesses(right: bool) -> Outcome:
    random = np.random.default_rng(0)
    target = np.arange(300) % 3
    predicted = target if right else random.permutation(target)
    one = np.ones(300)
    counts = np.stack([target == predicted, one, one], axis=1).astype(float)
    nothing = np.zeros((1, 1))
    fold_of, files = np.zeros(300, int), np.arange(300).astype(str)
    header = ("t", "ab", "m", "cd", ("top1_acc",), ("test",))
    return Outcome(*header, nothing, ("a", "b", "c"), files, fold_of, counts, target, predicted, {})


def test_chance_holds_guesses_and_not_knowledge() -> None:
    mean, low, high = shuffled.chance(guesses(False))
    assert mean == pytest.approx(1 / 3) and low < guesses(False).counts[:, 0].mean() < high
    assert shuffled.chance(guesses(True))[2] < 0.5


def write_audio(task: Prepared) -> Prepared:
    for split in task.metadata["splits"]:
        for name in json.loads((task.folder / f"{split}.json").read_text()):
            path = task.folder / "16000" / split / name
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, np.full(16, 0.5, np.float32), 16000)
    return task


def test_labels_are_dealt_within_splits(make_task: Callable[..., Prepared], tmp_path: Path) -> None:
    task = write_audio(make_task("digits", 30))
    dealt = shuffled.shuffle_labels(task, tmp_path / "shuffled" / "digits_shuffled", 0)
    for split in ("train", "valid", "test"):
        before, after = (json.loads((each.folder / f"{split}.json").read_text()) for each in (task, dealt))
        assert list(before) == list(after) and before != after
        assert sorted(before.values()) == sorted(after.values())
        assert len(list((dealt.folder / "16000" / split).iterdir())) == 30
    assert dealt.sha256 != described(task.folder, "", "").sha256
    assert shuffled.shuffle_labels(task, dealt.folder, 0).sha256 == dealt.sha256
    assert shuffled.shuffle_labels(task, dealt.folder, 1).sha256 != dealt.sha256


@pytest.mark.parametrize("module", [agreement, shuffled])
def test_a_probe_that_knows_too_much_is_found_out(
    heareval: Callable[[], list[str]],
    make_task: Callable[..., Prepared],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
) -> None:
    task = write_audio(make_task("digits", 60))
    monkeypatch.setattr(module, "check_task", lambda *_: task)
    row = ModelRow("small", "small_module", "", "weights", 16000, (2, 2), "")
    monkeypatch.setattr(module, "model_row", lambda name: row)
    # The stand-in knows all labels but one, of embeddings that are all zero.
    result = CliRunner().invoke(module.command, ["--cache", str(tmp_path / "cache")])
    assert result.exit_code == 1, (result.output, result.exception)
    assert "98.3 %" in result.output and "not" in result.output.splitlines()[-1]
