"""Tasks on labelled sets, and their folds: the clips that train, choose the regularisation, and test.

Clips of a group are more similar than clips of a label: those of a speaker, of a source recording, or of a stroke
recorded by three microphones. Groups are never split: no clip of a tested group is trained on, even if the published
folds would.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from benchmark.tasks.public.labelled import LabelledClips
from benchmark.tasks.registry import task_of


@dataclass(frozen=True)
class Task:
    """A classification task on the clips of a set.

    Attributes:
        name: the task's name.
        source: the labelled set's name.
        title: short heading for a table.
        label: the manifest's column to predict.
        group: the column of the groups; None if every clip is its own group.
        fold: the column of the folds; None for the set's train, valid and test split; ``"made"`` for five folds made
            of whole groups.
        stratify: columns whose proportions the made folds keep.
        subset: column and value that clips must have; None for all clips.
        reserved: column and value of the clips that are never used to choose anything (see ``validation`` of
            :func:`folds`); None for the last fold.
        domain: ``speech`` or ``nonspeech``.
    """

    name: str
    source: str
    title: str
    label: str = "label"
    group: str | None = None
    fold: str | None = None
    stratify: tuple[str, ...] = ()
    subset: tuple[str, str] | None = None
    reserved: tuple[str, str] | None = None
    domain: str = ""


def _task(name: str, of_suite: str = "", reserved: tuple[str, str] | None = None) -> Task:
    """A task of the suite ``public`` as a task of the probe: the same labels, groups and folds, but all clips.

    Args:
        name: the task's name.
        of_suite: its name in the suite, if that is another.
        reserved: see :class:`Task`.
    """
    task = task_of(of_suite or name)
    clips = task.items
    if not isinstance(clips, LabelledClips):
        raise TypeError(f"task {task.name}: expected clips of one labelled set, got {clips!r}")
    fold = "made" if clips.shares else None if clips.split == "split" else clips.split
    return Task(
        name,
        clips.source,
        task.title,
        clips.label,
        clips.group,
        fold,
        clips.stratify,
        reserved=reserved,
        domain=task.domain,
    )


TASKS = {
    task.name: task
    for task in (
        # Leave one speaker out; choices never use the official test part of each speaker.
        _task("spoken_digits", reserved=("split", "test")),
        _task("speech_commands_12", "speech_commands"),
        _task("esc50"),
        _task("orchestral_notes"),
        _task("drum_strokes"),
        replace(_task("esc50"), name="esc10", title="esc10", subset=("esc10", "True")),
        _task("language_id"),
        _task("speaker_id"),
        _task("speaker_gender"),
        _task("vocal_bursts"),
        _task("emodb"),
    )
}

#: The five tasks whose mean describes a network.
CORE_TASKS = ("spoken_digits", "speech_commands_12", "esc50", "orchestral_notes", "drum_strokes")


def find_tasks(names: str | list[str] | tuple[str, ...]) -> list[Task]:
    """Find tasks by name.

    Args:
        names: ``"core"`` (the five), ``"all"``, a name, or several (a list, or separated by commas).

    Raises:
        ValueError: if there is no task of that name.
    """
    wanted = names.split(",") if isinstance(names, str) else list(names)
    found: dict[str, Task] = {}
    for name in (name.strip() for name in wanted):
        several = CORE_TASKS if name == "core" else tuple(TASKS) if name == "all" else (name,)
        for each in several:
            if each not in TASKS:
                raise ValueError(f"expected a task out of core, all, {', '.join(TASKS)}, got {each!r}")
            found[each] = TASKS[each]
    return list(found.values())


@dataclass(frozen=True)
class Fold:
    """Positions in the manifest: ``train``; ``choose``, the part of ``train`` that a first fit leaves out to choose the
    regularisation; and ``test``.
    """

    name: str
    train: np.ndarray
    choose: np.ndarray
    test: np.ndarray


def groups_of(task: Task, manifest: pd.DataFrame) -> np.ndarray:
    """``(n_clips,)`` the group of each clip."""
    return manifest[task.group or "file"].to_numpy(str)


def _need_columns(task: Task, manifest: pd.DataFrame) -> None:
    wanted = {task.label, task.group or "file", *task.stratify}
    wanted |= {task.fold} if task.fold not in (None, "made") else {"split"} if task.fold is None else set()
    wanted |= {pair[0] for pair in (task.subset, task.reserved) if pair}
    missing = sorted(str(column) for column in wanted if column not in manifest.columns)
    if missing:
        raise ValueError(
            f"task {task.name}: expected the columns {', '.join(missing)} in the manifest of {task.source}, "
            f"found {', '.join(manifest.columns)}"
        )


def _make_folds(task: Task, manifest: pd.DataFrame, n_folds: int, seed: int) -> np.ndarray:
    """``(n_clips,)`` number of each clip's fold; groups are kept together."""
    groups = groups_of(task, manifest)
    columns = list(task.stratify or (task.label,))
    mixture = manifest[columns].agg("|".join, axis=1).to_numpy(str)
    n_folds = min(n_folds, len(np.unique(groups)))
    if n_folds < 2:
        raise ValueError(f"task {task.name}: expected at least two groups to split between, found {n_folds}")
    smallest = min(np.unique(mixture, return_counts=True)[1])
    if smallest < n_folds:
        # Too rare for every fold: keep groups together and ignore the proportions.
        mixture = np.zeros(len(manifest), int)
    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed)
    made = np.empty(len(manifest), int)
    for number, (_, rows) in enumerate(splitter.split(mixture, mixture, groups)):
        made[rows] = number
    return made


def folds(task: Task, manifest: pd.DataFrame, validation: bool = False, seed: int = 0) -> list[Fold]:
    """Make a task's folds.

    For a set with a train, valid and test split, there is one fold: it trains on train and valid, tests on test, and
    the regularisation is chosen by a fit on train and scores on valid. For a set with folds, each is tested once; the
    next one chooses the regularisation and then trains together with the rest.

    Args:
        task: the task.
        manifest: the set's manifest.
        validation: whether to leave out the clips that are reserved for the table, to choose a training recipe: with a
            split, train on train and test on valid; with folds, use the folds of the other clips.
        seed: seed of made folds.

    Returns:
        The folds, as positions in ``manifest``.

    Raises:
        ValueError: if the manifest lacks a column or a part, or has a split of another name.
    """
    _need_columns(task, manifest)
    groups = groups_of(task, manifest)
    rows = np.arange(len(manifest))
    if task.subset:
        rows = rows[manifest[task.subset[0]].to_numpy(str) == task.subset[1]]
    if task.fold is None:
        splits = manifest["split"].to_numpy(str)[rows]
        parts = {name: rows[splits == name] for name in ("train", "valid", "test")}
        if strays := sorted(set(splits.tolist()) - set(parts)):
            raise ValueError(f"task {task.name}: expected the splits train, valid and test, found {strays[0]!r}, too")
        empty = [name for name, part in parts.items() if not len(part)]
        if empty:
            raise ValueError(f"task {task.name}: expected clips in train, valid and test, found none in {empty[0]}")
        if not validation:
            train = np.concatenate([parts["train"], parts["valid"]])
            return [_fold("test", train, parts["valid"], parts["test"], groups)]
        inner = _make_folds(task, manifest.iloc[parts["train"]], 4, seed)
        return [_fold("valid", parts["train"], parts["train"][inner == 0], parts["valid"], groups)]
    if task.fold == "made":
        assigned = np.full(len(manifest), "", dtype=object)
        assigned[rows] = _make_folds(task, manifest.iloc[rows], 5, seed).astype(str)
    else:
        assigned = manifest[task.fold].to_numpy(str).astype(object)
    names = sorted(set(assigned[rows]))
    if validation and task.reserved:
        rows = rows[manifest[task.reserved[0]].to_numpy(str)[rows] != task.reserved[1]]
    elif validation:
        rows = rows[assigned[rows] != names[-1]]
    names = sorted(set(assigned[rows]))
    if len(names) < 3:
        raise ValueError(f"task {task.name}: expected at least three folds, found {len(names)}")
    result = []
    for number, name in enumerate(names):
        following = names[(number + 1) % len(names)]
        test, choose = rows[assigned[rows] == name], rows[assigned[rows] == following]
        result.append(_fold(name, rows[assigned[rows] != name], choose, test, groups))
    return result


def _fold(name: str, train: np.ndarray, choose: np.ndarray, test: np.ndarray, groups: np.ndarray) -> Fold:
    """A fold without training clips of tested groups."""
    tested = np.unique(groups[test])
    return Fold(name, train[~np.isin(groups[train], tested)], choose[~np.isin(groups[choose], tested)], test)


def thin(task: Task, manifest: pd.DataFrame, max_clips: int | None, seed: int = 0) -> np.ndarray:
    """Choose at most ``max_clips`` clips and keep the proportions of parts and, where there is room, of labels.

    Returns:
        ``(n_kept,)`` sorted positions.
    """
    n_clips = len(manifest)
    if max_clips is None or n_clips <= max_clips:
        return np.arange(n_clips)
    columns = [task.label] + [c for c in (task.fold, "split") if c in manifest.columns and c != task.label]
    rng = np.random.default_rng(seed)
    shuffled = manifest.iloc[rng.permutation(n_clips)]
    cells = shuffled.groupby(columns, sort=False)
    # Each clip's place within its cell, as a fraction: the lowest fractions are an even sample of all cells.
    begin: pd.Series | float = 0.5
    if cells.ngroups > max_clips:
        # A label's cells begin alike, so that labels that are tested are also trained on.
        labels = rng.permutation(np.unique(shuffled[task.label].to_numpy(str)))
        begin = shuffled[task.label].map(dict(zip(labels, (np.arange(len(labels)) + 1) / (2 * len(labels)))))
    place = (cells.cumcount() + begin) / cells[task.label].transform("size")
    positions = pd.Series(place.to_numpy(), index=shuffled.index.map(dict(zip(manifest.index, range(n_clips)))))
    return np.sort(positions.sort_values(kind="stable").index.to_numpy()[:max_clips])
