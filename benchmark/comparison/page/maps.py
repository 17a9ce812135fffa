"""Maps of a task's clips by a network's embeddings, with a short sound of each clip."""

from __future__ import annotations

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
from byola_hear.analysis.listening.sounds import preview
from byola_hear.analysis.neighbours import directions
from byola_hear.audio.reading import AudioFileError, read_audio
from byola_hear.models.model import ByolaModel
from byola_hear.utils.files import write_file

#: Largest number of clips on a map, and of labels.
CLIPS, LABELS = 60, 12
#: Bytes of all sounds of a page, as text.
SOUNDS = 5_500_000
#: Longest sound, s, and bytes of text a second: MP3 of about 3.5 kB/s in Base64.
_SECONDS, _BYTES_PER_SECOND = 2.5, 5000
#: Shortest event that is embedded, ms.
_SHORTEST = 40.0
#: Raise it when kept maps are out of date.
_VERSION = 1


@dataclass(frozen=True)
class MapClip:
    """A point of a map: a file, or the segment of a file with an event.

    Attributes:
        path: the file.
        name: its name on the page.
        start: start of the segment, s.
        end: its end, s.
        label: its label, which decides the colour.
    """

    path: Path
    name: str
    start: float
    end: float
    label: str


def clips_to_map(folder: Path, seed: int = 0) -> tuple[list[MapClip], int]:
    """Choose clips for a task's map: at most :data:`CLIPS` tested files of at most :data:`LABELS` labels, about equally
    many of each label. For an event task, the clips are events.

    Args:
        folder: the task's folder, in HEAR's layout.
        seed: seed of the choice.

    Returns:
        The clips by label, and the number of labels to choose from. Files with no or several labels are skipped.

    Raises:
        FileNotFoundError: if the folder has no task.
        ValueError: if the task cannot be read.
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
    by_label: dict[str, list[MapClip]] = {}
    for split in splits:
        for file, labels in sorted(truth[split].items()):
            for clip in _clips(folder / rate / split / file, file, labels):
                by_label.setdefault(clip.label, []).append(clip)
    random = np.random.default_rng(seed)
    names = sorted(by_label)
    kept = sorted(random.choice(len(names), min(LABELS, len(names)), replace=False)) if names else []
    each = CLIPS // max(len(kept), 1)
    chosen: list[MapClip] = []
    for place in kept:
        clips = by_label[names[place]]
        chosen += [clips[index] for index in sorted(random.permutation(len(clips))[:each])]
    return [_whole(clip) for clip in chosen], len(names)


def _clips(path: Path, name: str, labels: Sequence[Any]) -> Iterable[MapClip]:
    """The clips of a file: the file itself if it has one label, or its events."""
    if labels and isinstance(labels[0], dict):
        for event in labels:
            if event["end"] - event["start"] >= _SHORTEST:
                yield MapClip(path, name, event["start"] / 1000, event["end"] / 1000, str(event["label"]))
    elif len(labels) == 1:
        yield MapClip(path, name, 0.0, float("inf"), str(labels[0]))


def _whole(clip: MapClip) -> MapClip:
    """Limit a clip's end to its file's."""
    return replace(clip, end=min(clip.end, soundfile.info(str(clip.path)).duration))


class Maps:
    """Makes maps and keeps them in a folder, so that making the page again needs no network.

    Args:
        folder: the folder.
        models: the networks by name; each has its map.
        layouts: layouts out of :data:`byola_hear.analysis.map.LAYOUTS`; the page shows the first one first.
        seed: seed of everything random.
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
        """Make the maps of tasks.

        Args:
            tasks_dir: folder of tasks in HEAR's layout.
            tasks: hash of each task's content by name. A task that is missing or has other content has no map.
            progress: whether to show a progress bar on stderr.

        Returns:
            By task: ``labels``, ``all_labels`` (their number), for each clip ``names``, ``label`` (index) and
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
        made_from = [_VERSION, sha256, seconds, self.seed, self.layouts, self._hashes]
        key = hashlib.sha256(json.dumps(made_from).encode()).hexdigest()
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
            return None  # its sounds are missing: try again next time
        self.folder.mkdir(parents=True, exist_ok=True)
        write_file(path, json.dumps({"key": key, "map": made}))
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
    """Hash of a task's content; empty if there is no task."""
    try:
        return str(json.loads((task / METADATA).read_text(encoding="utf-8"))["content_sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _embeddings(model: ByolaModel, clips: Sequence[MapClip]) -> NDArray[np.float32]:
    """``(n_clips, size)``."""
    sounds = [read_audio(str(clip.path), model.sample_rate, clip.start, clip.end) for clip in clips]
    given = [torch.from_numpy(np.ascontiguousarray(sound, np.float32)) for sound in sounds]
    embeddings: NDArray[np.float32] = byola_hear.get_scene_embeddings(given, model).numpy()
    return embeddings
