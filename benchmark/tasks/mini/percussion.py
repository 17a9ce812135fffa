"""Percussion: which instrument is struck? Single hits of many kits, from the samples of FoxDot for live coding."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np

from benchmark.datasets.labelled_set import SAMPLE_RATE
from benchmark.datasets.packages import decode, fetch_packages, package_files, stable_order
from benchmark.tasks.scenes.levels import active_run, delivered
from benchmark.tasks.task import Item, Task

PACKAGE = "foxdot"

#: Length of each file, s.
DURATION = 1.0

#: Active level of each file, dB relative to full scale.
LEVEL = -23.0

#: Folders below ``FoxDot/snd`` by kind of hit. Hits of synthesised game sounds are left out.
KINDS = {
    "kick": ("x/lower", "x/upper", "v/upper", "a/upper"),
    "snare": ("d/upper", "i/lower", "i/upper", "o/lower", "o/upper", "u/lower"),
    "hihat": ("_/hyphen", "_/equals", "_/colon", "n/lower", "n/upper"),
    "clap": ("_/asterix", "h/upper", "h/lower"),
    "tom": ("m/lower", "m/upper", "c/lower"),
    "cymbal": ("_/hash", "_/tilde"),
    "block": ("d/lower", "e/lower", "t/lower", "t/upper", "_/plus"),
}

#: Hits that are in the set twice, or almost: log-mels that correlate by 0.97 or more.
COPIES = frozenset(
    {
        "_/colon/hh01.wav",
        "_/plus/wb_0.wav",
        "a/upper/1_dist_kick.wav",
        "c/lower/conga_3.aif",
        "m/upper/tom (3).wav",
        "m/upper/tom (4).wav",
        "o/upper/O (5).wav",
        "o/upper/O (7).wav",
        "u/lower/soft_snare_4.wav",
        "v/upper/heavy 2.wav",
    }
)

#: Hits that sonic-pi-samples contains, too, or whose log-mels correlate by 0.969 or more with those of a sound that the
#: networks were trained on.
IN_PRETRAINING = frozenset(
    {
        "_/colon/hh02.wav",
        "_/colon/hh03.wav",
        "_/colon/hh04.wav",
        "d/upper/alt_snare_0.wav",
        "h/upper/clap_1.wav",
        "i/lower/1_jungle_snare.wav",
        "m/lower/0_tom.wav",
        "m/lower/1_tom.wav",
        "n/lower/Closedhat04.wav",
        "v/upper/heavy 0.wav",
        "v/upper/heavy 3.wav",
        "x/lower/1_kick_drum.wav",
        "x/lower/5_kick_drum.wav",
    }
)

FOLDS = tuple(f"fold{number}" for number in range(5))


def fetch(folder: Path, progress: bool = False) -> None:
    """Download the package to a folder (see :func:`benchmark.datasets.packages.fetch_packages`)."""
    fetch_packages(folder, [PACKAGE], progress)


def kind_of(path: str) -> str | None:
    """The kind of hit in a file of the package; None if it is not used."""
    name = path.removeprefix("FoxDot/snd/")
    is_sound = name != path and PurePosixPath(name).suffix.lower() in (".wav", ".aif")
    if not is_sound or name in COPIES or name in IN_PRETRAINING:
        return None
    return next((kind for kind, folders in KINDS.items() if name.rpartition("/")[0] in folders), None)


def hits(folder: Path) -> Iterator[tuple[str, str, str, np.ndarray]]:
    """Name, kind, fold and samples of each hit, without the silence before it, all equally loud.

    Raises:
        ValueError: if a kind has fewer hits than there are folds.
    """
    found: dict[str, list[tuple[str, bytes]]] = {kind: [] for kind in KINDS}
    for path, content in package_files(PACKAGE, folder, lambda path: kind_of(path) is not None):
        found[kind_of(path) or ""].append((path.removeprefix("FoxDot/snd/"), content))
    for kind, files in found.items():
        if len(files) < len(FOLDS):
            raise ValueError(f"{PACKAGE}: expected at least {len(FOLDS)} hits of {kind}, found {len(files)}")
        contents = dict(files)
        for number, name in enumerate(stable_order(contents)):
            yield name, kind, FOLDS[number % len(FOLDS)], trimmed(decode(name, contents[name]))


def trimmed(samples: np.ndarray) -> np.ndarray:
    """Cut the silence before a hit and what exceeds a file's length, and scale it to the common level."""
    start, _ = active_run(samples)
    return delivered(samples[start : start + round(DURATION * SAMPLE_RATE)], LEVEL)


def safe_name(name: str) -> str:
    """Make a valid file name: ``o/upper/O (2).wav`` → ``o_upper_O_2.wav``."""
    stem = PurePosixPath(name).with_suffix("").as_posix()
    return re.sub(r"[^A-Za-z0-9]+", "_", stem).strip("_") + ".wav"


def _items(folder: Path) -> Iterator[Item]:
    for name, kind, fold, samples in hits(folder):
        yield Item(f"{kind}_{safe_name(name)}", fold, samples, (kind,), safe_name(name))


TASKS = (
    Task(
        name="mini_percussion",
        title="percussion",
        domain="nonspeech",
        description="seven kinds of drums, cymbals and blocks of many kits, a hit each time, split by hit",
        embedding_type="scene",
        prediction_type="multiclass",
        splits=FOLDS,
        sample_duration=DURATION,
        evaluation=("top1_acc",),
        items=_items,
        sources=(PACKAGE,),
    ),
)
