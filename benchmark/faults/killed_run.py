"""``python -m benchmark run``, killed as a whole and worker by worker."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import os
import random
import signal
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from benchmark.faults.killed import kill, killed_until_done
from benchmark.faults.proof import Found, Settings, random_for

TASKS, MODELS = ("drum_strokes", "orchestral_notes"), ("logmel",)
RATE, SECONDS = 16000, 0.25
#: Times, which no two runs share.
TIMES = ["embedding_seconds", "prediction_seconds"]


def run(settings: Settings) -> Found:
    """A run of two cells. Every second time, only one of its workers is killed."""
    name = "killed_run"
    what = f"`python -m benchmark run` of {len(MODELS) * len(TASKS)} cells; every second kill takes one worker alone"
    if importlib.util.find_spec("heareval") is None:
        return Found(what, not_tried="heareval, one of HEAR's tools, is missing (make hear)")
    sources = settings.work / f"{name}_sets"
    write_sets(sources, settings.seed)
    rng, workers = random_for(settings, f"{name} worker"), 0

    def strike(process: subprocess.Popen[bytes]) -> None:
        nonlocal workers
        if rng.random() < 0.5 and kill_worker(process, rng):
            workers += 1
            process.wait()  # the cell has failed, and the other cells are measured
        else:
            kill(process)

    def command(output: Path) -> Sequence[str]:
        chosen = ("--tasks", ",".join(TASKS), "--models", ",".join(MODELS), "--grid", "faster", "--grid-points", "1")
        folders = ("--sources", str(sources), "--cache", f"{output}-cache", "-o", str(output))
        return ("benchmark", "run", *chosen, *folders, "--no-progress")

    found = killed_until_done(settings, name, command, digest_of_run, what, strike=strike)
    found.figures["kills of one worker"] = workers
    return found


def kill_worker(process: subprocess.Popen[bytes], rng: random.Random) -> bool:
    """Kill one of a process's children.

    Returns:
        False if it has none.
    """
    try:
        lists = [file.read_text().split() for file in Path(f"/proc/{process.pid}/task").glob("*/children")]
    except OSError:
        return False
    children = sorted(int(child) for each in lists for child in each)
    if not children:
        return False
    try:
        os.kill(rng.choice(children), signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def digest_of_run(output: Path) -> str:
    """What a run's table says, without the times: its cells, its scores, and every prediction.

    A cell that is missing, or there twice, changes it.
    """
    cells = json.loads((output / "run.json").read_text())["cells"]
    measured = sorted((cell["model"], cell["task"], cell["status"] in ("done", "cached")) for cell in cells)
    scores = pd.read_csv(output / "scores.csv").drop(columns=TIMES)
    digest = hashlib.sha256(f"{measured}\n{scores.to_csv(index=False)}".encode())
    for path in sorted(output.glob("outcomes/*/*.npz")):
        digest.update(str(path.relative_to(output)).encode())
        with np.load(path, allow_pickle=False) as outcome:  # but for its header, which has the times
            for name in ("files", "scores", "counts", "target", "predicted"):
                digest.update(np.ascontiguousarray(outcome[name]).tobytes())
    return digest.hexdigest()


def write_sets(folder: Path, seed: int) -> None:
    """Labelled sets in the form of those that the tasks are made of: tones of three classes."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    columns = {"drum_strokes": ("stroke", "microphone"), "orchestral_notes": ("note", "midi_pitch", "dynamics")}
    for name in TASKS:
        rows, clips = [], []
        for index in range(48):
            label, split = index % 3, ("train", "train", "valid", "test")[index // 3 % 4]
            others = {column: str(index) for column in columns[name]}
            rows.append({"file": f"{index}.wav", "label": "abc"[label], "split": split, **others})
            tone = np.sin(2 * np.pi * 300 * 2**label * np.arange(round(RATE * SECONDS)) / RATE)
            clips.append(0.2 * tone + rng.normal(0, 0.2, len(tone)))
        write_set(folder / f"{name}.tar", rows, clips)


def write_set(path: Path, rows: Sequence[Mapping[str, str]], clips: Sequence[np.ndarray]) -> None:
    """Write a labelled set: a tar with a manifest and a WAV file for each of its rows."""
    members = {"manifest.csv": pd.DataFrame(rows).to_csv(index=False).encode()}
    for row, samples in zip(rows, clips, strict=True):
        stream = io.BytesIO()
        soundfile.write(stream, samples, RATE, format="WAV", subtype="PCM_16")
        members[f"audio/{row['file']}"] = stream.getvalue()
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(f"{path.stem}/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
