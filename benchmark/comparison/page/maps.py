"""Maps of a task's clips, as a network's embeddings place them, with a short sound of each."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from tqdm import tqdm

import byola_hear
from benchmark.tasks.layout import METADATA
from byola_hear.analysis.layouts import placed
from byola_hear.analysis.map.preview import preview
from byola_hear.analysis.neighbours import directions
from byola_hear.audio.reading import AudioFileError, read_audio
from byola_hear.models.model import ByolaModel
from byola_hear.utils.files import replacing

#: Clips on a task's map, and labels that they are of.
CLIPS, LABELS = 60, 12
#: Bytes of all the sounds of a page, as text.
SOUNDS = 5_500_000
#: Seconds of a sound at most, and text bytes of a second: MP3 of about 3.5 kB/s in base 64.
_SECONDS, _BYTES_PER_SECOND = 2.5, 5000
#: Milliseconds that a stretch of an event needs to be embedded.
_SHORTEST = 40.0
#: Raised when maps made before are to be made anew.
_VERSION = 1


@dataclass(frozen=True)
class Clip:
    """A point of a map: a file, or the stretch of a file that an event takes.

    Attributes:
        path: of the file.
        name: as the page shows it.
        start: seconds from the file's start.
        end: the same.
        label: what is coloured.
    """

    path: Path
    name: str
    start: float
    end: float
    label: str


def clips_to_map(folder: Path, seed: int = 0) -> tuple[list[Clip], int]:
    """Clips for a task's map: out of the tested files, at most :data:`CLIPS` of at most :data:`LABELS` labels, about as
    many of each label. Of an event task the clips are its events.

    Args:
        folder: the task's, in HEAR's layout.
        seed: of the choice.

    Returns:
        The clips, by label, and the number of labels that there are to choose from. Files with none or several labels
        are passed over.

    Raises:
        FileNotFoundError: if there is no such task.
        ValueError: if it is none.
    """
    try:
        metadata = json.loads((folder / METADATA).read_text(encoding="utf-8"))
        splits = ["test"] if metadata["split_mode"] == "trainvaltest" else sorted(metadata["splits"])
        truth = {split: json.loads((folder / f"{split}.json").read_text(encoding="utf-8")) for split in splits}
    except FileNotFoundError:
        raise FileNotFoundError(f"no task in {folder}") from None
    except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{folder}: expected a task in HEAR's layout: {error!r}") from error
    rate = next((path.name for path in folder.iterdir() if path.is_dir() and path.name.isdigit()), "16000")
    by_label: dict[str, list[Clip]] = {}
    for split in splits:
        for file, labels in sorted(truth[split].items()):
            for clip in _clips(folder / rate / split / file, file, labels):
                by_label.setdefault(clip.label, []).append(clip)
    random = np.random.default_rng(seed)
    names = sorted(by_label)
    kept = sorted(random.choice(len(names), min(LABELS, len(names)), replace=False)) if names else []
    each = CLIPS // max(len(kept), 1)
    chosen: list[Clip] = []
    for place in kept:
        clips = by_label[names[place]]
        chosen += [clips[index] for index in sorted(random.permutation(len(clips))[:each])]
    return [_whole(clip) for clip in chosen], len(names)


def _clips(path: Path, name: str, labels: Sequence[Any]) -> Iterable[Clip]:
    """The clips that a file gives: itself if it has one label, or its events."""
    if labels and isinstance(labels[0], dict):
        for event in labels:
            if event["end"] - event["start"] >= _SHORTEST:
                yield Clip(path, name, event["start"] / 1000, event["end"] / 1000, str(event["label"]))
    elif len(labels) == 1:
        yield Clip(path, name, 0.0, float("inf"), str(labels[0]))


def _whole(clip: Clip) -> Clip:
    """The clip, its end no later than its file's."""
    return replace(clip, end=min(clip.end, soundfile.info(str(clip.path)).duration))


class Maps:
    """Makes maps, and keeps them in a folder, so that a page made again needs no network.

    Args:
        folder: where to keep them.
        models: the networks by name, each with a map of its own.
        layouts: names of ways to lay clips out, see :data:`byola_hear.analysis.map.LAYOUTS`; the first is shown first.
        seed: of everything random.
    """

    def __init__(
        self, folder: Path, models: Mapping[str, ByolaModel], layouts: Sequence[str] = ("pca",), seed: int = 0
    ) -> None:
        self.folder = folder
        self.models = models
        self.layouts = list(layouts)
        self.seed = seed
        self._hashes = [model.fingerprint() for model in models.values()]

    def make(self, tasks_dir: Path, tasks: dict[str, str], progress: bool = False) -> dict[str, Any]:
        """Maps of tasks.

        Args:
            tasks_dir: the folder of tasks in HEAR's layout.
            tasks: hash of each task's content by its name; one that is not there, or of other content, has no map.
            progress: show a bar on stderr.

        Returns:
            By task: ``labels``, ``all_labels`` (how many there are), per clip ``names``, ``label`` (index),
            ``sounds`` (``data:`` URIs), and ``places`` by network and layout, ``(n, 2)`` in [0, 1].
        """
        there = {name: sha256 for name, sha256 in tasks.items() if sha256 and _content(tasks_dir / name) == sha256}
        seconds = min(_SECONDS, SOUNDS / max(len(there) * CLIPS, 1) / _BYTES_PER_SECOND)
        maps = {}
        for name, sha256 in tqdm(there.items(), "maps", unit="task", disable=not progress, leave=False):
            made = self._kept(tasks_dir / name, sha256, round(seconds, 2))
            if made is not None:
                maps[name] = made
        return maps

    def _kept(self, task: Path, sha256: str, seconds: float) -> dict[str, Any] | None:
        told = [_VERSION, sha256, seconds, self.seed, self.layouts, self._hashes]
        key = hashlib.sha256(json.dumps(told).encode()).hexdigest()
        path = self.folder / f"{task.name}.json"
        try:
            kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if kept["key"] == key:
                return dict(kept["map"]) if kept["map"] else None
        except (OSError, ValueError, KeyError, TypeError):
            pass
        try:
            made = self._map(task, seconds)
        except (OSError, soundfile.LibsndfileError, AudioFileError):
            return None  # without its sounds; made when they are there
        self.folder.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(json.dumps({"key": key, "map": made}).encode())
        return made

    def _map(self, task: Path, seconds: float) -> dict[str, Any] | None:
        clips, n_labels = clips_to_map(task, self.seed)
        if len(clips) < 5:
            return None
        labels = list(dict.fromkeys(clip.label for clip in clips))
        places: dict[str, dict[str, list[list[float]]]] = {}
        for name, model in self.models.items():
            units = directions(_embeddings(model, clips), self.seed)
            places[name] = {layout: np.round(placed(units, layout, self.seed), 4).tolist() for layout in self.layouts}
        return {
            "labels": labels,
            "all_labels": n_labels,
            "names": [clip.name for clip in clips],
            "label": [labels.index(clip.label) for clip in clips],
            "sounds": [preview(str(clip.path), clip.start, clip.end, seconds) for clip in clips],
            "seconds": seconds,
            "places": places,
        }


def _content(task: Path) -> str:
    """Hash of what a task in a folder holds; empty if there is none."""
    try:
        return str(json.loads((task / METADATA).read_text(encoding="utf-8"))["content_sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _embeddings(model: ByolaModel, clips: Sequence[Clip]) -> NDArray[np.float32]:
    """``(n_clips, size)``."""
    sounds = [read_audio(str(clip.path), model.sample_rate, clip.start, clip.end) for clip in clips]
    given = [torch.from_numpy(np.ascontiguousarray(sound, np.float32)) for sound in sounds]
    embeddings: NDArray[np.float32] = byola_hear.get_scene_embeddings(given, model).numpy()
    return embeddings


def sound_bytes(maps: dict[str, Any]) -> int:
    """Bytes of the sounds in maps, decoded."""
    return sum(len(base64.b64decode(sound.partition(",")[2])) for each in maps.values() for sound in each["sounds"])
