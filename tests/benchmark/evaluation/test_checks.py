"""The two checks of the run: they pass what is right and, which matters more, not what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from benchmark.comparison.outcome import Outcome
from benchmark.evaluation import agreement, shuffled
from benchmark.evaluation.cell import Cache, RunCell, embed, find_embeddings
from benchmark.evaluation.check_task import check_task, described, excerpts_task
from benchmark.evaluation.processes import Processes
from benchmark.models.heareval_rows import ModelRow
from benchmark.tasks.layout import Prepared

FOLDS = {"split_mode": "presplit_kfold", "splits": ["fold0", "fold1", "fold2"]}


def splits_of(informative: bool) -> dict[str, agreement.Split]:
    random = np.random.default_rng(0)
    splits = {}
    for name in FOLDS["splits"]:
        labels = np.arange(60) % 3
        means = np.eye(3)[labels] * (8 if informative else 0)
        splits[name] = np.hstack([means, np.zeros((60, 5))]) + random.normal(size=(60, 8)), labels
    return splits


def test_independent_probe_learns_what_is_there_and_nothing_else() -> None:
    score, limits = agreement.interval(agreement.independent_right(splits_of(True), FOLDS))
    assert score > 0.98 and limits.high <= 1
    score, limits = agreement.interval(agreement.independent_right(splits_of(False), FOLDS))
    assert limits.low < 1 / 3 < limits.high


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


@pytest.mark.parametrize("module, command", [(agreement, "agree_command"), (shuffled, "shuffled_command")])
def test_a_probe_that_knows_too_much_is_found_out(
    heareval: Callable[[], list[str]],
    make_task: Callable[..., Prepared],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: object,
    command: str,
) -> None:
    task = write_audio(make_task("digits", 60))
    monkeypatch.setattr(module, "check_task", lambda *_: task)
    row = ModelRow("small", "small_module", "", "weights", 16000, (2, 2), "")
    monkeypatch.setattr(module, "model_row", lambda name: row)
    # The stand-in knows all labels but one, of embeddings that are all zero.
    result = CliRunner().invoke(getattr(module, command), ["--cache", str(tmp_path / "cache")])
    assert result.exit_code == 1, (result.output, result.exception)
    assert "98.3 %" in result.output and "not" in result.output.splitlines()[-1]


def test_agree_leaves_embeddings_that_a_run_has_kept(
    heareval: Callable[[], list[str]],
    make_cell: Callable[..., RunCell],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cell, cache = make_cell(), Cache(tmp_path / "cache" / "run")
    monkeypatch.setattr(agreement, "check_task", lambda *_: cell.task)
    monkeypatch.setattr(agreement, "model_row", lambda name: cell.model)
    arguments = ["--cache", str(tmp_path / "cache")]
    CliRunner().invoke(agreement.agree_command, arguments)
    assert heareval() and not cache.embeddings(cell).exists()
    embed(cell, cache, Processes(), cache.log(cell))
    CliRunner().invoke(agreement.agree_command, arguments)
    assert find_embeddings(cache.embeddings(cell), "digits")


def test_folds_all_right_or_all_wrong_give_no_interval() -> None:
    with pytest.raises(ValueError, match=r"expected .* got accuracies \[1.0, 0.0\] by fold"):
        agreement.interval([np.ones(5), np.zeros(5)])


def test_without_labelled_sets_the_tests_clips_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def prepare(name: str, *others: object) -> Prepared:
        raise FileNotFoundError("no labelled sets")

    monkeypatch.setattr("benchmark.evaluation.check_task.prepare", prepare)
    task = check_task(None, tmp_path, None, False)
    assert task.name == "excerpts" and len(json.loads((task.folder / "test.json").read_text())) > 50
    with pytest.raises(FileNotFoundError):
        check_task("esc50", tmp_path, None, False)


def test_excerpts_that_are_there_stay_unless_they_are_others(
    clips_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmark.evaluation.check_task.EXCERPTS", {"train": 2, "valid": 1, "test": 1})
    task = excerpts_task(clips_folder, tmp_path / "cache" / "tasks")
    truth = task.folder / "test.json"
    written = truth.stat().st_mtime_ns, truth.stat().st_ino
    assert excerpts_task(clips_folder, task.folder.parent).sha256 == task.sha256
    assert (truth.stat().st_mtime_ns, truth.stat().st_ino) == written
    (task.folder / "task_metadata.json").unlink()
    assert excerpts_task(clips_folder, task.folder.parent) == task
    assert described(task.folder, task.title, task.description) == task
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["tasks"]
