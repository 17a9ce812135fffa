"""The folder of a run that is not finished. What it holds was made with the same settings, or it is refused."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np

from byola_hear.classification.examples import Examples
from byola_hear.tables.placing import remove
from byola_hear.utils.files import locked, stamp_of, work_folder, write_file

_SETTINGS, _FINISHING, _FINISHED, _LOCK = "settings.json", "finishing", "finished", "lock"
#: Names of the results until they are put in place.
_NETWORK, _CLASSIFIER, _PRECISION = "network.safetensors", "classifier.safetensors", "precision"


def is_finishing(output: Path) -> bool:
    """Whether a run was interrupted while it wrote its results, so that they may be replaced."""
    return (work_folder(output) / _FINISHING).exists()


def tidy(output: Path) -> None:
    """Remove the folder of a run that had written its results, and was interrupted while it removed the folder."""
    folder = work_folder(output)
    if folder.is_dir() and ((folder / _FINISHED).exists() or not any(folder.iterdir())):
        _remove(folder)


def _remove(folder: Path) -> None:
    """Remove a folder; the note that its run has finished goes last."""
    for entry in folder.iterdir():
        if entry.name != _FINISHED:
            remove(entry)
    remove(folder)


def digest(examples: Examples) -> str:
    """A hash of the windows, their labels and groups, and the recordings' sizes and times of change."""
    made = hashlib.sha256()
    files = list(dict.fromkeys(map(str, examples.file)))
    made.update(json.dumps([[file, stamp_of(file)] for file in files]).encode())
    made.update(json.dumps([list(map(str, examples.file)), examples.classes, examples.window]).encode())
    for array in (examples.start, examples.end, examples.truth, examples.group):
        made.update(np.ascontiguousarray(array).tobytes())
    return made.hexdigest()


class Workspace:
    """A folder for what a run has done so far.

    Args:
        output: the run's output; the folder lies next to it.
        settings: what decides the result, as JSON values.
        overwrite: discard what another run left.

    Raises:
        ValueError: if the folder is in use, or holds the beginning of a run with other settings or something else.
        OSError: if it can't be written.
    """

    def __init__(self, output: Path, settings: dict[str, Any], overwrite: bool = False) -> None:
        self.path = work_folder(output)
        self.path.mkdir(exist_ok=True)
        self._check_own()
        self._lock: IO[str] = open(self.path / _LOCK, "a")  # noqa: SIM115
        try:
            if not locked(self._lock):
                raise ValueError(f"another process works in {self.path}")
            self._resume(json.loads(json.dumps(settings)), overwrite)
        except BaseException:
            self._lock.close()
            raise

    def _check_own(self) -> None:
        """Refuse a folder that is no run's: all of it would be removed in the end."""
        if (self.path / _SETTINGS).exists():
            return
        for entry in self.path.iterdir():
            # A run that is killed while it begins leaves no more than these.
            if entry.name != _LOCK and not entry.name.startswith(f".{_SETTINGS}."):
                raise ValueError(f"{self.path} is needed for unfinished work, but holds something else: {entry.name}")

    def _resume(self, settings: dict[str, Any], overwrite: bool) -> None:
        place = self.path / _SETTINGS
        if place.exists():
            stored = json.loads(place.read_text(encoding="utf-8"))
            if stored == settings:
                return
            if not overwrite:
                names = [name for name in settings if stored.get(name) != settings[name]]
                raise ValueError(
                    f"{self.path} holds the beginning of a run with other {' and '.join(names)}; "
                    "give --overwrite to discard it"
                )
            for entry in self.path.iterdir():
                # The settings stay until others replace them: without them, what is left would be no run's.
                if entry.name not in (_LOCK, _SETTINGS):
                    remove(entry)
        write_file(place, json.dumps(settings))

    @property
    def log_mels(self) -> Path:
        """The file of log-mels."""
        return self.path / "log_mel.f32"

    def state(self, name: str) -> Path:
        """The file of a course's state."""
        return self.path / f"{name}.safetensors"

    @property
    def network(self) -> Path:
        """The checkpoint until it is put in place."""
        return self.path / _NETWORK

    @property
    def classifier(self) -> Path:
        """The classifier until it is put in place."""
        return self.path / _CLASSIFIER

    def precision(self, measured: Callable[[], str]) -> str:
        """The precision of the run: the one that it began with, so that it continues exactly.

        Args:
            measured: gives the precision of a run that begins.
        """
        place = self.path / _PRECISION
        if not place.exists():
            write_file(place, measured())
        return place.read_text()

    def finishing(self) -> None:
        """Note that the results are being put in place."""
        (self.path / _FINISHING).touch()

    def remove(self) -> None:
        """Remove the folder, once the results are in place."""
        os.replace(self.path / _FINISHING, self.path / _FINISHED)
        self.close()
        _remove(self.path)

    def close(self) -> None:
        """Let other processes at the folder."""
        self._lock.close()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
