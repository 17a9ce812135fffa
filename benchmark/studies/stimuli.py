"""Stimuli: clips drawn from the labelled sets, as many of speech as of other sounds, or a folder's audio files."""

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

#: The sets of either side and the task that names their labels and what must not be drawn twice.
SIDES = {
    "speech": ("spoken_digits", "speech_commands_12", "language_id", "speaker_id", "vocal_bursts"),
    "nonspeech": ("esc50", "orchestral_notes", "drum_strokes"),
}

#: Hz, of a folder's files once read, and of clips to describe.
SAMPLE_RATE = 16000

Computed = TypeVar("Computed")


@dataclass(frozen=True)
class Stimuli:
    """Clips to compare, in the order of the matrices.

    Attributes:
        names: ``(n,)``: ``SET/FILE`` without its suffix, or a file's stem.
        sides: ``(n,)``: ``speech``, ``nonspeech`` or, of a folder, empty.
        sets: ``(n,)`` names of the sets.
        labels: ``(n,)`` within the set; empty for a folder.
        parts: each set with the rows that were drawn, in order.
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
        """JSON values that say which clips these are."""
        return [[labelled.name, labelled.sha256, rows.tolist()] for labelled, rows in self.parts]

    def clips(self, sample_rate: int) -> list[np.ndarray]:
        """All clips, each ``(n_samples,)`` float32."""
        return [labelled.clip(int(row), sample_rate) for labelled, rows in self.parts for row in rows]

    def embeddings(self, extractor: Extractor, cache: Path, progress: bool) -> np.ndarray:
        """``(n, n_features)`` float32, out of the cache where it is there."""
        with seconds_bar(f"embed: {extractor.row}", self.seconds, progress) as bar:
            return np.concatenate([embedded(extractor, labelled, rows, cache, bar) for labelled, rows in self.parts])

    def each(
        self, what: str, progress: bool, compute: Callable[[np.ndarray, int], Computed], sample_rate: int = SAMPLE_RATE
    ) -> list[Computed]:
        """What ``compute`` makes of every clip, ``(n_samples,)`` float32, and its rate, Hz; with a bar."""
        clips = [(labelled, int(row)) for labelled, rows in self.parts for row in rows]
        bar = tqdm(clips, what, disable=not progress, leave=False, unit="clip")
        return [compute(labelled.clip(row, sample_rate), sample_rate) for labelled, row in bar]


def sets_plan(setup: Setup) -> Plan:
    """All sets that stimuli are drawn from, decoded."""
    tasks = [name for names in SIDES.values() for name in names]
    return plan(tasks, setup.audio, setup.cache, seed=setup.seed, progress=setup.progress)


def drawn(planned: Plan, per_side: int, seed: int) -> Stimuli:
    """Stimuli out of the labelled sets: each side's number shared evenly between its sets, and within a set between
    its labels; no group (speaker, recording, note, stroke) twice before all of a label's groups were drawn once.

    Clips that Speech Commands labels as silence are left out of the speech.

    Args:
        planned: from :func:`sets_plan`.
        per_side: clips of speech, and of other sounds.
        seed: of the draw.

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
                raise ValueError(f"expected at most {len(kept)} stimuli of {task.source}, got {share}: fewer a side")
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
    """Positions of ``share`` clips: labels in turn, and within a label groups in turn."""
    shuffled = pd.DataFrame({"label": labels, "group": groups}).iloc[rng.permutation(len(labels))]
    # A clip's turn within its group within its label, then its turn within its label by that.
    shuffled["again"] = shuffled.groupby(["label", "group"], sort=False).cumcount()
    shuffled = shuffled.sort_values("again", kind="stable")
    shuffled["turn"] = shuffled.groupby("label", sort=False).cumcount()
    order = {label: place for place, label in enumerate(rng.permutation(np.unique(labels)))}
    shuffled["place"] = shuffled["label"].map(order)
    return np.sort(shuffled.sort_values(["turn", "place"], kind="stable").index.to_numpy()[:share])


def of_folder(folder: Path, names: list[str]) -> Stimuli:
    """Stimuli that are audio files, called by their names without suffix.

    Args:
        folder: that holds them.
        names: which, in order.

    Returns:
        The stimuli; samples are kept as 16 bit at 16 kHz, mono.

    Raises:
        FileNotFoundError: if there is no such folder, or it lacks a file.
        ValueError: if two files go by the same name, or one can't be read.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"expected a folder of stimuli at {folder}, found none")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in audio_suffixes():
            if path.stem in found and path.stem in names:
                raise ValueError(f"{folder}: expected one file called {path.stem!r}, found {path.suffix} and another")
            found[path.stem] = path
    missing = [name for name in names if name not in found]
    if missing:
        raise FileNotFoundError(
            f"{folder}: expected an audio file for each of {len(names)} stimuli, found none for {len(missing)}: "
            f"{', '.join(missing[:10])}{', …' if len(missing) > 10 else ''}"
        )
    # Resampling may overshoot full scale, which 16 bit can't hold.
    clips = [np.clip(read_audio(found[name], SAMPLE_RATE), -1, 1) for name in names]
    labelled = set_of_clips("stimuli", pd.DataFrame({"file": [found[name].name for name in names]}), clips, SAMPLE_RATE)
    empty, kinds = np.full(len(names), ""), np.full(len(names), "stimuli")
    return Stimuli(np.array(names), empty, kinds, empty, ((labelled, np.arange(len(names))),))
