"""Train one network for each of several packed sets in a fixed time, with everything on one device.

The speed is measured first, so that every network gets the same number of steps and the schedules end when the time
does. Runs that are continued keep their number of steps.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import torch

from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.training.distributed import Place
from byola_hear.pretraining.training.recipe import Recipe
from byola_hear.pretraining.training.sampler import Sampler
from byola_hear.pretraining.training.state import STATE_FILE, read_header
from byola_hear.pretraining.training.train import Trainer
from byola_hear.utils.text import one_line

#: Part of the time that is planned for. The rest is for saving, and for steps that take longer than measured.
PLANNED = 0.93
#: Minutes between two saved states. A run that is killed loses no more; saving takes about a second.
SAVE_EVERY = 2.0


def measured_seconds(
    cache: LogMelCache, recipe: Recipe, place: Place, precision: str, backend: str, n_steps: int = 20
) -> float:
    """Measure the seconds of a step of training, after as many steps to warm up.

    Args:
        cache: the audio, on the device.
        recipe: how to train.
        place: this process.
        precision: as for :class:`~byola_hear.pretraining.training.train.Trainer`.
        backend: as for :func:`train_several`.
        n_steps: number of steps to measure.
    """
    with tempfile.TemporaryDirectory() as scratch:
        trainer = Trainer(cache, recipe, Path(scratch), place, precision)
        trainer.compile(backend)
        sampler = Sampler(cache, recipe, place)
        sampler.start(0)
        for count in (n_steps, n_steps):
            _wait(place)
            begun = time.perf_counter()
            for _ in range(count):
                trainer.train_step(*sampler.next(trainer.step))
            _wait(place)
            seconds = (time.perf_counter() - begun) / count
    return seconds


def _compiling(
    cache: LogMelCache, recipe: Recipe, place: Place, precision: str, backend: str, report: Callable[[str], None]
) -> str:
    """The backend if steps can be done with it here, else none: compiling needs programs that a machine may lack.

    The compiled code serves all networks of this shape, so little time is lost.
    """
    if backend:
        try:
            measured_seconds(cache, recipe, place, precision, backend, n_steps=1)
        except (torch.OutOfMemoryError, ValueError):
            raise
        except Exception as error:  # each backend has errors of its own
            reason = one_line(error).partition(" Set TORCH")[0]
            report(f"the networks are not compiled, as torch.compile does not work here: {reason}")
            return ""
    return backend


def train_several(
    sets: Mapping[str, LogMelCache],
    recipe: Recipe,
    folder: Path,
    place: Place,
    minutes: float,
    precision: str = "auto",
    backend: str = "",
    n_measured: int = 20,
    most_steps: int | None = None,
    report: Callable[[str], None] = lambda line: None,
    on_trained: Callable[[str], None] = lambda name: None,
) -> list[str]:
    """Train a network on each set: the same recipe, the same number of steps, in a fixed time.

    Args:
        sets: caches by name, on the device.
        recipe: how to train. Its number of steps is replaced.
        folder: folder of the runs. If one is in it already, it is resumed, and all get its number of steps.
        place: this process.
        minutes: time for all networks together, measuring included.
        precision: as for :class:`~byola_hear.pretraining.training.train.Trainer`.
        backend: how the networks are compiled; see :meth:`~byola_hear.pretraining.training.train.Trainer.compile`. If
            it does not work here, they are not.
        n_measured: steps to measure the speed on.
        most_steps: largest number of steps of a network, whatever the time allows.
        report: called with a line of text after every part of the work.
        on_trained: called with the name of each set when its network is trained or time is over, before the next one
            begins: what is killed later does not take this network with it.

    Returns:
        The names of the sets whose networks are not finished. The same call resumes them.

    Raises:
        ValueError: if the recipe does not suit a set, or there is no time for a step, or the folder holds runs of
            something else, or of more steps than ``most_steps``.
        FloatingPointError: if training diverges.
    """
    begun = time.perf_counter()
    _check_sets(sets, recipe, place)
    steps = _steps_of_runs(folder, sets)
    first = next(iter(sets.values()))
    backend = _compiling(first, recipe, place, precision, backend, report)
    if steps is None:
        seconds = measured_seconds(first, recipe, place, precision, backend, n_measured)
        left = minutes * 60 * PLANNED - (time.perf_counter() - begun)
        steps = int(left / seconds / len(sets))
        if steps < 1:
            raise ValueError(f"expected more than {minutes:g} minutes: a step takes {seconds:.2f} s")
        steps = min(steps, most_steps or steps)
        report(f"{recipe.batch_size / seconds:.0f} crops/s: {steps} steps for each of {len(sets)} networks")
    elif most_steps is not None and steps > most_steps:
        raise ValueError(f"{folder}: holds runs of {steps} steps, more than {most_steps}; choose another folder")
    else:
        report(f"{folder}: its runs are continued: {steps} steps for each of {len(sets)} networks")
    recipe = replace(recipe, steps=steps, warm_up_steps=min(recipe.warm_up_steps, steps // 10))
    unfinished = []
    for name, cache in sets.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        trainer = Trainer(cache, recipe, folder / name, place, precision)
        trainer.compile(backend)
        # The last network is stopped in time, if steps take longer than measured; it can be resumed.
        finished = trainer.train(minutes - (time.perf_counter() - begun) / 60, SAVE_EVERY)
        state = "finished" if finished else "stopped"
        report(f"{name}: {trainer.crops} crops in {trainer.seconds / 60:.1f} minutes, {state}")
        unfinished += [] if finished else [name]
        on_trained(name)
    return unfinished


def _check_sets(sets: Mapping[str, LogMelCache], recipe: Recipe, place: Place) -> None:
    """Refuse a recipe that does not suit one of the sets, before time is spent on the others."""
    for name, cache in sets.items():
        try:
            Sampler(cache, recipe, place)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None


def _steps_of_runs(folder: Path, names: Iterable[str]) -> int | None:
    """The steps of the runs in a folder; None if it holds none. Each trainer checks that its run has as many."""
    for name in names:
        if (folder / name / STATE_FILE).exists():
            return int(read_header(folder / name)["recipe"]["steps"])
    return None


def _wait(place: Place) -> None:
    """Wait for the work of a GPU, which runs on its own."""
    if place.device.type == "cuda":
        torch.cuda.synchronize(place.device)
