"""HEAR's published tasks: downloaded, unpacked, and completed by :mod:`benchmark.tasks.hear.completing`.

The archives at 48 kHz are freely available from Zenodo (record 6332517). Those at 16 kHz are in the bucket
``hear2021-archive`` of Google and Amazon, where the downloader pays. ``BYOLA_BENCHMARK_HEAR`` may name a folder of
archives at either rate, or an address: of a mirror's folder, or a pattern that contains ``{task}``.

Source:
    https://hearbenchmark.com/hear-tasks.html; Turian et al., HEAR (arXiv 2203.03022).
"""

from __future__ import annotations

import json
import os
import re
import urllib.error
from http.client import HTTPException
from pathlib import Path

from benchmark.datasets.labelled_set import SAMPLE_RATE
from benchmark.tasks.building import built_beside
from benchmark.tasks.hear.completing import complete, is_complete
from benchmark.tasks.hear.table import HEAR_TASKS
from byola_hear.utils.archives import Limits
from byola_hear.utils.download import DownloadError, Remote, download, open_url
from byola_hear.utils.unpack import extract

#: Environment variable with a folder or an address of HEAR's archives.
HEAR_VARIABLE = "BYOLA_BENCHMARK_HEAR"

#: Zenodo's record, with names, sizes and hashes of the archives.
RECORD_URL = "https://zenodo.org/api/records/6332517"

#: FSD50K alone unpacks to some 40 GB at 48 kHz.
LIMITS = Limits(members=500_000, total_bytes=100 << 30)


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
    with built_beside(tasks_dir, name) as unpacked:
        extract(archive, unpacked, lambda member: _place(member, name), LIMITS, progress)
        complete(unpacked, HEAR_TASKS[name], progress)
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
