"""HEAR's small data as tasks."""

from __future__ import annotations

import io
import json
import tarfile

import numpy as np
import pandas as pd
import pytest

from benchmark.datasets.labelled_tar import _flac
from benchmark.tasks.hear.small_layouts import SET, WORDS, validates
from benchmark.tasks.layout import Prepared
from benchmark.tasks.registry import HEAR_SMALL, prepare


def rows() -> pd.DataFrame:
    """A manifest with what the published data has: too few clips for every label in every part."""
    made: list[tuple[str, str, str, str, str]] = []

    def add(task: str, label: str, split: str = "", fold: str = "", file: str = "") -> None:
        made.append((task, label, split, fold, file or f"{task}-{len(made)}.wav"))

    for number in range(12):
        add("beijing_opera", ("naobo", "bangu")[number % 2])
        add("crema_d", ("SAD", "HAP")[number % 2], ("train", "valid", "test")[number % 3])
        add("esc50", str(number % 4), fold=str(1 + number % 5))
        add("gtzan_genre", ("disco", "jazz")[number % 2])
        add("gtzan_music_speech", ("music", "speech")[number % 2])
        add("gunshot_triangulation", f"mic{1 + number % 4}", fold=f"fid{1 + number % 7}")
        add("libricount", str(number))
        add("mridangam", ("ta", "thom", "dhin")[number % 3], fold="bcde"[number % 4])
        add("spoken_digit", str(number % 10))
        add("beehive_states", ("queen", "no_queen")[number % 2], ("hive1", "hive3")[number // 2 % 2])
        add("vox_lingua_top10", f"l{number:02d}")
        add("vox_lingua_top10", "l11")
        add("vocal_imitation", f"sound{number}", file=f"{number:03d}Music_Bell-5.wav")
        add(
            "fsd50k",
            "Bark|Dog" if number % 2 else "Bell",
            *(("dev", "train"), ("dev", "val"), ("eval", ""))[number % 3],
        )
    add("vocal_imitation", "two", file="267146__edufigg__two-goats.wav")
    add("vocal_imitation", "Sniff", file="071Human sounds_Sniff-5.wav")  # silent
    for number in range(30):
        label = ("right", "bed", "_silence_")[number % 3]
        add("speech_commands", label, "test", file=f"{number}.wav")
        if label != "_silence_":
            add("speech_commands", label, "train", file=f"{number * 7919:08x}_nohash_0.wav")
    add("speech_commands", "_background_noise_", "train", file="running_tap.wav")
    frame = pd.DataFrame(made, columns=["task", "label", "split", "fold", "original_file"])
    frame.insert(0, "file", [f"clip_{number:03d}.flac" for number in range(len(frame))])
    return frame.assign(duration_s="0.2")


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Prepared]:
    """All tasks, written from a set of noises."""
    folder = tmp_path_factory.mktemp("small")
    manifest, rng = rows(), np.random.default_rng(0)
    with tarfile.open(folder / f"{SET}.tar", "w") as tar:
        contents = {"manifest.csv": manifest.to_csv(index=False).encode()}
        for row in manifest.itertuples():
            seconds = 30.0 if row.original_file == "running_tap.wav" else 0.2
            level = 0 if row.label == "Sniff" else 3000
            contents[f"audio/{row.file}"] = _flac((rng.normal(size=int(seconds * 16000)) * level).astype(np.int16))
        for name, content in contents.items():
            info = tarfile.TarInfo(f"{SET}/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BYOLA_BENCHMARK_CACHE", str(folder / "cache"))
        return {name: prepare(name, folder / "tasks", folder) for name in HEAR_SMALL}


def truth(task: Prepared) -> dict[str, dict[str, list[str]]]:
    """Labels by split and file."""
    return {split: json.loads((task.folder / f"{split}.json").read_text()) for split in task.metadata["splits"]}


def test_all_are_written_in_hears_layout(tasks: dict[str, Prepared]) -> None:
    assert len(tasks) == 16
    for task in tasks.values():
        assert all(truth(task).values()) and "(small)" in task.title and "too few clips" in task.description
    assert {len(task.metadata["splits"]) for task in tasks.values()} == {3, 5, 7, 10}
    assert tasks["small_gunshot"].metadata["splits"] == [f"fold_fid{number}" for number in range(1, 8)]


def test_a_hive_is_trained_on_or_tested(tasks: dict[str, Prepared]) -> None:
    first, second = truth(tasks["small_beehive_0"]), truth(tasks["small_beehive_1"])
    assert {*first["train"], *first["valid"]} == set(second["test"])
    assert {*second["train"], *second["valid"]} == set(first["test"])


def test_several_labels_and_the_sets_own_parts(tasks: dict[str, Prepared]) -> None:
    task = tasks["small_fsd50k"]
    assert task.metadata["prediction_type"] == "multilabel" and task.metadata["evaluation"][0] == "mAP"
    assert {len(part) for part in truth(task).values()} == {4}
    assert sorted({tuple(labels) for part in truth(task).values() for labels in part.values()}) == [
        ("Bark", "Dog"),
        ("Bell",),
    ]


def test_commands_are_words_silence_and_all_other_words(tasks: dict[str, Prepared]) -> None:
    parts = truth(tasks["small_speech_commands"])
    labels = {split: {label for each in files.values() for label in each} for split, files in parts.items()}
    assert set().union(*labels.values()) == {"right", "_unknown_", "_silence_"} and "right" in WORDS
    # Silence comes out of one recording; its first and last seconds are in different parts.
    assert {split: sum(each == ["_silence_"] for each in files.values()) for split, files in parts.items()} == {
        "train": 8,
        "valid": 8,
        "test": 10,
    }
    assert not any(validates(file) for file in ("211b928a_nohash_0.wav", "1b4c9b89_nohash_0.wav"))


def test_languages_and_imitations_are_chosen(tasks: dict[str, Prepared]) -> None:
    languages = {
        label for part in truth(tasks["small_vox_lingua"]).values() for each in part.values() for label in each
    }
    assert len(languages) == 10 and "l11" in languages and "l10" not in languages
    imitated = {
        label for part in truth(tasks["small_vocal_imitation"]).values() for each in part.values() for label in each
    }
    assert len(imitated) == 12 and not {"two", "Sniff"} & imitated
