"""Commands that are killed at random moments, again and again, until they have finished."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import soundfile
import torch
from safetensors.numpy import load_file
from torch import nn

from benchmark import CLIPS
from benchmark.baselines.untrained import untrained_network
from benchmark.faults.proof import Found, Settings, collection, finished, last_line, random_for, start
from byola_hear.models.checkpoint import save_checkpoint
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.model import ByolaModel
from byola_hear.models.pooling.combination import MAX_MEAN
from byola_hear.pretraining.training.state import STATE_FILE
from byola_hear.tables import read_table
from byola_hear.utils.files import file_hash

#: A command that did not finish in so many starts makes no progress.
MOST_STARTS = 200


def digest_of_table(path: Path) -> str:
    """SHA-256 of a table's index and numbers, in their order."""
    table = read_table(path)
    index = repr(table.index.names) + repr(table.index.tolist())
    return hashlib.sha256(index.encode() + np.ascontiguousarray(table.to_numpy()).tobytes()).hexdigest()


def digest_of_folder(path: Path) -> str:
    """SHA-256 of all files below a folder, with their names: a temporary file that is left behind counts."""
    digest = hashlib.sha256()
    for file in sorted(path.rglob("*")):
        if file.is_file():
            digest.update(f"{file.relative_to(path)}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and everything that it started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def killed_until_done(
    settings: Settings,
    name: str,
    command: Callable[[Path], Sequence[str]],
    digest: Callable[[Path], str],
    what: str,
    success: int = 0,
    strike: Callable[[subprocess.Popen[bytes]], None] = kill,
) -> Found:
    """Kill a command at random moments, ``settings.kills`` times in all, and finish it as often as that takes.

    Args:
        settings: of all proofs.
        name: name of the proof.
        command: the arguments after ``python -m`` that write an output.
        digest: what must be the same after all kills.
        what: the command, in words.
        success: the command's exit code when it is done.
        strike: kills the command, or a part of it, and waits for its end.

    Returns:
        What was found; a fault is an output that differs, or a command that fails or never ends.
    """
    found = Found(f"{what}, killed at random moments and given again; the output is compared with an undisturbed one")
    rng, work = random_for(settings, name), settings.work / name
    work.mkdir(parents=True, exist_ok=True)
    log = work / "log.txt"
    began = time.monotonic()
    undisturbed = work / "undisturbed"
    code = finished(command(undisturbed), log)
    seconds = time.monotonic() - began
    if code != success:
        found.faults.append(f"the undisturbed command ended with {code}: {last_line(log)}")
        return found
    expected = digest(undisturbed)
    outputs = 0
    while found.tried < settings.kills and not found.faults:
        output, starts = work / f"output{outputs}", 0
        while True:
            process = start(command(output), log)
            starts += 1
            # Most moments lie in the work itself, and some in the start of Python and in the end.
            moment = rng.uniform(0.1, 1.1) * seconds if found.tried < settings.kills else None
            try:
                code = process.wait(moment)
            except subprocess.TimeoutExpired:
                strike(process)
                found.tried += 1
                if starts < MOST_STARTS:
                    continue
                found.faults.append(f"output {outputs} was not finished after {starts} starts")
            break
        # A command that was killed after its last rename finds its output complete.
        complete = starts > 1 and code == 2 and " exists" in last_line(log)
        if code != success and not complete:
            found.faults.append(f"output {outputs} ended with {code}: {last_line(log)}")
        elif not found.faults and digest(output) != expected:
            found.faults.append(f"output {outputs} differs from the undisturbed one")
        outputs += 1
    found.figures = {"outputs": outputs, "seconds undisturbed": round(seconds, 1)}
    return found


def embed(settings: Settings) -> Found:
    """``byola-hear embed`` of a collection with a file that can't be read."""
    sounds = collection(settings.work / "killed_embed_sounds", 300)
    (sounds / "broken.wav").write_bytes(b"RIFF no sound")

    def command(output: Path) -> Sequence[str]:
        return ("byola_hear", "embed", str(sounds), "-o", f"{output}.parquet", "-q")

    return killed_until_done(
        settings,
        "killed_embed",
        command,
        lambda output: digest_of_table(Path(f"{output}.parquet")) + Path(f"{output}.parquet.errors.csv").read_text(),
        "`byola-hear embed` of 301 files, one of them broken",
        success=1,  # the broken file is in the table of errors
    )


def predict(settings: Settings) -> Found:
    """``byola-hear predict`` with a classifier that was learned from the real clips."""
    classes = settings.work / "killed_predict_classes"
    for clip in sorted(CLIPS.iterdir()):
        if clip.suffix != ".md":
            label = "speech" if clip.name.startswith("speech") else "sound"
            (classes / label).mkdir(parents=True, exist_ok=True)
            for copy in range(2):  # learning takes three examples of a class
                (classes / label / f"{copy}_{clip.name}").write_bytes(clip.read_bytes())
    classifier, log = settings.work / "killed_predict.safetensors", settings.work / "killed_predict_learn.txt"
    code = finished(("byola_hear", "learn", str(classes), "-o", str(classifier), "--overwrite"), log)
    if code:
        return Found("`byola-hear predict`", faults=[f"learn ended with {code}: {last_line(log)}"])
    sounds = collection(settings.work / "killed_predict_sounds", 150)
    arguments = ("byola_hear", "predict", str(classifier), str(sounds), "--threshold", "0", "-q")
    return killed_until_done(
        settings,
        "killed_predict",
        lambda output: (*arguments, "-o", f"{output}/"),
        digest_of_folder,
        "`byola-hear predict` of 150 recordings",
    )


def finetune(settings: Settings) -> Found:
    """``byola-hear finetune`` of a small network, saved at every step.

    The classes are tones that rise and tones that fall, and the network's kernels are the same forwards and backwards
    in time. So its embeddings don't tell the classes apart. Training helps by a wide margin (it did with each of six
    seeds), and a network is written: the figure "networks written" says how often.
    """
    what = "`byola-hear finetune` of a small network, with a report"
    sounds, network = settings.work / "killed_finetune_sounds", settings.work / "killed_finetune_small.safetensors"
    write_sweeps(sounds, settings.seed)
    save_checkpoint(network, blind_to_direction())
    recipe = ("--epochs", "12", "--folds", "2", "--learning-rate", "1e-3", "--threads", "1", "--save-every", "0")

    def command(output: Path) -> Sequence[str]:
        output.mkdir(exist_ok=True)
        arguments = ("finetune", str(sounds), "--model", str(network), "-o", str(output / "mine.safetensors"))
        return ("byola_hear", *arguments, "--report", str(output / "report.html"), "-q", *recipe)

    def digest(output: Path) -> str:
        files = {file.name: file_hash(file) for file in output.iterdir()}
        return repr(sorted(files.items()))

    found = killed_until_done(settings, "killed_finetune", command, digest, what)
    written = settings.work / "killed_finetune" / "undisturbed" / "mine.safetensors"
    found.figures["networks written"] = found.figures.get("outputs", 0) if written.exists() else 0
    return found


def blind_to_direction() -> ByolaModel:
    """A small network with random kernels that are the same forwards and backwards in time."""
    shape = EncoderConfig(channels=8, hidden_size=20, dropout=0.1)
    model = untrained_network("small", shape, MAX_MEAN, seed=0, mean=-7.0, std=4.0)
    with torch.no_grad():
        for module in model.encoder.modules():
            if isinstance(module, nn.Conv2d):
                module.weight.copy_((module.weight + module.weight.flip(-1)) / 2)
    return model


def write_sweeps(folder: Path, seed: int, count: int = 100) -> None:
    """Write tones that rise ten times a second to ``folder/rising``, and that fall to ``folder/falling``."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        for label in ("rising", "falling"):
            low, high = rng.uniform(600, 900), rng.uniform(2500, 3500)
            place = (np.arange(8000) / 1600 + rng.uniform()) % 1
            frequency = low * (high / low) ** (place if label == "rising" else 1 - place)
            sound = 0.2 * np.sin(2 * np.pi * np.cumsum(frequency) / 16000) + rng.normal(0, 0.03, 8000)
            (folder / label).mkdir(parents=True, exist_ok=True)
            soundfile.write(folder / label / f"{number}.wav", sound, 16000)


def train(settings: Settings) -> Found:
    """``python -m byola_hear.pretraining train`` of a small network, saved at every step."""
    manifest, log = settings.work / "killed_train.csv", settings.work / "killed_train_manifest.txt"
    code = finished(("byola_hear.pretraining", "manifest", str(CLIPS), "-o", str(manifest)), log)
    if code:
        return Found("40 steps of pre-training", faults=[f"manifest ended with {code}: {last_line(log)}"])
    steps = ("--steps", "40", "--batch-size", "4", "--warm-up-steps", "4")
    small = ("--hidden-size", "32", "--channels", "8", "--projector-hidden", "32")
    return killed_until_done(
        settings,
        "killed_train",
        lambda output: (
            *("byola_hear.pretraining", "train", str(manifest), "-o", str(output), *steps, *small),
            *("--save-every", "0", "--workers", "1", "--threads", "1"),
        ),
        lambda output: hashlib.sha256(
            b"".join(
                name.encode() + values.tobytes() for name, values in sorted(load_file(output / STATE_FILE).items())
            )
        ).hexdigest(),
        "40 steps of pre-training",
    )
