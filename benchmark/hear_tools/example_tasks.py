"""Two small tasks in HEAR's layout on disk, to see HEAR's own commands run.

A scene task (whose voice says the digit) and an event task (which drum is struck, and when). They are made of
the labelled sets ``spoken_digits`` and ``drum_strokes`` where there are such, else of excerpts of the clips
in ``tests/data``. They show that the tools work; they are far too small to say anything about a model.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import soundfile

SAMPLE_RATE = 16000
SPLITS = ("train", "valid", "test")

#: Clips of one split by their label.
Clips = dict[str, list[np.ndarray]]


def clips_of_set(path: Path, label: str, group: str | None, counts: dict[str, int]) -> dict[str, Clips]:
    """Clips of a labelled set, the same number of each label.

    Args:
        path: the set's tar.
        label: the manifest's column of labels.
        group: the manifest's column of which no value may be in two splits; None for none.
        counts: clips of each label by split.

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
    """Excerpts of a folder's audio files, each file a label of its own.

    Args:
        folder: audio files with speaking names: the label is what stands before the first dot.
        seconds: length of an excerpt; excerpts of one file overlap, whatever their split.
        counts: excerpts of each file by split.

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
    """Samples with silence after them if there are fewer than ``n_samples``."""
    return np.pad(samples, (0, max(0, n_samples - len(samples))))


def write_task(folder: Path, labels: list[str], metadata: dict, splits: dict[str, dict[str, tuple]]) -> None:
    """Write a task as heareval reads it.

    Args:
        folder: the task's folder; whatever is there is replaced.
        labels: the vocabulary.
        metadata: what goes into ``task_metadata.json`` beyond what is common to these tasks.
        splits: for each split ``{file name: (samples (n_samples,) at 16 kHz, its labels or events)}``.
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
    """Write a scene task: one label a file, all files of one length.

    Args:
        folder: the task's folder.
        clips: what the files are made of.
        seconds: length of each file: clips are cut, or end in silence.
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
    """Write an event task: clips placed on silence at random times, three a file, no two at once.

    Args:
        folder: the task's folder.
        clips: what is placed, each clip once.
        seconds: length of each file.
        event_seconds: how much of a clip is placed, and so each event's length.
    """
    random = np.random.default_rng(0)
    n_samples, n_event = round(seconds * SAMPLE_RATE), round(event_seconds * SAMPLE_RATE)
    fade = np.minimum(1, np.arange(n_event)[::-1] / (0.02 * SAMPLE_RATE)).astype(np.float32)
    splits: dict[str, dict[str, tuple]] = {}
    for split in SPLITS:
        placed = [(label, samples) for label, of_label in clips[split].items() for samples in of_label]
        order = random.permutation(len(placed))
        files: dict[str, tuple] = {}
        for first in range(0, len(order) - 2, 3):
            scene = np.zeros(n_samples, dtype=np.float32)
            events = []
            for slot, which in enumerate(order[first : first + 3]):
                label, samples = placed[which]
                # Each of the three in its own third of the file.
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
    """What the tasks are made of.

    Args:
        folder: the folder of labelled sets; None to look for it, and to take ``tests/data`` if there is none.

    Returns:
        The folder that they came from, the scene task's clips and the event task's.

    Raises:
        FileNotFoundError: if the folder named has no such sets.
    """
    from benchmark.datasets.labelled_set import audio_folder

    voices, strokes = {"train": 12, "valid": 6, "test": 6}, {"train": 6, "valid": 3, "test": 3}
    try:
        sets = audio_folder(folder)
    except FileNotFoundError:
        if folder is not None:
            raise
        clips = Path(__file__).resolve().parents[2] / "tests" / "data"
        return clips, clips_of_folder(clips, 1.0, voices), clips_of_folder(clips, 0.4, strokes)
    scene = clips_of_set(sets / "spoken_digits.tar", "speaker", None, voices)
    return sets, scene, clips_of_set(sets / "drum_strokes.tar", "label", "stroke", strokes)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmark.hear_tools.example_tasks", description=__doc__)
    parser.add_argument("tasks_dir", type=Path, help="where to put example_voices and example_strokes")
    parser.add_argument("--audio", help="folder of spoken_digits.tar and drum_strokes.tar")
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
