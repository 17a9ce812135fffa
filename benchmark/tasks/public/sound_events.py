"""Sound events: which of fourteen short sounds occur when, up to two at once, over a steady background?

The task is like task 2 of DCASE 2016, which is in HEAR: isolated sounds are placed in a background at stated ratios,
and the onset score comes first. Strokes of a drum kit (:data:`DRUMS`) and short sounds of ESC-50 (:data:`SHORT_SOUNDS`)
are cut to the main sound of each clip (:func:`event_of`), so the times of an event are exact. The background consists
of steady sounds of ESC-50 (:data:`STEADY_SOUNDS`). All numbers of events and all of :data:`RATIOS_DB` are combined
equally often; a file has one ratio.

Strokes, recorded by three microphones, and source recordings are in one split only (folds 1-3 for training, 4 for
validation, 5 for testing). Within a split a clip occurs several times, with different others. The overall level of each
file is drawn independently.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path

import numpy as np

from benchmark.datasets.labelled_set import SAMPLE_RATE, LabelledSet, load_set
from benchmark.tasks.scenes.event_scene import (
    EARLY_STOPPING,
    LEVELS_DB,
    SECONDS,
    SPLITS,
    Scene,
    Segment,
    drawn_backgrounds,
    recordings_by_split,
    scene_items,
)
from benchmark.tasks.scenes.levels import active_run, seconds_to_samples
from benchmark.tasks.scenes.placing import deck, scatter
from benchmark.tasks.splitting import need_columns, one_split_a_group
from benchmark.tasks.task import Item, Task

#: Labels of the drum kit's strokes that are events, and their names here. The other strokes are too few for all splits.
DRUMS = {
    "Crash": "crash_cymbal",
    "HihatClosed": "hihat_closed",
    "HihatOpen": "hihat_open",
    "Kdrum": "kick_drum",
    "Snare": "snare_drum",
    "Tom": "tom",
}

#: Classes of ESC-50 that are events: short, with a clear onset.
SHORT_SOUNDS = (
    "can_opening",
    "cat",
    "coughing",
    "dog",
    "door_wood_knock",
    "glass_breaking",
    "sneezing",
    "water_drops",
)

#: Classes of ESC-50 for backgrounds: steady sounds that are not events.
STEADY_SOUNDS = ("airplane", "engine", "rain", "sea_waves", "vacuum_cleaner", "washing_machine", "wind")

#: Differences of the active levels of an event and the background, dB.
RATIOS_DB = (6, 12, 18, 24)

#: Numbers of events in a file.
EVENTS = (3, 4, 5, 6, 7, 8)

#: Files with each combination of a number of events and a ratio.
REPEATS = {"train": 5, "valid": 2, "test": 3}

#: Greatest number of events at once.
POLYPHONY = 2

#: Least distance of two events of one label, s.
LEAST_GAP = 0.5

#: Seconds. A clip whose main sound is longer than the first has no distinct onset and is not used; a longer one than
#: the second is cut there; a shorter one than the third is extended by what follows in the clip, so that an event lasts
#: at least two hops of 50 ms, the longest that HEAR asks for.
LONGEST_RUN, LONGEST_EVENT, SHORTEST_EVENT = 2.0, 1.0, 0.1

#: Lengths of the fades at an event's start and end, s. The first is short to keep the attack, which marks the onset.
FADES = (0.001, 0.03)

SEED = 20160803


def event_of(samples: np.ndarray) -> tuple[int, int] | None:
    """Find the event of a clip: its main sound within 25 dB of the loudest frame, with pauses of up to 0.1 s, extended
    or cut as :data:`LONGEST_RUN` describes.

    Returns:
        First sample and the one after the last; None if the clip has no distinct event.
    """
    if len(samples) < seconds_to_samples(SHORTEST_EVENT):
        return None
    start, end = active_run(samples, range_db=25.0, bridge_seconds=0.1)
    if not 0 < end - start <= seconds_to_samples(LONGEST_RUN):
        return None
    end = min(end, start + seconds_to_samples(LONGEST_EVENT))
    end = max(end, start + seconds_to_samples(SHORTEST_EVENT))
    return (start, end) if end <= len(samples) else None


def sounds_by_split(sets: Mapping[str, LabelledSet]) -> dict[str, dict[str, list[Segment]]]:
    """The sounds of each split and label.

    Raises:
        ValueError: if a split has no sound of a label.
    """
    names = {**DRUMS, **{label: label for label in SHORT_SOUNDS}}
    esc50, drums = sets["esc50"].manifest, sets["drum_strokes"].manifest
    rows = {("esc50", split): found for split, found in recordings_by_split(esc50, SHORT_SOUNDS).items()}
    kept = one_split_a_group(drums["split"].tolist(), drums["stroke"].tolist())
    kept &= drums["label"].isin(DRUMS).to_numpy()
    for split in SPLITS:
        rows["drum_strokes", split] = np.flatnonzero(kept & (drums["split"] == split).to_numpy())
    result: dict[str, dict[str, list[Segment]]] = {split: {label: [] for label in names.values()} for split in SPLITS}
    for (source, split), found in rows.items():
        manifest = sets[source].manifest
        groups = manifest["source_recording" if source == "esc50" else "stroke"].to_numpy(str)
        for row in found.tolist():
            label = names[str(manifest["label"].iloc[row])]
            extent = event_of(sets[source].clip(row, SAMPLE_RATE))
            if extent is not None:
                result[split][label].append(Segment(label, source, row, *extent, f"{source}:{groups[row]}"))
    for split, of_split in result.items():
        missing = [label for label, sounds in of_split.items() if not sounds]
        if missing:
            raise ValueError(f"expected sounds of each label in {split}, found no sounds of {', '.join(missing)}")
    return result


def scenes(split: str, sounds: Mapping[str, list[Segment]], recordings: np.ndarray) -> list[Scene]:
    """Plan the files of a split, in the same way at every call. All labels occur equally often, and so do the clips of
    a label.
    """
    random = np.random.default_rng((SEED, SPLITS.index(split)))
    wanted = [pair for pair in product(EVENTS, RATIOS_DB) for _ in range(REPEATS[split])]
    labels = sorted(sounds)
    n_events = sum(number for number, _ in wanted)
    drawn = iter(deck(len(labels), n_events, random))
    clips = {label: iter(deck(len(sounds[label]), n_events, random)) for label in labels}
    grounds = drawn_backgrounds(recordings, len(wanted), random)
    n_samples, gap = seconds_to_samples(SECONDS), seconds_to_samples(LEAST_GAP)
    result = []
    for number, (n_in_file, ratio) in enumerate(wanted):
        names = [labels[next(drawn)] for _ in range(n_in_file)]
        placed = [sounds[name][next(clips[name])] for name in names]
        starts = scatter([sound.length for sound in placed], names, n_samples, POLYPHONY, gap, random)
        level, seed = random.uniform(*LEVELS_DB), (SEED, SPLITS.index(split), number)
        result.append(Scene(grounds[number], tuple(placed), tuple(starts), ratio, level, FADES, seed))
    return result


def items(folder: Path) -> Iterator[Item]:
    """Yield the files, the same ones at every call.

    Args:
        folder: the folder of labelled sets.
    """
    sets = {name: load_set(folder / f"{name}.tar") for name in TASK.sources}
    need_columns(sets["esc50"], "fold", "label", "source_recording")
    need_columns(sets["drum_strokes"], "split", "label", "stroke")
    esc50 = sets["esc50"].manifest
    sounds, grounds = sounds_by_split(sets), recordings_by_split(esc50, STEADY_SOUNDS)
    for split in SPLITS:
        yield from scene_items(split, scenes(split, sounds[split], grounds[split]), sets)


TASK = Task(
    name="sound_events",
    title="sound events",
    domain="nonspeech",
    description=(
        "What sounds when: 3 to 8 drum strokes (MuldjordKit) and short sounds (ESC-50) of 14 kinds in ten seconds of "
        "steady background, at 6 to 24 dB, up to two at once; strokes and recordings in one split each"
    ),
    embedding_type="event",
    prediction_type="multilabel",
    splits=SPLITS,
    sample_duration=SECONDS,
    evaluation=("event_onset_200ms_fms", "segment_1s_er"),
    items=items,
    sources=("drum_strokes", "esc50"),
    evaluation_params={
        # The shortest events last 100 ms, two or three timestamps at 40 ms: HEAR's 250 ms would smooth them away. Of
        # medians of 0 to 300 ms and durations of 0 to 120 ms, validation selected these for a network and for spectra.
        "event_postprocessing_grid": {"median_filter_ms": [80, 125], "min_duration": [0, 60]},
        "task_specific_param_grid": EARLY_STOPPING,
    },
)
