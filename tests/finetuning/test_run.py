"""The whole of fine-tuning: a network that every command takes, or the frozen one, and nothing half-written."""

from __future__ import annotations

import copy
import json
import os
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("sklearn")

import byola_hear
from byola_hear import labels
from byola_hear.classification.classifier import Network
from byola_hear.classification.examples import Examples
from byola_hear.classification.file import load_classifier
from byola_hear.finetuning import choice
from byola_hear.finetuning import run as running
from byola_hear.finetuning.choice import Comparison
from byola_hear.finetuning.course import Material
from byola_hear.finetuning.finetune import finetune
from byola_hear.finetuning.recipe import Recipe
from byola_hear.finetuning.run import finetune_examples
from byola_hear.finetuning.windows import log_mels
from byola_hear.finetuning.workspace import Workspace
from byola_hear.models.checkpoint import read_header
from byola_hear.models.model import ByolaModel
from byola_hear.utils.files import work_folder
from tests.finetuning.conftest import write_sweeps
from tests.models.small import with_directions

#: A network with random weights needs more than one that was trained.
STRONG = Recipe(epochs=5, batch_size=8, learning_rate=3e-3, patience=5)
#: Too weak to change anything.
WEAK = Recipe(epochs=1, learning_rate=1e-9)


@pytest.fixture
def won(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fine-tuning always wins: what 24 sounds say of a random network is chance."""
    monkeypatch.setattr(running, "compared", lambda *arguments: Comparison(0.5, 0.9, 0.2, 0.6, 3))
    monkeypatch.setattr(running, "chosen_epochs", lambda errors, sizes: ([2] * len(errors), 2))


def tune(examples: Examples, model: ByolaModel, recipe: Recipe, **options: Any) -> running.FineTuned:
    return finetune_examples(examples, model, Network.of(model, "small"), Path("mine.safetensors"), recipe, **options)


@pytest.mark.usefixtures("won")
def test_a_better_network_is_written_with_its_classifier(sweeps: Examples, model: ByolaModel, here: Path) -> None:
    progress: list[Any] = []
    result = tune(sweeps, model, STRONG, on_progress=progress.append)
    assert result.network == Path("mine.safetensors") and 1 <= result.epochs <= 5
    assert {path.name for path in here.iterdir()} == {"clips", "mine.safetensors", "mine.classifier.safetensors"}
    assert result.trained.notes[0].startswith("fine-tuning beat the frozen network: mean average precision")
    # The network is a model like any other, and says where it comes from.
    config, _ = read_header("mine.safetensors")
    assert (config.name, config.version, config.frontend) == ("mine", "1", model.config.frontend)
    assert config.training["began_with"] == {"model": "small 1.0", "fingerprint": model.fingerprint()}
    facts = config.training["fine_tuned"]
    assert facts["epochs"] == result.epochs and facts["classes"] == ["falling", "rising"] and facts["examples"] == 24
    loaded = byola_hear.load_model("mine.safetensors")
    assert loaded.fingerprint() != model.fingerprint()
    classifier = load_classifier("mine.classifier.safetensors")
    assert classifier.network.fingerprint == loaded.fingerprint()
    assert classifier.about["fine_tuned"] == json.loads(json.dumps(facts))
    # It knows its classes in whole recordings, from wherever it is called.
    found = byola_hear.predict("clips", classifier, threshold=0.5)
    hits = [Path(row.file).parent.name == row.label for row in found.itertuples()]
    assert len(hits) >= 20 and np.mean(hits) > 0.8
    names = [each.what for each in progress]
    assert list(dict.fromkeys(names)) == ["log-mels", "fold 1 of 3", "fold 2 of 3", "fold 3 of 3", "all examples"]


@pytest.mark.usefixtures("won")
def test_the_classifier_finds_its_network_next_to_it(
    sweeps: Examples, model: ByolaModel, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tune(sweeps, model, STRONG).network is not None
    (here / "moved").mkdir()
    for name in ("mine.safetensors", "mine.classifier.safetensors"):
        (here / name).rename(here / "moved" / name)
    assert len(byola_hear.predict("clips", "moved/mine.classifier.safetensors", threshold=0.5))
    monkeypatch.chdir(here / "moved")
    assert len(byola_hear.predict("../clips", "mine.classifier.safetensors", threshold=0.5))
    (here / "moved/mine.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"no such checkpoint: mine\.safetensors"):
        byola_hear.predict("../clips", "mine.classifier.safetensors")


def test_no_network_is_written_if_it_is_no_better(sweeps: Examples, model: ByolaModel, here: Path) -> None:
    # What an earlier run wrote is no result of this one.
    (here / "mine.safetensors").write_bytes(b"old")
    result = tune(sweeps, model, WEAK, overwrite=True)
    assert not result.comparison.better and (result.network, result.epochs) == (None, 0)
    assert {path.name for path in here.iterdir()} == {"clips", "mine.classifier.safetensors"}
    assert "which is kept: mean average precision" in result.trained.notes[0]
    assert load_classifier("mine.classifier.safetensors").network == Network.of(model, "small")


@pytest.mark.usefixtures("won")
def test_the_log_mels_are_not_in_use_when_they_are_removed(
    sweeps: Examples, model: ByolaModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Windows refuses to remove a file that is mapped into memory.
    in_use: list[bool] = []
    made, remove = log_mels, Workspace.remove

    def noted(*arguments: Any) -> Any:
        windows = made(*arguments)
        mapped.append(weakref.ref(windows.frames))
        return windows

    def removed(workspace: Workspace) -> None:
        in_use.extend(each() is not None for each in mapped)
        remove(workspace)

    mapped: list[weakref.ref[Any]] = []
    monkeypatch.setattr(running, "log_mels", noted)
    monkeypatch.setattr(Workspace, "remove", removed)
    assert tune(sweeps, model, STRONG).network is not None
    assert in_use == [False]


@pytest.mark.usefixtures("won")
def test_the_same_run_gives_the_same_bytes_also_after_a_crash(
    sweeps: Examples, model: ByolaModel, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tune(sweeps, model, STRONG)
    names = ("mine.safetensors", "mine.classifier.safetensors")
    expected = [(here / name).read_bytes() for name in names]
    for name in names:
        (here / name).unlink()

    class Killed(BaseException):
        pass

    steps = 0

    def kill(progress: running.Progress) -> None:
        nonlocal steps
        steps += 1
        if steps in (20, 45, 75):
            raise Killed

    replaced, parts = os.replace, work_folder(Path("mine.safetensors"))
    # Killed during the work, and just before each file takes its name.
    for moment in ("network.safetensors", "classifier.safetensors", *names, "finished"):
        reached: list[str] = []

        def replace_or_die(source: Any, target: Any, moment: str = moment, reached: list[str] = reached) -> None:
            if Path(target).name == moment and (parts / "all.safetensors").exists():
                reached.append(moment)
                raise Killed
            replaced(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", replace_or_die)
            while not reached:
                with pytest.raises(Killed):
                    tune(sweeps, model, STRONG, save_seconds=0, on_progress=kill)
                assert parts.is_dir()
        assert (parts / "finishing").exists() == (moment in (*names, "finished"))
    assert steps >= 40
    tune(sweeps, model, STRONG)
    assert [(here / name).read_bytes() for name in names] == expected
    assert {path.name for path in here.iterdir()} == {"clips", *names}


def test_what_was_being_removed_is_removed(sweeps: Examples, model: ByolaModel, here: Path) -> None:
    write_sweeps(here / "clips")
    finetune("clips", "mine.safetensors", model=model, recipe=WEAK)
    parts = work_folder(Path("mine.safetensors"))
    for left in (("finished", "log_mel.f32"), ()):
        parts.mkdir()
        for name in left:
            (parts / name).touch()
        with pytest.raises(FileExistsError, match="overwrite=True replaces it"):
            finetune("clips", "mine.safetensors", model=model, recipe=WEAK)
        assert not parts.exists()


def test_what_is_no_runs_stays(sweeps: Examples, model: ByolaModel) -> None:
    mine = work_folder(Path("mine.safetensors")) / "mine.txt"
    mine.parent.mkdir()
    mine.touch()
    for overwrite in (False, True):
        with pytest.raises(ValueError, match=r"mine\.safetensors\.parts is needed .* something else: mine\.txt$"):
            tune(sweeps, model, WEAK, overwrite=overwrite)
    assert list(mine.parent.iterdir()) == [mine]


def test_what_is_done_with_a_result_is_done_again_after_a_failure(
    sweeps: Examples, model: ByolaModel, here: Path
) -> None:
    def fail(result: running.FineTuned) -> None:
        raise OSError("no room for the report")

    with pytest.raises(OSError, match="no room"):
        tune(sweeps, model, WEAK, on_result=fail)
    results: list[running.FineTuned] = []
    assert [tune(sweeps, model, WEAK, on_result=results.append)] == results
    assert not work_folder(Path("mine.safetensors")).exists()


def test_a_run_keeps_the_precision_that_it_began_with(
    sweeps: Examples, model: ByolaModel, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def kill(progress: running.Progress) -> None:
        if progress.what == "fold 1 of 3":
            raise Killed

    used: list[Any] = []
    made = Material

    def noted(*arguments: Any) -> Any:
        used.append(arguments[-1])
        return made(*arguments)

    monkeypatch.setattr(running, "Material", noted)
    monkeypatch.setattr(running, "precision_for", lambda name, device: torch.bfloat16)
    with pytest.raises(Killed):
        tune(sweeps, model, WEAK, on_progress=kill)
    monkeypatch.setattr(running, "precision_for", lambda name, device: None)
    tune(sweeps, model, WEAK)
    tune(sweeps, model, WEAK)
    assert used == [torch.bfloat16, torch.bfloat16, None]


@pytest.mark.usefixtures("won")
def test_no_network_comes_of_no_epochs(
    sweeps: Examples, model: ByolaModel, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[Any] = []
    monkeypatch.setattr(running, "chosen_epochs", lambda errors, sizes: ([0, 0, 0], 0))

    def noted(*arguments: Any) -> Any:
        compared.append(arguments)
        return choice.compared(*arguments)

    monkeypatch.setattr(running, "compared", noted)
    result = tune(sweeps, model, STRONG)
    assert np.array_equal(compared[0][0], compared[0][1]) and result.network is None
    assert "difference +0.000" in result.trained.notes[0]


def test_another_run_is_not_continued(sweeps: Examples, model: ByolaModel, here: Path) -> None:
    class Killed(BaseException):
        pass

    def kill(progress: running.Progress) -> None:
        if progress.what == "fold 1 of 3":
            raise Killed

    with pytest.raises(Killed):
        tune(sweeps, model, WEAK, on_progress=kill)
    for changes, name in (({"hop": 0.1}, "hop"), ({}, "recipe")):
        recipe = WEAK if changes else replace(WEAK, epochs=2)
        message = (
            f"mine.safetensors.parts holds the beginning of a run with other {name}; give --overwrite to discard it"
        )
        with pytest.raises(ValueError, match=message):
            tune(sweeps, model, recipe, **changes)
    other = replace(sweeps, truth=sweeps.truth[:, ::-1])
    with pytest.raises(ValueError, match="with other examples;"):
        tune(other, model, WEAK)
    tune(other, model, WEAK, overwrite=True)
    assert not work_folder(Path("mine.safetensors")).exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"truth": np.stack([np.arange(24) == 0, np.arange(24) > 0], 1)},
            r"at least 3 examples of each class, got fewer of falling \(1\); add examples or leave the class out",
        ),
        ({"group": np.zeros(24, int)}, "fine-tuning needs a class with labels from two recordings or groups, so that"),
        (
            {"end": np.arange(24) + 60.0, "start": np.arange(24.0)},
            "at most 30 s to fine-tune on, got 60 s; give a",
        ),
        ({"embeddings": np.ones((24, 26), np.float32)}, "all 24 examples have the same embedding"),
    ],
)
def test_what_can_not_be_learned_is_refused(
    sweeps: Examples, model: ByolaModel, here: Path, changes: dict[str, Any], message: str
) -> None:
    before = set(here.iterdir())
    with pytest.raises(ValueError, match=message):
        tune(replace(sweeps, **changes), model, WEAK)
    assert set(here.iterdir()) == before


def test_from_folders_or_a_table(model: ByolaModel, here: Path) -> None:
    write_sweeps(here / "clips", count=4)
    result = finetune("clips", "mine.safetensors", model=model, recipe=WEAK)
    assert result.trained.classifier.classes == ("falling", "rising") and result.trained.classifier.window == 0.4
    with pytest.raises(FileExistsError, match=r"mine\.classifier\.safetensors exists; overwrite=True replaces it"):
        finetune("clips", "mine.safetensors", model=model, recipe=WEAK)
    with pytest.raises(ValueError, match=r"an output that is no input, got mine\.classifier\.safetensors, which would"):
        finetune("clips", "mine.safetensors", model="mine.classifier.safetensors", overwrite=True)
    table = labels.read(["clips"], "folders")
    table["site"] = [str(number // 2 % 2) for number in range(len(table))]
    again = finetune(table, "mine.safetensors", model=model, recipe=WEAK, group="site", window=0.3, overwrite=True)
    assert again.comparison.n_folds == 2 and again.trained.classifier.window == 0.3
    assert again.trained.classifier.about["groups"] == 2


def test_a_network_of_short_vectors_or_of_half_precision_is_refused(model: ByolaModel, here: Path) -> None:
    write_sweeps(here / "clips", count=4)
    half = copy.deepcopy(model)
    half.encoder.to(torch.bfloat16)
    for other, got in ((with_directions(model, 4), "one of short vectors"), (half, "one in bfloat16")):
        with pytest.raises(ValueError, match=f"expected a network in float32 that gives whole embeddings, got {got}"):
            finetune("clips", "mine.safetensors", model=other, recipe=WEAK)
    assert {path.name for path in here.iterdir()} == {"clips"}
