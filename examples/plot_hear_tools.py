"""
HEAR's tools from audio to score
================================

A labelled collection becomes a task in HEAR's layout, and HEAR's own commands embed it, train probes and score them.
"""

# %%
# Install the tools
# -----------------
# HEAR's tools can't be installed on today's Python as they are. In a checkout, ``make hear`` puts them into ``.venv``
# together with a small layer that makes them work. The first command here checks the module, the next two run a folder
# of tasks:
#
# .. code-block:: sh
#
#    hear-validator byola_hear --model speech
#    python -m heareval.embeddings.runner byola_hear --tasks-dir TASKS --embeddings-dir EMBEDDINGS
#    python -m heareval.predictions.runner EMBEDDINGS/byola_hear/* --grid faster
#
# This page runs the last two if it finds the tools.

import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from sounds import PERCUSSION, REPOSITORY

from byola_hear.audio import read_audio

sys.path.append(str(REPOSITORY))  # the benchmark is part of the checkout, not of the installed package
HAS_TOOLS = importlib.util.find_spec("heareval") is not None
print("HEAR's tools are", "installed" if HAS_TOOLS else "not installed: run `make hear` in a checkout")

# %%
# Make a task
# -----------
# A task is a folder with 16 kHz audio for each split, the labels as JSON, a vocabulary and some metadata.
# ``write_scene_task`` of the benchmark writes it from arrays. The strokes of each kind of percussion are dealt out
# to training, validation and test.

clips: dict[str, dict[str, list]] = {"train": {}, "valid": {}, "test": {}}
for folder in sorted(PERCUSSION.iterdir()):
    strokes = [read_audio(file, 16000) for file in sorted(folder.glob("*.flac"))]
    for split, first in (("train", 0), ("valid", 1), ("test", 2)):
        # Of every four strokes, two train the probe, one selects its settings and one tests it.
        clips[split][folder.name] = strokes[first::4] + (strokes[3::4] if split == "train" else [])
print({split: sum(map(len, kinds.values())) for split, kinds in clips.items()}, "strokes")

work = tempfile.TemporaryDirectory()
tasks, embeddings = Path(work.name, "tasks"), Path(work.name, "embeddings")
if HAS_TOOLS:
    from benchmark.hear_tools.example_tasks import write_scene_task

    write_scene_task(tasks / "percussion", clips, seconds=1.0)
    print(*sorted(path.relative_to(tasks).as_posix() for path in tasks.glob("*/*")), sep="\n")

# %%
# Embed and score
# ---------------
# The first command stores an embedding for each file. The second trains small networks on the embeddings with a grid of
# settings, selects on the validation split and scores the test split.


def run(*command: object) -> None:
    """Run one of HEAR's modules in the work folder."""
    subprocess.run([sys.executable, "-m", *map(str, command)], cwd=work.name, capture_output=True, check=True)


if HAS_TOOLS:
    run("heareval.embeddings.runner", "byola_hear", "--tasks-dir", tasks, "--embeddings-dir", embeddings)
    run("heareval.predictions.runner", embeddings / "byola_hear" / "percussion", "--grid", "faster")
    scores = json.loads((embeddings / "byola_hear" / "percussion" / "test.predicted-scores.json").read_text())
    print(f"accuracy on the test split: {scores['test']['test_top1_acc']:.2f}")
work.cleanup()

# %%
# Ten test sounds show that the tools work; they are too few to say how good a network is. ``python -m benchmark run``
# builds larger tasks from public sounds and makes a table of networks and baselines under these probes.
