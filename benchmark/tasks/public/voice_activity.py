"""Voice activity: when does somebody speak among other sounds?

Each file is ten seconds of background from ESC-50, without the classes of :data:`NOT_BACKGROUND`, with zero to four
phrases that never overlap. A phrase is the main sound of a recording (:func:`phrase_of`), so the times of its event are
exact; words before and after longer pauses are left out. All numbers of phrases and all of :data:`RATIOS_DB` are
combined equally often; a file has one ratio.

Speakers and source recordings are in one split only (folds 1-3 of ESC-50 for training, 4 for validation, 5 for
testing). The overall level of each file is drawn independently, so that loudness carries no information.
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
from benchmark.tasks.scenes.placing import spread
from benchmark.tasks.splitting import deal, need_columns, one_split_a_group
from benchmark.tasks.task import Item, Task

#: Differences of the active levels of a phrase and the background, dB.
RATIOS_DB = (-5, 0, 5, 10, 20)

#: Numbers of phrases in a file.
PHRASES = (0, 1, 2, 3, 4)

#: Files with each combination of a number of phrases and a ratio. Without a phrase there is no ratio, but there are as
#: many files.
REPEATS = {"train": 5, "valid": 2, "test": 3}

#: Least distance of two phrases, and length of the shortest phrase, s.
LEAST_GAP, LEAST_PHRASE = 0.5, 0.4

#: Classes of ESC-50 that people make with mouth or nose, or whose recordings often contain voices (crowds that clap or
#: watch fireworks).
NOT_BACKGROUND = (
    "breathing",
    "clapping",
    "coughing",
    "crying_baby",
    "drinking_sipping",
    "fireworks",
    "laughing",
    "sneezing",
    "snoring",
)

#: Share of the speakers of ``read_speech_speakers`` in each split, the same for each gender and age group.
SPEAKERS = {"train": 0.55, "valid": 0.15, "test": 0.3}

#: Lengths of the fades at a phrase's start and end, s.
FADES = (0.005, 0.01)

SEED = 20160802


def phrase_of(samples: np.ndarray) -> tuple[int, int]:
    """Find the speech of a recording: its main sound, more than 10 dB above the recording's quiet frames and within
    30 dB of its loudest (within 25 dB in any case), with pauses of up to 0.3 s; parts below 50 ms do not count.

    Returns:
        First sample and the one after the last.
    """
    return active_run(samples, range_db=30.0, bridge_seconds=0.3, least_seconds=0.05)


def speech_by_split(sets: Mapping[str, LabelledSet]) -> dict[str, list[Segment]]:
    """The phrases of each split, from both sets in turn, in a fixed random order."""
    random = np.random.default_rng(SEED)
    found: dict[str, dict[str, list[Segment]]] = {split: {} for split in SPLITS}
    for name in ("read_speech_speakers", "language_id"):
        manifest = sets[name].manifest
        speakers = manifest["speaker"].tolist()
        if name == "read_speech_speakers":
            # The set's own split is by sentence.
            splits = deal(speakers, (manifest["gender"] + manifest["age_group"]).tolist(), SPEAKERS)
        else:
            splits = manifest["split"].tolist()
        kept = one_split_a_group(splits, speakers)
        for row in random.permutation(len(manifest)).tolist():
            start, end = phrase_of(sets[name].clip(row, SAMPLE_RATE))
            if kept[row] and end - start >= seconds_to_samples(LEAST_PHRASE):
                phrase = Segment("speech", name, row, start, end, f"{name}:{speakers[row]}")
                found[splits[row]].setdefault(name, []).append(phrase)
    return {split: _in_turn(list(of_split.values())) for split, of_split in found.items()}


def _in_turn(lists: list[list[Segment]]) -> list[Segment]:
    """Interleave lists so that any part of the result has them in the same proportion."""
    placed = [((place + 0.5) / len(each), phrase) for each in lists for place, phrase in enumerate(each)]
    return [phrase for _, phrase in sorted(placed, key=lambda pair: pair[0])]


def scenes(split: str, speech: list[Segment], recordings: np.ndarray) -> list[Scene]:
    """Plan the files of a split, in the same way at every call.

    Raises:
        ValueError: if there are not enough short phrases.
    """
    random = np.random.default_rng((SEED, SPLITS.index(split)))
    wanted = [(n, ratio) for n, ratio in product(PHRASES, RATIOS_DB) for _ in range(REPEATS[split])]
    n_samples, gap = seconds_to_samples(SECONDS), seconds_to_samples(LEAST_GAP)
    grounds = drawn_backgrounds(recordings, len(wanted), random)
    left = list(speech)
    result = []
    # Files with many phrases only have room for short ones, so they choose first.
    for number, (n_phrases, ratio) in enumerate(sorted(wanted, key=lambda pair: -pair[0])):
        longest = (n_samples - (n_phrases + 1) * gap) // max(n_phrases, 1)
        phrases: list[Segment] = []
        for _ in range(n_phrases):
            if not any(phrase.length <= longest for phrase in left):
                left = [phrase for phrase in speech if phrase not in phrases]
            fitting = next((phrase for phrase in left if phrase.length <= longest), None)
            if fitting is None:
                raise ValueError(f"expected phrases of at most {longest} samples in {split}, found no such phrase")
            left.remove(fitting)
            phrases.append(fitting)
        starts = spread([phrase.length for phrase in phrases], n_samples, gap, random, edge=gap // 2)
        level, seed = random.uniform(*LEVELS_DB), (SEED, SPLITS.index(split), number)
        result.append(Scene(grounds[number], tuple(phrases), tuple(starts), ratio, level, FADES, seed))
    return result


def items(folder: Path) -> Iterator[Item]:
    """Yield the files, the same ones at every call.

    Args:
        folder: the folder of labelled sets.
    """
    sets = {name: load_set(folder / f"{name}.tar") for name in TASK.sources}
    need_columns(sets["esc50"], "fold", "label", "source_recording")
    need_columns(sets["read_speech_speakers"], "speaker", "gender", "age_group")
    need_columns(sets["language_id"], "speaker", "split")
    esc50 = sets["esc50"].manifest
    speech = speech_by_split(sets)
    grounds = recordings_by_split(esc50, tuple(label for label in set(esc50["label"]) if label not in NOT_BACKGROUND))
    for split in SPLITS:
        yield from scene_items(split, scenes(split, speech[split], grounds[split]), sets)


TASK = Task(
    name="voice_activity",
    title="voice activity",
    domain="speech",
    description=(
        "When is there speech: 0 to 4 phrases (speechocean762, Common Voice) in ten seconds of ESC-50 sounds without "
        "voices, at -5 to 20 dB; speakers and recordings in one split each"
    ),
    embedding_type="event",
    prediction_type="multilabel",
    splits=SPLITS,
    sample_duration=SECONDS,
    # The onset score selects, not the error rate: heareval takes the postprocessing with the highest score, which would
    # be the worst error rate. A higher score is better in all other columns, too.
    evaluation=("event_onset_200ms_fms", "segment_1s_er"),
    items=items,
    sources=("read_speech_speakers", "language_id", "esc50"),
    evaluation_params={
        # Phrases are longer than 0.4 s, most of them longer than 1.5 s, and further apart than 0.5 s. Of medians of 0
        # to 1 s and durations of 0 to 0.6 s, validation selected the longest here for a network and for spectra.
        "event_postprocessing_grid": {"median_filter_ms": [200, 600], "min_duration": [300, 600]},
        "task_specific_param_grid": EARLY_STOPPING,
    },
)
