"""The catalogue of tasks: their names and suites, and how each is built or fetched.

The module of a task is imported when the task is used, so that a missing package affects its own tasks only.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from benchmark.datasets.labelled_set import audio_folder, cache_folder
from benchmark.tasks.hear.table import HEAR_TASKS
from benchmark.tasks.layout import Prepared, read_task, write_task
from benchmark.tasks.task import Task

#: Tasks of the labelled sets, and the module that defines each as ``TASK`` or in ``TASKS``.
PUBLIC = {
    "spoken_digits": "public.spoken_digits",
    "speech_commands": "public.speech_commands",
    "language_id": "public.language_id",
    "speaker_id": "public.speakers",
    "speaker_gender": "public.speakers",
    "vocal_bursts": "public.vocal_bursts",
    "emodb": "public.emodb",
    "voice_activity": "public.voice_activity",
    "speaker_count": "public.speaker_count",
    "esc50": "public.esc50",
    "orchestral_notes": "public.orchestral_notes",
    "pitch": "public.orchestral_notes",
    "drum_strokes": "public.drum_strokes",
    "sound_events": "public.sound_events",
    "speech_music_other": "public.speech_music_other",
}

#: Tasks made of packages, and the module that defines each; its ``fetch(folder, progress)`` downloads the packages.
MINI = {
    "mini_vowels": "mini.phones",
    "mini_consonants": "mini.phones",
    "mini_percussion": "mini.percussion",
    "mini_animals_instruments": "mini.animals_instruments",
    "mini_drum_events": "mini.drum_events",
    "mini_speech_music_other": "mini.speech_music_other",
}

#: Names of tasks by suite: made of packages, made of the labelled sets, and HEAR's published tasks.
SUITES: dict[str, tuple[str, ...]] = {"mini": tuple(MINI), "public": tuple(PUBLIC), "hear": tuple(HEAR_TASKS)}


#: Former names of suites.
FORMER_SUITES = {"shared": "public"}


def _module(name: str) -> ModuleType:
    """The module that defines a task."""
    builders = {**PUBLIC, **MINI}
    if name not in builders:
        raise ValueError(f"expected a task out of {', '.join(builders)}, got {name!r}")
    return importlib.import_module(f"benchmark.tasks.{builders[name]}")


def _tasks(module: ModuleType) -> dict[str, Task]:
    """The tasks that a module defines, by name."""
    tasks: Iterable[Task] = getattr(module, "TASKS", None) or (module.TASK,)
    return {task.name: task for task in tasks}


def find(names: str | Iterable[str]) -> list[str]:
    """Look up tasks.

    Args:
        names: names of suites or tasks, as a list or separated by commas.

    Returns:
        The names of the tasks in the order given, each once.

    Raises:
        ValueError: if a name is neither a suite nor a task.

    >>> find("pitch,esc50,pitch")
    ['pitch', 'esc50']
    """
    wanted = [name.strip() for name in (names.split(",") if isinstance(names, str) else names)]
    found: dict[str, None] = {}
    for name in wanted:
        if name in FORMER_SUITES:
            print(
                f"warning: the suite {name} is now called {FORMER_SUITES[name]}; the next version drops the old name",
                file=sys.stderr,
            )
            name = FORMER_SUITES[name]
        if name in SUITES:
            found.update(dict.fromkeys(SUITES[name]))
        elif any(name in suite for suite in SUITES.values()):
            found[name] = None
        else:
            known = ", ".join([*SUITES, *(task for suite in SUITES.values() for task in suite)])
            raise ValueError(f"expected a suite or a task out of {known}, got {name!r}")
    return list(found)


def task_of(name: str) -> Task:
    """The definition of a task of the suites ``public`` and ``mini``.

    Raises:
        ValueError: if they have no such task.
    """
    return _tasks(_module(name))[name]


def prepare(name: str, tasks_dir: Path, sources: Path | None = None, progress: bool = False) -> Prepared:
    """Build or fetch a task, unless it is in ``tasks_dir`` already and unchanged.

    Args:
        name: the task's name.
        tasks_dir: the folder of tasks in HEAR's layout.
        sources: the folder of labelled sets (see :func:`benchmark.datasets.labelled_set.audio_folder`). The sources of
            other tasks are downloaded to the cache folder.
        progress: show a bar on stderr.

    Returns:
        The task.

    Raises:
        ValueError: if there is no such task, or heareval would not run it as intended.
        FileNotFoundError: if its sources are missing.
    """
    if name in PUBLIC:
        return write_task(task_of(name), tasks_dir, audio_folder(sources), progress)
    if name in MINI:
        packages = cache_folder() / "packages"
        packages.mkdir(exist_ok=True)
        _module(name).fetch(packages, progress)
        return write_task(task_of(name), tasks_dir, packages, progress)
    if name in HEAR_TASKS:
        from benchmark.tasks.hear.archive import prepare_hear

        downloads = cache_folder() / "hear"
        downloads.mkdir(exist_ok=True)
        return read_task(prepare_hear(name, tasks_dir, downloads, progress))
    raise ValueError(f"expected a task out of {', '.join(find(list(SUITES)))}, got {name!r}")
