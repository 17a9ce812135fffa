"""Recordings with exact times: words and short sounds over steady backgrounds, between sounds that are no events.

Words are from Speech Commands, sounds from ESC-50. Everything is cut to the main sound of its clip. No speaker and no
source recording of the labelled recordings is in a test recording. A labelled recording has each class once, so that
as many recordings are as many labels of each class.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmark.datasets.labelled_set import SAMPLE_RATE, LabelledSet
from benchmark.studies.study import set_of_clips
from benchmark.tasks.public.sound_events import STEADY_SOUNDS
from benchmark.tasks.scenes.event_scene import Segment
from benchmark.tasks.scenes.levels import active_run, delivered, seconds_to_samples
from benchmark.tasks.scenes.mixing import background, faded, mixed
from benchmark.tasks.scenes.placing import deck, scatter
from benchmark.tasks.splitting import need_columns, one_split_a_group

#: Raise it when a change of this file changes a recording.
VERSION = 1

#: Classes by kind: ten commands, and the sounds of ESC-50 with at least 20 short clips in the folds to learn from.
CLASSES = {
    "words": ("down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes"),
    "sounds": (
        "can_opening",
        "coughing",
        "dog",
        "door_wood_knock",
        "fireworks",
        "glass_breaking",
        "sneezing",
        "water_drops",
    ),
}
#: Both parts, and where each set's clips are.
PARTS = ("learn", "test")
PART_OF_FOLD = {"1": "learn", "2": "learn", "3": "learn", "4": "test", "5": "test"}
PART_OF_SPLIT = {"train": "learn", "valid": "learn", "test": "test"}
#: Clips of Speech Commands of this label are words that are no class.
OTHER_WORDS = "unknown"

#: Seconds of a recording, how often it has each class, and how many sounds that are no events.
SECONDS = {"learn": 40.0, "test": 240.0}
REPEATS = {"learn": 1, "test": 4}
DISTRACTORS = {"learn": 4, "test": 16}

#: Longest event, s; a clip whose main sound is longer is not used as an event, and cut as a distractor.
LONGEST = 2.5
#: Shortest event, s; a shorter one is extended by what follows in its clip.
SHORTEST = 0.1
#: Range of the difference of the active levels of a sound and the background, dB.
RATIOS_DB = (6.0, 18.0)
#: Range of a recording's level, dB relative to full scale.
LEVELS_DB = (-35.0, -20.0)
#: Greatest number of sounds at once, and the least distance of two of one class, s.
POLYPHONY, LEAST_GAP = 2, 0.5
#: Fades at a sound's start and end, s.
FADES = (0.001, 0.03)
#: Labelled recordings in a block. A class's clips are different within a block, and as different as possible beyond.
BLOCK = 20


@dataclass(frozen=True)
class Sounds:
    """What recordings of a part are made of.

    Attributes:
        events: the clips of each class.
        others: clips of no class.
        backgrounds: rows of ESC-50.
    """

    events: Mapping[str, Sequence[Segment]]
    others: Sequence[Segment]
    backgrounds: np.ndarray


@dataclass(frozen=True)
class Composed:
    """The recordings of a part.

    Attributes:
        recordings: the recordings as a labelled set, 16 kHz; ``file`` is a recording's name.
        events: a row for each event: ``file``, ``start`` and ``end`` (s), ``label``, and ``clip``, which event it is.
    """

    recordings: LabelledSet
    events: pd.DataFrame

    @property
    def seconds(self) -> float:
        """Seconds of audio."""
        return float(self.recordings.lengths.sum()) / self.recordings.sample_rate


def kinds() -> dict[str, str]:
    """The kind of each class.

    Example:
        >>> kinds()["dog"]
        'sounds'
    """
    return {name: kind for kind, names in CLASSES.items() for name in names}


def main_sound(samples: np.ndarray, label: str, source: str, row: int, group: str) -> Segment | None:
    """The main sound of a clip; None if the clip has none."""
    start, end = active_run(samples, range_db=25.0, bridge_seconds=0.2)
    if not end - start:
        return None
    end = min(max(end, start + seconds_to_samples(SHORTEST)), len(samples))
    return Segment(label, source, row, start, end, f"{source}:{group}")


def sounds_of(sets: Mapping[str, LabelledSet]) -> dict[str, Sounds]:
    """The sounds of both parts.

    Args:
        sets: ``esc50`` and ``speech_commands_12``.

    Raises:
        ValueError: if a part has no clip of a class.
    """
    need_columns(sets["esc50"], "fold", "label", "source_recording")
    need_columns(sets["speech_commands_12"], "split", "label", "speaker")
    events: dict[str, dict[str, list[Segment]]] = {part: {name: [] for name in kinds()} for part in PARTS}
    others: dict[str, list[Segment]] = {part: [] for part in PARTS}
    grounds: dict[str, list[int]] = {part: [] for part in PARTS}
    columns = (("esc50", "fold", "source_recording"), ("speech_commands_12", "split", "speaker"))
    for source, split, group in columns:
        manifest = sets[source].manifest
        table = PART_OF_FOLD if source == "esc50" else PART_OF_SPLIT
        parts = [table[value] for value in manifest[split]]
        kept = one_split_a_group(parts, manifest[group].tolist())
        for row in np.flatnonzero(kept).tolist():
            label, part = str(manifest["label"].iloc[row]), parts[row]
            if source == "esc50" and label in STEADY_SOUNDS:
                grounds[part].append(row)
                continue
            is_event = label in events[part]
            if not is_event and source != "esc50" and label != OTHER_WORDS:
                continue
            sound = main_sound(sets[source].clip(row, SAMPLE_RATE), label, source, row, manifest[group].iloc[row])
            if sound is None:
                continue
            if not is_event:
                end = min(sound.end, sound.start + seconds_to_samples(LONGEST))
                others[part].append(Segment("", source, row, sound.start, end, sound.group))
            elif sound.length <= seconds_to_samples(LONGEST):
                events[part][label].append(sound)
    for part in PARTS:
        if missing := [label for label, found in events[part].items() if not found]:
            raise ValueError(f"expected clips of each class in {part}, found none of {', '.join(missing)}")
    return {part: Sounds(events[part], others[part], np.array(grounds[part])) for part in PARTS}


def compose(part: str, sounds: Sounds, sets: Mapping[str, LabelledSet], count: int, seed: int) -> Composed:
    """Mix the recordings of a part.

    Args:
        part: a name out of :data:`PARTS`.
        sounds: its sounds.
        sets: ``esc50`` and ``speech_commands_12``.
        count: number of recordings.
        seed: of everything random.
    """
    random = np.random.default_rng((seed, PARTS.index(part)))
    clips = {label: _clips(found, count * REPEATS[part], random) for label, found in sounds.events.items()}
    others = [sounds.others[card] for card in deck(len(sounds.others), count * DISTRACTORS[part], random)]
    n_samples = seconds_to_samples(SECONDS[part])
    n_grounds = -(-int(n_samples * 1.1) // seconds_to_samples(5.0))
    grounds = deck(len(sounds.backgrounds), count * n_grounds, random)
    mixtures: list[np.ndarray] = []
    rows: list[tuple[str, float, float, str, str]] = []
    for number in range(count):
        placed = [each for found in clips.values() for each in found[number * REPEATS[part] :][: REPEATS[part]]]
        placed += others[number * DISTRACTORS[part] :][: DISTRACTORS[part]]
        # The longest first: they find no room between the others.
        placed.sort(key=lambda each: -each.length)
        names = [each.label or f"{each.source}:{each.row}" for each in placed]
        gap = seconds_to_samples(LEAST_GAP)
        starts = scatter([each.length for each in placed], names, n_samples, POLYPHONY, gap, random)
        chosen = [int(sounds.backgrounds[card]) for card in grounds[number * n_grounds :][:n_grounds]]
        mixture = background([sets["esc50"].clip(row, SAMPLE_RATE) for row in chosen], n_samples, random)
        for start, each in zip(starts, placed, strict=True):
            samples = sets[each.source].clip(each.row, SAMPLE_RATE)[each.start : each.end]
            mixture = mixed(mixture, [(start, faded(samples, *FADES))], random.uniform(*RATIOS_DB))
        mixtures.append(delivered(mixture, random.uniform(*LEVELS_DB)))
        rows += _rows(f"{part}_{number:03d}.wav", starts, placed)
    events = pd.DataFrame(rows, columns=["file", "start", "end", "label", "clip"])
    manifest = pd.DataFrame({"file": [f"{part}_{number:03d}.wav" for number in range(count)]})
    return Composed(set_of_clips(f"detection_{part}", manifest, mixtures, SAMPLE_RATE), events)


def _clips(found: Sequence[Segment], count: int, random: np.random.Generator) -> list[Segment]:
    """Clips of a class for recordings in a row: within a block all are different if there are as many."""
    cards: list[int] = []
    while len(cards) < count:
        # What was not used lately comes first.
        late = set(cards[-(len(found) - BLOCK) :]) if len(found) > BLOCK else set()
        order = random.permutation(len(found)).tolist()
        cards += sorted(order, key=late.__contains__)[: min(BLOCK, len(found))]
    return [found[card] for card in cards[:count]]


def _rows(file: str, starts: Sequence[int], placed: Sequence[Segment]) -> Iterator[tuple[str, float, float, str, str]]:
    """The events of a recording in order of time."""
    for start, each in sorted(zip(starts, placed, strict=True), key=lambda pair: pair[0]):
        if each.label:
            end = start + each.length
            yield file, start / SAMPLE_RATE, end / SAMPLE_RATE, each.label, f"{each.source}:{each.row}"
