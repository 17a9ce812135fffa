"""Checks of a task before it is written, for everything that heareval gets wrong silently or fails at hours later.

All of these were observed in heareval 2021.1.3 with current packages.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from benchmark.datasets.labelled_set import SAMPLE_RATE
from benchmark.tasks.task import Event, Item, Task

#: Scores of a clip, and of events in time.
SCENE_SCORES = ("top1_acc", "pitch_acc", "chroma_acc", "mAP", "d_prime", "aucroc")
EVENT_SCORES = (
    "event_onset_200ms_fms",
    "event_onset_50ms_fms",
    "event_onset_offset_50ms_20perc_fms",
    "segment_1s_er",
)

#: Items in heareval's training batches.
BATCH_SIZE = 1024

#: Shortest file of an event task, s: a model with a hop of one second has two timestamps in it.
LEAST_EVENT_SECONDS = 2.0

#: Keys of heareval's results; the names of folds are keys next to these.
RESULT_KEYS = ("aggregated_scores", "hparams", "postprocessing", "score_mode", "embedding_path")

_SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+#@-]*")


def vocabulary_text(labels: Sequence[str]) -> str:
    """The content of ``labelvocabulary.csv``: the index and name of each label."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["idx", "label"])
    writer.writerows(enumerate(labels))
    return text.getvalue()


def check_vocabulary(task: Task, labels: Sequence[str]) -> None:
    """Check that heareval reads the vocabulary as it was written. It uses pandas, which reads NA as a missing value and
    01 as 1.

    Raises:
        ValueError: if a label is read as another, or a multiclass task has fewer than two labels.
    """
    read = [str(label) for label in pd.read_csv(io.StringIO(vocabulary_text(labels)))["label"].astype(str)]
    changed = [f"{label!r} as {back!r}" for label, back in zip(labels, read) if label != back]
    if changed or len(read) != len(labels):
        raise ValueError(
            f"task {task.name}: expected labels that heareval can read back from its vocabulary, "
            f"but pandas reads {', '.join(changed[:3]) or f'{len(read)} of {len(labels)}'}"
        )
    if task.prediction_type == "multiclass" and len(labels) < 2:
        raise ValueError(f"task {task.name}: expected at least two labels, found {list(labels)}")
    if "chroma_acc" in task.evaluation:
        # heareval takes the index in the vocabulary modulo 12 for the pitch class.
        numbers = [int(label) if label.isdigit() else -1 for label in labels]
        if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
            raise ValueError(
                f"task {task.name}: expected consecutive MIDI numbers as labels for chroma_acc, "
                f"found {', '.join(labels)}"
            )


def check_definition(task: Task) -> None:
    """Check the definition of a task.

    Raises:
        ValueError: if heareval would not run it as intended.
    """
    folds = task.split_mode != "trainvaltest"
    if folds and (len(task.splits) < 3 or {"train", "valid", "test"} & set(task.splits)):
        raise ValueError(
            f"task {task.name}: expected the splits train, valid and test, or three folds or more, got {task.splits}"
        )
    for name in (task.name, *task.splits):
        if not _SAFE_NAME.fullmatch(name) or name in RESULT_KEYS:
            raise ValueError(f"task {task.name}: expected a folder name of letters and digits, got {name!r}")
    if len({split.lower() for split in task.splits}) != len(task.splits):
        raise ValueError(f"task {task.name}: expected each split once, got {task.splits}")
    known = EVENT_SCORES if task.embedding_type == "event" else SCENE_SCORES
    unknown = [score for score in task.evaluation if score not in known]
    if unknown or not task.evaluation:
        raise ValueError(
            f"task {task.name}: expected scores of {task.embedding_type} tasks out of {', '.join(known)}, "
            f"got {', '.join(unknown) or 'none'}"
        )
    if task.embedding_type == "event" and task.prediction_type != "multilabel":
        raise ValueError(f"task {task.name}: expected multilabel, since events may overlap, got {task.prediction_type}")
    least = LEAST_EVENT_SECONDS if task.embedding_type == "event" else 1 / SAMPLE_RATE
    # Without a duration, which heareval allows, it embeds file by file.
    if not isinstance(task.sample_duration, (int, float)) or not least <= task.sample_duration < float("inf"):
        raise ValueError(
            f"task {task.name}: expected files of at least {least:g} s, got {task.sample_duration!r}: "
            "no event can be found with a single timestamp"
        )
    grid = task.evaluation_params.get("event_postprocessing_grid")
    if grid is not None and (set(grid) != {"median_filter_ms", "min_duration"} or not all(grid.values())):
        raise ValueError(
            f"task {task.name}: expected median_filter_ms and min_duration with values in its "
            f"event_postprocessing_grid, got {grid}"
        )
    if task.evaluation[0] == "segment_1s_er" and (grid is None or max(map(len, grid.values())) > 1):
        # heareval selects the postprocessing with the highest score, even if lower is better.
        raise ValueError(
            f"task {task.name}: expected a single combination in its event_postprocessing_grid, since an error rate "
            f"selects the probe, got {grid}"
        )


def check_item(task: Task, item: Item) -> None:
    """Check the name, split and labels of a file.

    Raises:
        ValueError: if heareval would refuse or misread it.
    """
    where = f"task {task.name}: {item.file}"
    if not _SAFE_NAME.fullmatch(item.file) or not item.file.endswith(".wav") or "embedding.npy" in item.file:
        raise ValueError(f"{where}: expected a name of ASCII letters and digits, without spaces, that ends in .wav")
    if item.split not in task.splits:
        raise ValueError(f"{where}: expected a split out of {', '.join(task.splits)}, got {item.split!r}")
    kind = Event if task.embedding_type == "event" else str
    if not all(isinstance(label, kind) for label in item.labels):
        raise ValueError(f"{where}: expected labels of type {kind.__name__}, got {item.labels}")
    if task.prediction_type == "multiclass" and len(item.labels) != 1:
        raise ValueError(f"{where}: expected exactly one label, got {item.labels}")
    if not all(label.label if isinstance(label, Event) else label for label in item.labels):
        raise ValueError(f"{where}: expected labels with a name, got an empty one")
    if len(set(item.labels)) != len(item.labels):
        raise ValueError(f"{where}: expected each label once, got {item.labels}")
    end_of_label: dict[str, float] = {}
    events = [label for label in item.labels if isinstance(label, Event)]
    for event in sorted(events, key=lambda event: event.start_ms):
        if not 0 <= event.start_ms < event.end_ms <= task.sample_duration * 1000 + 1e-6:
            raise ValueError(
                f"{where}: expected events within its {task.sample_duration * 1000:g} ms, got {event.label} from "
                f"{event.start_ms:g} to {event.end_ms:g} ms"
            )
        if event.start_ms < end_of_label.get(event.label, 0):
            raise ValueError(
                f"{where}: expected events of one label not to overlap, since heareval can't separate them, got "
                f"{event.label} from {event.start_ms:g} ms, the last one ends at {end_of_label[event.label]:g} ms"
            )
        end_of_label[event.label] = event.end_ms


def fixed_length(task: Task, item: Item) -> np.ndarray:
    """An item's samples as they are written: cut or padded with silence to the length of all files of the task.

    Returns:
        ``(n_samples,)`` int16.

    Raises:
        ValueError: if all samples are zero, or a 16-bit file can't hold them.
    """
    samples = item.samples() if callable(item.samples) else item.samples
    where = f"task {task.name}: {item.file}"
    if samples.ndim != 1 or not np.issubdtype(samples.dtype, np.floating):
        raise ValueError(f"{where}: expected samples (n_samples,) of floats, got {samples.shape} {samples.dtype}")
    n_samples = round(task.sample_duration * SAMPLE_RATE)
    samples = samples[:n_samples]
    peak = float(np.abs(samples).max(initial=0))
    if not 0 < peak <= 1:
        # Some models return NaN for silence, at which heareval stops.
        raise ValueError(f"{where}: expected samples in [-1, 1] that are not all zero, found a peak of {peak:g}")
    # 16-bit samples were divided by 32768 when they were read, so they come back unchanged.
    written = np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int16)
    return np.pad(written, (0, n_samples - len(written)))


def check_files(task: Task, placed: Sequence[tuple[str, str, str, frozenset[str]]]) -> None:
    """Check all files of a task together.

    Args:
        task: the task.
        placed: name, split, groups (separated by spaces) and labels of each file.

    Raises:
        ValueError: if a name comes twice, a group is in two splits, a split lacks a label (unless the task is
            sparse), or training would fail.
    """
    split_of_group: dict[str, str] = {}
    names: set[str] = set()
    counts = dict.fromkeys(task.splits, 0)
    found: dict[str, set[str]] = {split: set() for split in task.splits}
    for file, split, group, labels in placed:
        # Names that differ in case only are one file on some systems.
        if file.lower() in names:
            raise ValueError(f"task {task.name}: expected each file name once, got {file!r} twice")
        names.add(file.lower())
        for each in group.split():
            if split_of_group.setdefault(each, split) != split:
                raise ValueError(
                    f"task {task.name}: expected each group in one split, found {each!r} in {split_of_group[each]} "
                    f"and {split} ({file})"
                )
        counts[split] += 1
        found[split] |= labels
    empty = [split for split, count in counts.items() if not count]
    if empty:
        raise ValueError(f"task {task.name}: expected files in each split, found none in {', '.join(empty)}")
    vocabulary = set().union(*found.values())
    # An accuracy does not need every pitch in the test split, but a pitch without training can't be recognised.
    needed = ("train",) if "pitch_acc" in task.evaluation and "train" in task.splits else task.splits
    needed = () if task.sparse else needed
    for split in needed:
        if vocabulary - found[split]:
            missing = ", ".join(sorted(vocabulary - found[split])[:5])
            raise ValueError(f"task {task.name}: expected each label in each split, found none of {missing} in {split}")
    if task.embedding_type == "event":
        return
    for train in training_splits(task):
        n_train = sum(counts[split] for split in train)
        if n_train % BATCH_SIZE == 1:
            raise ValueError(
                f"task {task.name}: expected no training batch of a single file, at which batch normalisation fails, "
                f"found {n_train} files in {', '.join(train)} and batches of {BATCH_SIZE}"
            )


def training_splits(task: Task) -> list[tuple[str, ...]]:
    """The splits that heareval trains on, for each of its tests.

    Folds are sorted. Each is tested once; the next one is for validation and the others for training.
    """
    if task.split_mode == "trainvaltest":
        return [("train",)]
    folds = sorted(task.splits)
    return [
        tuple(fold for fold in folds if fold not in (folds[number], folds[(number + 1) % len(folds)]))
        for number in range(len(folds))
    ]
