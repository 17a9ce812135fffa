"""Write a task in the layout that heareval reads, all of it or nothing, and find it again.

::

    TASKS_DIR/<task>/
      task_metadata.json  labelvocabulary.csv  <split>.json
      16000/<split>/<file>.wav
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import sys
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import soundfile
from tqdm import tqdm

from benchmark.datasets.labelled_set import SAMPLE_RATE
from benchmark.tasks.building import built_beside
from benchmark.tasks.checks import (
    check_definition,
    check_files,
    check_item,
    check_vocabulary,
    fixed_length,
    vocabulary_text,
)
from benchmark.tasks.task import Domain, Event, Item, Task
from byola_hear.utils.files import file_hash, naming

METADATA = "task_metadata.json"
VOCABULARY = "labelvocabulary.csv"

#: Bytes before the samples in a WAV file of 16-bit samples.
WAV_HEADER = 44

#: Keys of the metadata that affect neither heareval nor any score.
DESCRIPTIVE = ("title", "domain", "description", "definition_sha256", "content_sha256")


@dataclass(frozen=True)
class Prepared:
    """A task that is ready to run.

    Attributes:
        name: its name, and its folder's.
        title: short heading for a table.
        domain: kind of its sounds.
        description: one line.
        folder: its folder, ``TASKS_DIR/<name>``.
        sha256: hash of everything that a score may depend on: audio, labels, splits and heareval's settings.
        metadata: content of ``task_metadata.json``.
    """

    name: str
    title: str
    domain: Domain
    description: str
    folder: Path
    sha256: str
    metadata: dict[str, Any]


def write_task(task: Task, tasks_dir: Path, sources: Path, progress: bool = False) -> Prepared:
    """Build a task in HEAR's layout, unless it exists already.

    Args:
        task: the definition of the task.
        tasks_dir: the folder of tasks; created if necessary. A different task of the same name is replaced.
        sources: the folder of the task's sources.
        progress: show a bar on stderr.

    Returns:
        The task.

    Raises:
        ValueError: if heareval would not run the task as intended. Nothing is written in that case.
        FileNotFoundError: if a source is missing.
    """
    check_definition(task)
    folder = tasks_dir / task.name
    definition = definition_hash(task, sources)
    if is_complete(folder) and _metadata_of(folder).get("definition_sha256") == definition:
        return read_task(folder)
    with naming(folder), built_beside(tasks_dir, task.name) as built:
        built.mkdir()
        _build(task, built, sources, definition, progress)
    return read_task(folder)


def _build(task: Task, folder: Path, sources: Path, definition: str, progress: bool) -> None:
    """Write all files of a task into an empty folder."""
    truth: dict[str, dict[str, list[Any]]] = {split: {} for split in task.splits}
    placed: list[tuple[str, str, str, frozenset[str]]] = []
    digests: list[str] = []
    for split in task.splits:
        (folder / str(SAMPLE_RATE) / split).mkdir(parents=True)
    for item in tqdm(task.items(sources), f"write {task.name}", unit="file", disable=not progress, leave=False):
        check_item(task, item)
        samples = fixed_length(task, item)
        target = _target(item)
        # Via memory: libsndfile flushes each file that it writes to the disk, which takes longer than the rest.
        encoded = io.BytesIO()
        soundfile.write(encoded, samples, SAMPLE_RATE, format="WAV", subtype="PCM_16")
        (folder / str(SAMPLE_RATE) / item.split / item.file).write_bytes(encoded.getbuffer())
        names = frozenset(label.label if isinstance(label, Event) else label for label in item.labels)
        placed.append((item.file, item.split, item.group, names))
        truth[item.split][item.file] = target
        header = json.dumps([item.split, item.file, target]).encode()
        digests.append(hashlib.sha256(header + b"\0" + samples.tobytes()).hexdigest())
    check_files(task, placed)
    labels = sorted(set().union(*(names for _, _, _, names in placed)), key=_place)
    check_vocabulary(task, labels)
    metadata = _metadata(task)
    scored = {key: value for key, value in metadata.items() if key not in DESCRIPTIVE}
    content = json.dumps([scored, labels, sorted(digests)], sort_keys=True)
    metadata["definition_sha256"] = definition
    metadata["content_sha256"] = hashlib.sha256(content.encode()).hexdigest()
    for split, files in truth.items():
        # Sorted by name, because heareval shuffles the order that it finds.
        (folder / f"{split}.json").write_text(json.dumps(dict(sorted(files.items())), indent=0))
    (folder / VOCABULARY).write_text(vocabulary_text(labels), encoding="utf-8")
    (folder / METADATA).write_text(json.dumps(metadata, indent=2))


def _metadata(task: Task) -> dict[str, Any]:
    """The content of ``task_metadata.json``: what heareval reads, and what a table shows."""
    return {
        "task_name": task.name,
        "embedding_type": task.embedding_type,
        "prediction_type": task.prediction_type,
        "split_mode": task.split_mode,
        "splits": list(task.splits),
        "sample_duration": task.sample_duration,
        "evaluation": list(task.evaluation),
        # With the loss instead, heareval could not select an event task's postprocessing.
        "use_scoring_for_early_stopping": True,
        "evaluation_params": task.evaluation_params,
        "title": task.title,
        "domain": task.domain,
        "description": task.description,
    }


def _target(item: Item) -> list[Any]:
    """An item's labels as heareval's JSON has them."""
    return [
        {"label": label.label, "start": float(label.start_ms), "end": float(label.end_ms)}
        if isinstance(label, Event)
        else label
        for label in item.labels
    ]


def _place(label: str) -> tuple[int, str]:
    """Sort key of a label in the vocabulary: numbers by value, then names."""
    return (int(label), "") if re.fullmatch(r"[0-9]{1,9}", label) else (10**9, label)


def definition_hash(task: Task, sources: Path) -> str:
    """Hash of how a task is built: its definition, the code that builds it and the content of its sources."""
    described = {each.name: repr(getattr(task, each.name)) for each in fields(task)}
    # The address of a function differs from run to run.
    described["items"] = re.sub(r" at 0x[0-9a-f]+", "", described["items"])
    builder = task.items
    while isinstance(builder, partial):  # its own module is that of functools
        builder = builder.func
    home = getattr(builder, "__module__", None) or type(builder).__module__
    code: dict[str, str] = {}
    for module in (home, __name__):
        _collect_code(sys.modules[module], code)
    bytes_of = {name: _source_hashes(sources, name) for name in task.sources}
    return hashlib.sha256(json.dumps([described, code, bytes_of], sort_keys=True).encode()).hexdigest()


def _collect_code(module: ModuleType, found: dict[str, str]) -> None:
    """Add the hashes of a module's file and of the benchmark's modules that it imports from."""
    path = getattr(module, "__file__", None)
    if module.__name__ in found or path is None:
        return
    found[module.__name__] = file_hash(Path(path))
    for value in list(vars(module).values()):
        home = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        if isinstance(home, str) and home.partition(".")[0] == __name__.partition(".")[0] and home in sys.modules:
            _collect_code(sys.modules[home], found)


def _source_hashes(sources: Path, name: str) -> dict[str, str]:
    """Hashes of the files of a source: ``NAME``, or names that continue after a dot, hyphen or underscore; all files
    in it if it is a folder.
    """
    entries = [path for path in sorted(sources.glob("*")) if re.fullmatch(re.escape(name) + r"([._-].*)?", path.name)]
    files = [file for entry in entries for file in (sorted(entry.rglob("*")) if entry.is_dir() else [entry])]
    return {str(file.relative_to(sources)): file_hash(file) for file in files if file.is_file()}


def _metadata_of(folder: Path) -> dict[str, Any]:
    try:
        metadata: dict[str, Any] = json.loads((folder / METADATA).read_text())
    except (OSError, ValueError) as error:
        raise ValueError(f"{folder}: expected a task in HEAR's layout, can't read its {METADATA}: {error}") from error
    return metadata


def is_complete(folder: Path) -> bool:
    """Whether all files of a task that was built here exist and have the right size. No file is opened."""
    try:
        metadata = _metadata_of(folder)
        n_bytes = WAV_HEADER + 2 * round(metadata["sample_duration"] * SAMPLE_RATE)
        for split in metadata["splits"]:
            with os.scandir(folder / str(SAMPLE_RATE) / split) as entries:
                sizes = {entry.name: entry.stat().st_size for entry in entries}
            if sizes.keys() != json.loads((folder / f"{split}.json").read_text()).keys():
                return False
            if any(size != n_bytes for size in sizes.values()):
                return False
        return (folder / VOCABULARY).is_file()
    except (OSError, ValueError, KeyError, TypeError):
        return False


def read_task(folder: Path) -> Prepared:
    """Read a task that was written to ``folder``.

    Raises:
        ValueError: if the folder has no task, or one that the benchmark did not write.
    """
    metadata = _metadata_of(folder)
    missing = [key for key in ("task_name", *DESCRIPTIVE) if key not in metadata and key != "definition_sha256"]
    if missing:
        raise ValueError(f"{folder / METADATA}: expected the keys {', '.join(missing)}, found {', '.join(metadata)}")
    return Prepared(
        name=folder.name,
        title=metadata["title"],
        domain=metadata["domain"],
        description=metadata["description"],
        folder=folder,
        sha256=metadata["content_sha256"],
        metadata=metadata,
    )
