"""A task of HEAR's that was unpacked: checked, resampled to 16 kHz if necessary, and its metadata completed."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import soundfile
from tqdm import tqdm

from benchmark.datasets.decoding import decoded, to_int16
from benchmark.datasets.labelled_set import SAMPLE_RATE
from benchmark.tasks.hear.table import HearTask
from byola_hear.utils.files import file_hash

METADATA, PUBLISHED, VOCABULARY = "task_metadata.json", "task_metadata.published.json", "labelvocabulary.csv"


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path.name}: expected a file of one of HEAR's tasks, could not read it: {error}") from error


def _files(folder: Path, metadata: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Split and name of each file of a task.

    Raises:
        ValueError: if the metadata or a split is invalid.
    """
    splits = metadata.get("splits")
    if not isinstance(splits, list) or not splits:
        raise ValueError(f"{METADATA}: expected splits, found {splits!r}")
    for split in splits:
        truth = _read_json(folder / f"{split}.json")
        if not isinstance(truth, dict) or not truth:
            raise ValueError(f"{split}.json: expected labels by file, found {type(truth).__name__}")
        for file in truth:
            if not re.fullmatch(r"[^/\\\x00-\x1f]+", f"{split}") or not re.fullmatch(r"[^/\\\x00-\x1f]+", file):
                raise ValueError(f"{split}.json: expected file names, found {file!r}")
            yield str(split), file


def is_complete(folder: Path) -> bool:
    """Whether a task of HEAR's exists with all its audio at 16 kHz. No audio file is opened."""
    try:
        metadata = _read_json(folder / METADATA)
        if "content_sha256" not in metadata or not (folder / VOCABULARY).is_file():
            return False
        there = {
            split: {entry.name for entry in os.scandir(folder / str(SAMPLE_RATE) / split)}
            for split in metadata["splits"]
        }
        return all(file in there[split] for split, file in _files(folder, metadata))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def complete(folder: Path, task: HearTask, progress: bool) -> None:
    """Check an unpacked task, resample its audio to 16 kHz if necessary and complete its metadata.

    Args:
        folder: the task's folder.
        task: the task, a row of the table of tasks.
        progress: show bars on stderr.

    Raises:
        ValueError: if a file is missing, damaged or not as described.
    """
    metadata = _read_json(folder / METADATA)
    if not isinstance(metadata, dict):
        raise ValueError(f"{METADATA}: expected a JSON object, found {type(metadata).__name__}")
    if not (folder / VOCABULARY).is_file():
        raise ValueError(f"{task.name}: expected {VOCABULARY} in its archive, found none")
    files = list(_files(folder, metadata))
    rates = sorted(
        (int(path.name) for path in folder.iterdir() if path.is_dir() and path.name.isdecimal()), reverse=True
    )
    rate = SAMPLE_RATE if SAMPLE_RATE in rates else next(iter(rates), None)
    if rate is None:
        raise ValueError(f"{task.name}: expected a folder of audio such as 48000 in its archive, found none")
    missing = [f"{rate}/{split}/{file}" for split, file in files if not (folder / str(rate) / split / file).is_file()]
    if missing:
        raise ValueError(f"{task.name}: its archive lacks {len(missing)} of {len(files)} files, such as {missing[0]}")
    if rate != SAMPLE_RATE:
        _resample(folder, files, rate, progress)
    content = {
        "told": metadata,  # a key of the hash: another name would give another hash
        "vocabulary": (folder / VOCABULARY).read_text(encoding="utf-8"),
        "truth": {split: _read_json(folder / f"{split}.json") for split in metadata["splits"]},
        "audio": sorted(
            [split, file, file_hash(folder / str(SAMPLE_RATE) / split / file)]
            for split, file in tqdm(files, f"check {task.name}", unit="file", disable=not progress, leave=False)
        ),
    }
    os.rename(folder / METADATA, folder / PUBLISHED)
    completed = {
        **metadata,
        "title": task.title,
        "domain": task.domain,
        "description": task.description,
        "leaderboard": task.column,
        "resampled_from": None if rate == SAMPLE_RATE else rate,
        "content_sha256": hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest(),
    }
    (folder / METADATA).write_text(json.dumps(completed, indent=2), encoding="utf-8")


def _resample(folder: Path, files: list[tuple[str, str]], rate: int, progress: bool) -> None:
    """Resample each file from ``rate`` to 16 kHz, as 16-bit samples."""
    for split in {split for split, _ in files}:
        (folder / str(SAMPLE_RATE) / split).mkdir(parents=True)

    def one(place: tuple[str, str]) -> None:
        path = Path(*place)
        sound = decoded(folder / str(rate) / path, f"{rate}/{path}")
        if sound.sample_rate != rate:
            raise ValueError(f"{rate}/{path}: expected {rate} Hz, found {sound.sample_rate}")
        samples = to_int16(sound.at(SAMPLE_RATE, "VHQ"))
        soundfile.write(folder / str(SAMPLE_RATE) / path, samples, SAMPLE_RATE, subtype="PCM_16")

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        bar = tqdm(
            pool.map(one, files), f"resample {folder.name}", len(files), unit="file", disable=not progress, leave=False
        )
        for _ in bar:
            pass
