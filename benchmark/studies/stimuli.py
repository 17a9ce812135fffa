"""Stimuli: clips from the labelled sets, as many of speech as of other sounds, or the audio files of a folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmark.datasets.labelled_set import LabelledSet
from benchmark.models.extractors import Extractor
from benchmark.probes.plan import Plan, plan
from benchmark.probes.splits import TASKS
from benchmark.studies.study import seconds_bar, set_of_clips
from benchmark.studies.study_setup import Setup, embedded
from byola_hear.audio.reading import audio_suffixes, read_audio

#: The tasks of each side: they name the set, its labels, and the groups that are not drawn twice.
SIDES = {
    "speech": ("spoken_digits", "speech_commands_12", "language_id", "speaker_id", "vocal_bursts"),
    "nonspeech": ("esc50", "orchestral_notes", "drum_strokes"),
}

#: Sample rate of a folder's files after reading and of described clips, Hz.
SAMPLE_RATE = 16000

Computed = TypeVar("Computed")


@dataclass(frozen=True)
class Stimuli:
    """Clips to compare, in the order of the matrices.

    Attributes:
        names: ``(n,)`` ``SET/FILE`` without suffix, or a file's name without suffix.
        sides: ``(n,)`` ``speech`` or ``nonspeech``; empty for a folder.
        sets: ``(n,)`` names of the sets.
        labels: ``(n,)`` labels within the set; empty for a folder.
        parts: each set with the drawn rows, in order.
    """

    names: np.ndarray
    sides: np.ndarray
    sets: np.ndarray
    labels: np.ndarray
    parts: tuple[tuple[LabelledSet, np.ndarray], ...]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def seconds(self) -> float:
        """Seconds of audio."""
        return sum(float(labelled.lengths[rows].sum()) / labelled.sample_rate for labelled, rows in self.parts)

    @property
    def identity(self) -> list[object]:
        """JSON values that identify the clips."""
        return [[labelled.name, labelled.sha256, rows.tolist()] for labelled, rows in self.parts]

    def clips(self, sample_rate: int) -> list[np.ndarray]:
        """All clips, each ``(n_samples,)`` float32."""
        return [labelled.clip(int(row), sample_rate) for labelled, rows in self.parts for row in rows]

    def embeddings(self, extractor: Extractor, cache: Path, progress: bool) -> np.ndarray:
        """Embeddings ``(n, n_features)`` float32, from the cache if possible."""
        with seconds_bar(f"embed: {extractor.row}", self.seconds, progress) as bar:
            return np.concatenate([embedded(extractor, labelled, rows, cache, bar) for labelled, rows in self.parts])

    def each(
        self, what: str, progress: bool, compute: Callable[[np.ndarray, int], Computed], sample_rate: int = SAMPLE_RATE
    ) -> list[Computed]:
        """Apply ``compute`` to every clip, ``(n_samples,)`` float32, and its rate, Hz; shows a progress bar."""
        clips = [(labelled, int(row)) for labelled, rows in self.parts for row in rows]
        bar = tqdm(clips, what, disable=not progress, leave=False, unit="clip")
        return [compute(labelled.clip(row, sample_rate), sample_rate) for labelled, row in bar]


def sets_plan(setup: Setup) -> Plan:
    """Decode all sets that stimuli are drawn from."""
    tasks = [name for names in SIDES.values() for name in names]
    return plan(tasks, setup.audio, setup.cache, seed=setup.seed, progress=setup.progress)


def drawn(planned: Plan, per_side: int, seed: int) -> Stimuli:
    """Draw stimuli from the labelled sets: equally many from each set of a side, and from each label of a set.

    No group (speaker, recording, note, stroke) is drawn twice before all groups of its label were drawn once. Silence
    in Speech Commands does not count as speech.

    Args:
        planned: from :func:`sets_plan`.
        per_side: number of clips of speech, and of other sounds.
        seed: seed of the draw.

    Returns:
        The stimuli, speech first, ordered by set and label.

    Raises:
        ValueError: if a set has too few clips.
    """
    parts: list[tuple[LabelledSet, np.ndarray]] = []
    sides: list[str] = []
    sets: list[str] = []
    labels: list[str] = []
    names: list[str] = []
    for side, tasks in SIDES.items():
        shares = [per_side // len(tasks) + (number < per_side % len(tasks)) for number in range(len(tasks))]
        for task, share in zip((TASKS[name] for name in tasks), shares):
            labelled = planned.sets[task.source]
            manifest = labelled.manifest
            kept = np.flatnonzero((manifest[task.label] != "silence") | (task.source != "speech_commands_12"))
            if share > len(kept):
                raise ValueError(
                    f"expected at most {len(kept)} stimuli of {task.source}, got {share}; use a smaller --per-side"
                )
            label = manifest[task.label].to_numpy(str)
            group = manifest[task.group or "file"].to_numpy(str)
            rows = kept[_balanced(label[kept], group[kept], share, np.random.default_rng([seed, len(parts)]))]
            rows = rows[np.lexsort((rows, label[rows]))]
            parts.append((labelled, rows))
            sides += [side] * len(rows)
            sets += [labelled.name] * len(rows)
            labels += label[rows].tolist()
            names += [f"{labelled.name}/{Path(file).stem}" for file in manifest["file"].iloc[rows]]
    return Stimuli(np.array(names), np.array(sides), np.array(sets), np.array(labels), tuple(parts))


def _balanced(labels: np.ndarray, groups: np.ndarray, share: int, rng: np.random.Generator) -> np.ndarray:
    """Positions of ``share`` clips, with labels in turn, and groups within a label in turn."""
    shuffled = pd.DataFrame({"label": labels, "group": groups}).iloc[rng.permutation(len(labels))]
    # The clip's turn within its group and label, and from it its turn within the label.
    shuffled["again"] = shuffled.groupby(["label", "group"], sort=False).cumcount()
    shuffled = shuffled.sort_values("again", kind="stable")
    shuffled["turn"] = shuffled.groupby("label", sort=False).cumcount()
    order = {label: place for place, label in enumerate(rng.permutation(np.unique(labels)))}
    shuffled["place"] = shuffled["label"].map(order)
    return np.sort(shuffled.sort_values(["turn", "place"], kind="stable").index.to_numpy()[:share])


def of_folder(folder: Path, names: list[str]) -> Stimuli:
    """Read stimuli from audio files.

    Args:
        folder: folder of the files.
        names: the files' names without suffix, in order.

    Returns:
        The stimuli, 16 bit, 16 kHz, mono.

    Raises:
        FileNotFoundError: if the folder or a file does not exist.
        ValueError: if two files have the same name, or one cannot be read.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"no such folder of stimuli: {folder}")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in audio_suffixes():
            if path.stem in found and path.stem in names:
                raise ValueError(f"{folder}: expected one file called {path.stem!r}, found {path.suffix} and another")
            found[path.stem] = path
    missing = [name for name in names if name not in found]
    if missing:
        raise FileNotFoundError(
            f"{folder}: expected an audio file for each of {len(names)} stimuli, {len(missing)} are missing: "
            f"{', '.join(missing[:10])}{', …' if len(missing) > 10 else ''}"
        )
    # Resampling can exceed full scale, which 16 bit cannot represent.
    clips = [np.clip(read_audio(found[name], SAMPLE_RATE), -1, 1) for name in names]
    labelled = set_of_clips("stimuli", pd.DataFrame({"file": [found[name].name for name in names]}), clips, SAMPLE_RATE)
    empty, kinds = np.full(len(names), ""), np.full(len(names), "stimuli")
    return Stimuli(np.array(names), empty, kinds, empty, ((labelled, np.arange(len(names))),))
