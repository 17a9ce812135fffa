"""HEAR's published tasks: downloaded, unpacked, and resampled to 16 kHz if necessary.

The archives at 48 kHz are freely available from Zenodo (record 6332517). Those at 16 kHz are in the bucket
``hear2021-archive`` of Google and Amazon, where the downloader pays. ``BYOLA_BENCHMARK_HEAR`` may name a folder of
archives at either rate, or an address: of a mirror's folder, or a pattern that contains ``{task}``.

Source:
    https://hearbenchmark.com/hear-tasks.html; Turian et al., HEAR (arXiv 2203.03022).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import urllib.error
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path
from typing import Any

import soundfile
from tqdm import tqdm

from benchmark.datasets.decoding import decoded, to_int16
from benchmark.datasets.labelled_set import SAMPLE_RATE, file_hash
from benchmark.tasks.hear.table import HEAR_TASKS, HearTask
from benchmark.tasks.layout import remove_abandoned
from byola_hear.utils.archives import Limits
from byola_hear.utils.download import DownloadError, Remote, download, open_url
from byola_hear.utils.files import locked
from byola_hear.utils.unpack import extract

#: Environment variable with a folder or an address of HEAR's archives.
HEAR_VARIABLE = "BYOLA_BENCHMARK_HEAR"

#: Zenodo's record, with names, sizes and hashes of the archives.
RECORD_URL = "https://zenodo.org/api/records/6332517"

#: FSD50K alone unpacks to some 40 GB at 48 kHz.
LIMITS = Limits(members=500_000, total_bytes=100 << 30)

METADATA, PUBLISHED, VOCABULARY = "task_metadata.json", "task_metadata.published.json", "labelvocabulary.csv"

__all__ = ["HEAR_TASKS", "HEAR_VARIABLE", "is_complete", "prepare_hear"]


def prepare_hear(
    name: str, tasks_dir: Path, downloads: Path, progress: bool = False, origin: str | None = None
) -> Path:
    """Fetch one of HEAR's tasks, unless it exists already.

    The published files are kept as they are, except that the metadata gets the keys that a table needs (the original
    stays as ``task_metadata.published.json``). If there is no audio at 16 kHz, it is resampled.

    Args:
        name: the task's name, such as ``esc50-v2.0.0-full``.
        tasks_dir: the folder of tasks; created if necessary.
        downloads: the folder that keeps the archives.
        progress: show bars on stderr.
        origin: folder or address of the archives; if None, that of the environment variable, else Zenodo.

    Returns:
        ``TASKS_DIR/<name>``, complete.

    Raises:
        ValueError: if there is no such task, or its archive can't be downloaded or is not the expected one.
        FileNotFoundError: if the folder of archives does not contain it.
    """
    if name not in HEAR_TASKS:
        raise ValueError(f"expected one of HEAR's tasks, {', '.join(HEAR_TASKS)}, got {name!r}")
    folder = tasks_dir / name
    if is_complete(folder):
        return folder
    archive = _archive_of(name, downloads, progress, origin or os.environ.get(HEAR_VARIABLE))
    tasks_dir.mkdir(parents=True, exist_ok=True)
    # heareval takes every entry of the folder of tasks for a task, so an incomplete one is kept next to the folder.
    beside = tasks_dir.resolve().parent
    remove_abandoned(beside, name, "fetching")
    temporary = Path(tempfile.mkdtemp(prefix=f".{name}-", suffix=".fetching", dir=beside))
    try:
        # The lock shows that this process is still working.
        with open(temporary / "lock", "wb") as lock:
            locked(lock)
            unpacked = temporary / name
            extract(archive, unpacked, lambda member: _place(member, name), LIMITS, progress)
            _complete(unpacked, HEAR_TASKS[name], progress)
            if folder.exists():
                os.rename(folder, temporary / "replaced")
            os.rename(unpacked, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _place(member: str, name: str) -> str | None:
    """The path in the task's folder of a file that is below ``…/tasks/<name>/`` in the archive; None for others.

    >>> _place("hear-2021.0.6/tasks/esc50-v2.0.0-full/48000/fold00/a.wav", "esc50-v2.0.0-full")
    '48000/fold00/a.wav'
    """
    _, found, path = f"/{member}".partition(f"/{name}/")
    return path if found and path else None


def _archive_of(name: str, downloads: Path, progress: bool, origin: str | None) -> Path:
    """The task's archive, downloaded if necessary."""
    if origin is None:
        return download(_zenodo(name), downloads, progress)
    if re.match(r"https?://", origin):
        pattern = origin if "{task}" in origin else f"{origin.rstrip('/')}/{_file('{task}', 48000)}"
        url = pattern.replace("{task}", name)
        last = url.rpartition("/")[2].partition("?")[0]
        file = last if name in last else f"{name}-{last}"  # the last part may be the same for every task
        return download(Remote(file, (url,), limit=LIMITS.total_bytes), downloads, progress)
    # hear2021-TASK-48000.tar.gz on Zenodo, hear-VERSION-TASK-16000.tar.gz as HEAR's own preprocessing writes them.
    for rate in (SAMPLE_RATE, 48000):
        for path in sorted(Path(origin).glob(f"hear*-{name}-{rate}.tar.gz")):
            return path
    raise FileNotFoundError(
        f"expected {_file(name, SAMPLE_RATE)} or {_file(name, 48000)} in {origin}, the folder of {HEAR_VARIABLE}, "
        "found neither"
    )


def _file(name: str, rate: int) -> str:
    return f"hear2021-{name}-{rate}.tar.gz"


def _zenodo(name: str) -> Remote:
    """The archive with the size and hash that Zenodo's record states."""
    file = _file(name, 48000)
    try:
        with open_url(RECORD_URL, {"Accept": "application/json"}) as response:
            listed = {entry["key"]: entry for entry in json.loads(response.read(1 << 24))["files"]}
        if file not in listed:
            raise DownloadError(
                f"{RECORD_URL}: expected {file} in its list, found {', '.join(sorted(listed)) or 'no files'}"
            )
        entry = listed[file]
        return Remote(
            file,
            (str(entry["links"]["self"]),),
            checksum=str(entry["checksum"]),
            stated_by="Zenodo's record",
            size=int(entry["size"]),
            limit=LIMITS.total_bytes,
        )
    except (urllib.error.URLError, OSError, HTTPException) as error:
        raise DownloadError(
            f"{RECORD_URL}: {error}; set {HEAR_VARIABLE} to read HEAR's archives from a folder or another address"
        ) from error
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise DownloadError(
            f"{RECORD_URL}: expected the record's list of files, could not read it: {error!r}"
        ) from error


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


def _complete(folder: Path, task: HearTask, progress: bool) -> None:
    """Check an unpacked task, resample its audio to 16 kHz if necessary and complete its metadata."""
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
