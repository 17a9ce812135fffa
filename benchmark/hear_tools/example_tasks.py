"""Write two small tasks in HEAR's layout, to try HEAR's own commands.

A scene task asks who says a digit, and an event task asks which drum is struck when. They are made of the labelled sets
``spoken_digits`` and ``drum_strokes`` if available, else of excerpts of the clips in ``tests/data``. They show that the
tools work, but are far too small to compare models.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmark import CLIPS

SAMPLE_RATE = 16000
SPLITS = ("train", "valid", "test")

#: Clips of one split by their label.
Clips = dict[str, list[np.ndarray]]


def clips_of_set(path: Path, label: str, group: str | None, counts: dict[str, int]) -> dict[str, Clips]:
    """Take the same number of clips of each label from a labelled set.

    Args:
        path: the set's tar.
        label: the manifest's column of labels.
        group: the manifest's column of groups that must not be in two splits; None for no groups.
        counts: number of clips of each label by split.

    Returns:
        The clips of each split, each ``(n_samples,)`` float32 at 16 kHz.
    """
    from benchmark.datasets.labelled_set import load_set

    labelled = load_set(path)
    clips: dict[str, Clips] = {split: {} for split in SPLITS}
    for name, rows in labelled.manifest.groupby(label):
        one_of_each = rows if group is None else rows.drop_duplicates(group)
        if len(one_of_each) < sum(counts.values()):
            continue
        chosen = iter(one_of_each.sample(sum(counts.values()), random_state=0).index)
        for split in SPLITS:
            clips[split][str(name)] = [labelled.clip(next(chosen), SAMPLE_RATE) for _ in range(counts[split])]
    return clips


def clips_of_folder(folder: Path, seconds: float, counts: dict[str, int]) -> dict[str, Clips]:
    """Take excerpts of the audio files in a folder; each file is a label.

    Args:
        folder: the folder; the label is a file's name up to the first dot.
        seconds: length of an excerpt, s; excerpts of one file may overlap, even across splits.
        counts: number of excerpts of each file by split.

    Returns:
        The clips of each split, each ``(seconds * 16000,)`` float32 at 16 kHz.
    """
    from byola_hear.audio.reading import AUDIO_SUFFIXES, read_audio

    random = np.random.default_rng(0)
    n_samples = round(seconds * SAMPLE_RATE)
    clips: dict[str, Clips] = {split: {} for split in SPLITS}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in AUDIO_SUFFIXES:
            continue
        samples = padded(read_audio(path, SAMPLE_RATE), n_samples)
        for split in SPLITS:
            starts = random.integers(0, len(samples) - n_samples + 1, counts[split])
            excerpts = [samples[start : start + n_samples] for start in starts]
            clips[split][path.name.partition(".")[0]] = excerpts
    return clips


def padded(samples: np.ndarray, n_samples: int) -> np.ndarray:
    """Pad samples with silence to at least ``n_samples``."""
    return np.pad(samples, (0, max(0, n_samples - len(samples))))


def write_task(
    folder: Path, labels: list[str], metadata: dict[str, Any], splits: dict[str, dict[str, tuple[Any, ...]]]
) -> None:
    """Write a task in the layout that heareval reads.

    Args:
        folder: the task's folder; replaced if it exists.
        labels: the vocabulary.
        metadata: content of ``task_metadata.json`` in addition to what these tasks have in common.
        splits: for each split ``{file name: (samples (n_samples,) at 16 kHz, labels or events)}``.
    """
    if folder.exists():
        shutil.rmtree(folder)
    for split, files in splits.items():
        audio = folder / str(SAMPLE_RATE) / split
        audio.mkdir(parents=True)
        for name, (samples, _) in files.items():
            soundfile.write(audio / name, samples, SAMPLE_RATE, subtype="PCM_16")
        truth = {name: target for name, (_, target) in files.items()}
        (folder / f"{split}.json").write_text(json.dumps(truth, indent=1))
    lines = [f"{index},{label}" for index, label in enumerate(labels)]
    (folder / "labelvocabulary.csv").write_text("\n".join(["idx,label", *lines]) + "\n")
    common = {
        "task_name": folder.name,
        "version": "example",
        "split_mode": "trainvaltest",
        "splits": list(splits),
        "use_scoring_for_early_stopping": True,
    }
    (folder / "task_metadata.json").write_text(json.dumps({**common, **metadata}, indent=1))


def write_scene_task(folder: Path, clips: dict[str, Clips], seconds: float) -> None:
    """Write a scene task with one label for each file, and files of equal length.

    Args:
        folder: the task's folder.
        clips: clips of each split and label.
        seconds: length of each file, s; clips are cut or padded with silence.
    """
    n_samples = round(seconds * SAMPLE_RATE)
    splits = {
        split: {
            f"{label}_{number}.wav": (padded(samples, n_samples)[:n_samples], [label])
            for label, of_label in clips[split].items()
            for number, samples in enumerate(of_label)
        }
        for split in SPLITS
    }
    metadata = {
        "embedding_type": "scene",
        "prediction_type": "multiclass",
        "sample_duration": seconds,
        "evaluation": ["top1_acc"],
    }
    write_task(folder, sorted(clips["train"]), metadata, splits)


def write_event_task(folder: Path, clips: dict[str, Clips], seconds: float, event_seconds: float) -> None:
    """Write an event task: three clips in each file at random times in silence, without overlaps.

    Args:
        folder: the task's folder.
        clips: clips of each split and label; each clip is used once.
        seconds: length of each file, s.
        event_seconds: length of each event, s; clips are cut to it.
    """
    random = np.random.default_rng(0)
    n_samples, n_event = round(seconds * SAMPLE_RATE), round(event_seconds * SAMPLE_RATE)
    fade = np.minimum(1, np.arange(n_event)[::-1] / (0.02 * SAMPLE_RATE)).astype(np.float32)
    splits: dict[str, dict[str, tuple[Any, ...]]] = {}
    for split in SPLITS:
        placed = [(label, samples) for label, of_label in clips[split].items() for samples in of_label]
        order = random.permutation(len(placed))
        files: dict[str, tuple[Any, ...]] = {}
        for first in range(0, len(order) - 2, 3):
            scene = np.zeros(n_samples, dtype=np.float32)
            events = []
            for slot, which in enumerate(order[first : first + 3]):
                label, samples = placed[which]
                # One event in each third of the file.
                start = slot * (n_samples // 3) + int(random.integers(n_samples // 3 - n_event))
                scene[start : start + n_event] += padded(samples, n_event)[:n_event] * fade
                start_ms = start * 1000 / SAMPLE_RATE
                events.append({"label": label, "start": start_ms, "end": start_ms + 1000 * event_seconds})
            files[f"{split}_{first // 3}.wav"] = (scene, events)
        splits[split] = files
    metadata = {
        "embedding_type": "event",
        "prediction_type": "multilabel",
        "sample_duration": seconds,
        "evaluation": ["event_onset_200ms_fms", "segment_1s_er"],
        "evaluation_params": {"event_postprocessing_grid": {"median_filter_ms": [150], "min_duration": [50, 100]}},
    }
    write_task(folder, sorted(clips["train"]), metadata, splits)


def example_clips(folder: str | None) -> tuple[Path, dict[str, Clips], dict[str, Clips]]:
    """The clips that the tasks are made of.

    Args:
        folder: the folder of labelled sets; if None, that of the environment variable, else ``tests/data``.

    Returns:
        The folder, the clips of the scene task, and the clips of the event task.

    Raises:
        FileNotFoundError: if the folder does not contain the sets.
    """
    from benchmark.datasets.labelled_set import audio_folder

    voices, strokes = {"train": 12, "valid": 6, "test": 6}, {"train": 6, "valid": 3, "test": 3}
    try:
        sets = audio_folder(folder)
    except FileNotFoundError:
        if folder is not None:
            raise
        return CLIPS, clips_of_folder(CLIPS, 1.0, voices), clips_of_folder(CLIPS, 0.4, strokes)
    scene = clips_of_set(sets / "spoken_digits.tar", "speaker", None, voices)
    return sets, scene, clips_of_set(sets / "drum_strokes.tar", "label", "stroke", strokes)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmark.hear_tools.example_tasks",
        description="Write two small tasks in HEAR's layout, to try HEAR's own commands.",
    )
    parser.add_argument("tasks_dir", type=Path, help="folder to write example_voices and example_strokes to")
    parser.add_argument(
        "--audio",
        help="folder of spoken_digits.tar and drum_strokes.tar; default: $BYOLA_BENCHMARK_AUDIO, else test clips",
    )
    options = parser.parse_args(arguments)
    try:
        source, scene, event = example_clips(options.audio)
        write_scene_task(options.tasks_dir / "example_voices", scene, 1.0)
        write_event_task(options.tasks_dir / "example_strokes", event, 4.0, 0.4)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{options.tasks_dir}: example_voices and example_strokes, made of {source}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
