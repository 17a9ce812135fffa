"""byola-hear finetune: labels in, a network or a reason out, resumed after a kill."""

from __future__ import annotations

import os
import re
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

from byola_hear.classification.file import load_classifier
from byola_hear.cli.main import main
from byola_hear.finetuning.choice import Comparison
from tests import forked
from tests.classification.sounds import quiet, write, write_clips, write_recordings
from tests.cli.result import Run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_folders_are_classes(run: Run, here: Path) -> None:
    write_clips(here / "clips")
    arguments = (
        "finetune",
        "clips",
        "-o",
        "mine.safetensors",
        "--epochs",
        "1",
        "--threads",
        "1",
        "--report",
        "report.html",
    )
    result = run(*arguments)
    assert (result.code, result.err) == (0, "")
    lines = result.out.splitlines()
    assert lines[0] == "window 0.5 s, the median length of the labels (--window)"
    assert lines[1].split()[:4] == ["class", "windows", "groups", "AP"]
    (line,) = [line for line in lines if line.startswith("note: fine-tuning")]
    assert "on the same 3 held-out folds, difference " in line
    assert lines[-2] == "mine.safetensors: not written, as the network stays as it is"
    assert lines[-1].startswith("mine.classifier.safetensors: 2 classes, 18 windows of 0.5 s, 6 negatives,")
    text = (here / "report.html").read_text(encoding="utf-8")
    assert "fine-tuning did not beat the frozen network" in text
    assert load_classifier("mine.classifier.safetensors").network.source == "both"
    assert run("predict", "mine.classifier.safetensors", "clips", "-o", "found.csv").code == 0
    result = run(*arguments)
    assert (result.code, result.err) == (
        2,
        "error: mine.classifier.safetensors exists; give --overwrite to replace it\n",
    )
    assert run(*arguments, "--overwrite", "-q") == (0, "", "")


def test_a_better_network_works_in_every_command(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("byola_hear.finetuning.run.compared", lambda *arguments: Comparison(0.5, 0.9, 0.2, 0.6, 2))
    monkeypatch.setattr("byola_hear.finetuning.run.chosen_epochs", lambda errors, sizes: ([2] * len(errors), 2))
    write_clips(here / "clips")
    arguments = (
        "finetune",
        "clips",
        "-o",
        "mine.safetensors",
        "--model",
        "speech",
        "--epochs",
        "3",
        "--folds",
        "2",
        "--threads",
        "1",
    )
    result = run(*arguments)
    assert (result.code, result.err) == (0, "")
    assert "note: fine-tuning beat the frozen network: mean average precision 0.900 against 0.500 on" in result.out
    assert re.search(r"mine.safetensors: fine-tuned from speech 1.5 in [1-3] epochs?\n", result.out)
    assert re.search(r"mine.classifier.safetensors: .*, checked in 2 folds, model mine 1\n", result.out)
    assert run("predict", "mine.classifier.safetensors", "clips", "-o", "found/").code == 0
    assert run("embed", "clips", "--model", "mine.safetensors", "-o", "t.parquet", "--window", "0.5").code == 0
    assert run("predict", "mine.classifier.safetensors", "t.parquet", "-o", "table.csv").code == 0
    assert run("verify", "mine.safetensors").code == 0
    assert run(*arguments).err == "error: mine.safetensors exists; give --overwrite to replace it\n"


@pytest.mark.parametrize("name", ["mine.safetensors", "mine.classifier.safetensors"])
@pytest.mark.parametrize("options", [(), ("--overwrite",)])
def test_the_network_to_begin_with_is_not_replaced(
    run: Run, models: Path, here: Path, name: str, options: tuple[str, ...]
) -> None:
    write_clips(here / "clips", count=1)
    network = next(models.rglob("*.safetensors"))
    shutil.copy(network, name)
    result = run("finetune", "clips", "--model", here / name, "-o", "mine.safetensors", *options)
    message = f"error: expected an output that is no input, got {name}, which would be lost\n"
    assert (result.code, result.err) == (2, message)
    assert {path.name for path in here.iterdir()} == {"clips", name}
    assert Path(name).read_bytes() == network.read_bytes()


def test_label_files_and_recordings(run: Run, here: Path) -> None:
    write_recordings(here / "rec")
    arguments = ["finetune", "--labels", "rec/labels.csv", "-o", "mine.safetensors", "--epochs", "1", "--threads", "1"]
    result = run(*arguments, "--unlabelled", "--window", "0.8", "--hop", "0.2")
    assert (result.code, result.err) == (0, "")
    classifier = load_classifier("mine.classifier.safetensors")
    assert (classifier.window, classifier.hop) == (0.8, 0.2) and classifier.about["negatives"] > 50


def test_a_broken_clip_is_reported_and_the_others_are_used(run: Run, here: Path) -> None:
    write_clips(here / "clips")
    (here / "clips/beep/broken.wav").write_bytes(b"RIFF....")
    write(here / "clips/beep/nan.wav", np.zeros(8000))
    import soundfile

    soundfile.write(here / "clips/beep/nan.wav", np.full(8000, np.nan, np.float32), 16000, subtype="FLOAT")
    soundfile.write(here / "clips/hiss/fast.wav", 0.1 * np.random.default_rng(0).normal(0, 1, 22050), 44100)
    result = run("finetune", "clips", "-o", "mine.safetensors", "--epochs", "1", "--threads", "1")
    assert result.code == 1 and [line.split(": ")[1] for line in result.err.splitlines()] == [
        "clips/beep/broken.wav",
        "clips/beep/nan.wav",
    ]
    assert load_classifier("mine.classifier.safetensors").about["examples_of"] == {"beep": 6, "hiss": 7}


@pytest.fixture(scope="module")
def mistakes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Labels and recordings with mistakes."""
    folder = tmp_path_factory.mktemp("mistakes")
    write_clips(folder / "clips", count=3)
    write_clips(folder / "one", count=3)
    for number in (1, 2):
        (folder / f"one/hiss/{number}.wav").unlink()
    write_clips(folder / "single", count=3, kinds=("beep",))
    for kind in ("a", "b"):
        for number in range(3):
            write(folder / f"silent/{kind}/{number}.wav", np.zeros(8000))
    (folder / "empty").mkdir()
    write(folder / "long.wav", quiet(5.0))
    (folder / "alone.csv").write_text("file,start,end,label\n" + "".join(f"long.wav,{n},{n}.5,owl\n" for n in range(4)))
    (folder / "far.csv").write_text("file,start,end,label\nlong.wav,1,2,owl\nlong.wav,4,9,owl\n")
    return folder


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected a folder of clips or --labels; got nothing"),
        (["empty"], "no audio files"),
        (["nowhere"], "expected a folder of clips, a table or --labels, got nowhere"),
        (
            ["one"],
            r"fine-tuning needs at least 3 examples of each class, got fewer of hiss \(1\); add examples or leave",
        ),
        (["single"], "expected something to tell 'beep' from"),
        (["silent"], "all 6 examples have the same embedding: there is nothing to learn; are they silent"),
        (["--labels", "alone.csv"], "expected something to tell 'owl' from"),
        (["--labels", "far.csv"], "far.csv, line 3: the label 'owl' ends at 9 s, long.wav ends at 5.000 s"),
        (["clips.parquet"], "expected recordings, got a table of embeddings"),
        (["clips", "--group", "site"], "--group names a column of --labels"),
        (["clips", "--model", "spech"], "no model is called 'spech'"),
        (["clips", "--device", "toaster"], "device 'toaster' can't be used"),
        (["clips", "--folds", "1"], "1 is not in the range 2<=x<=100"),
        (["clips", "--learning-rate", "nan"], "expected a finite number, got nan"),
        (["clips", "--report", "report.pdf"], "expected a report whose name ends in .html, got report.pdf"),
        (["clips", "-o", "mine.pth"], "expected a network whose name ends in .safetensors, got mine.pth"),
        (["clips", "-o", "nowhere/mine.safetensors"], "the folder of nowhere/mine.safetensors does not exist"),
    ],
)
def test_what_can_not_be_learned_is_one_line_and_nothing_is_written(
    run: Run, mistakes: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(mistakes)
    before = set(mistakes.rglob("*"))
    output = [] if "-o" in arguments else ["-o", "mine.safetensors"]
    result = run("finetune", *arguments, *output)
    assert result.code == 2 and result.err.startswith("error: ") and result.err.count("\n") == 1, result
    assert re.search(message, result.err), result.err
    assert set(mistakes.rglob("*")) == before


def test_training_that_diverges_is_one_line(run: Run, here: Path) -> None:
    write_clips(here / "clips")
    result = run("finetune", "clips", "-o", "mine.safetensors", "--learning-rate", "1e30")
    assert result.code == 1 and result.err.count("\n") == 1
    assert "the loss is not finite: training diverged; a lower --learning-rate may help" in result.err
    assert not (here / "mine.safetensors").exists() and not (here / "mine.classifier.safetensors").exists()


def test_a_full_disk_is_no_wrong_usage(run: Run, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: int) -> None:
        raise OSError(28, "No space left on device")

    write_clips(here / "clips")
    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    result = run("finetune", "clips", "-o", "mine.safetensors", "-q")
    assert result.code == 1 and result.err.count("\n") == 1
    assert "No space left on device: 'mine.safetensors.parts/" in result.err


@pytest.mark.skipif(os.name != "posix", reason="signals are the system's")
def test_a_run_that_was_killed_continues(run: Run, here: Path) -> None:
    write_clips(here / "clips", count=12)
    arguments = ["finetune", "clips", "-o", "mine.safetensors", "--epochs", "6", "--threads", "1", "-q"]

    def dying() -> None:
        forked.kill_at(2, "fold1.safetensors")
        main([*arguments, "--save-every", "0"])

    assert forked.wait(forked.start(dying)) == -signal.SIGKILL
    assert {path.name for path in here.iterdir()} == {"clips", "mine.safetensors.parts"}
    done = (here / "mine.safetensors.parts/fold0.safetensors").stat().st_mtime_ns
    result = run(*arguments, "--learning-rate", "0.5")
    assert result.code == 2 and "holds the beginning of a run with other recipe" in result.err
    assert (here / "mine.safetensors.parts/fold0.safetensors").stat().st_mtime_ns == done
    assert run(*arguments) == (0, "", "")
    killed = {path.name: path.read_bytes() for path in here.glob("mine*")}
    for path in here.glob("mine*"):
        path.unlink()
    assert run(*arguments) == (0, "", "")
    assert killed == {path.name: path.read_bytes() for path in here.glob("mine*")}
