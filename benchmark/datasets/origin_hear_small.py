"""Reader of the clips that HEAR's own preparation fetches in its small mode: 14 of HEAR's tasks, 694 clips.

Source:
    https://github.com/hearbenchmark/hear-preprocess, whose task files state the MD5 of each archive.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from benchmark.datasets.labelled_tar import OriginalClip
from benchmark.datasets.origin_speech import Wanted
from byola_hear.utils.download import Remote
from byola_hear.utils.unpack import read_members

_S_TASK = "https://github.com/kmarufraj/s-task/raw/3241296de11deca86848cb490d2b0035bfd86810"
_OPEN_TASKS = (
    "https://github.com/hearbenchmark/hear2021-open-tasks-downsampled/raw/a3a7c7d4171e1a961363819dc96c20cde47dbc53"
)

#: Archive, size in bytes, MD5, the task that its clips belong to, and how their names in the set start.
_ARCHIVES = (
    ("beijing_opera-train-small", 2013836, "391b086d4a81c525d8b052ac50a6a8c0", "beijing_opera", "train"),
    ("crema_d-train-small", 74376, "a42147d0bed93d579250a064c6a46000", "crema_d", "train"),
    ("crema_d-valid-small", 59363, "d1bdddb23004d421218533b72e64737c", "crema_d", "valid"),
    ("crema_d-test-small", 61802, "f7f9d662d43de2ecd6ed2cc75adcf315", "crema_d", "test"),
    ("esc50-all_folds-small", 2775738, "08bb240e414ce96529087aba52983b1c", "esc50", ""),
    ("fsd50k-ground_truth-small", 333831, "e730b34c0d71a4607338c8fea1b3c3d2", "", ""),
    ("fsd50k-train-small", 2323065, "75fc0ae63467ada263ead31afff0978a", "fsd50k", "dev"),
    ("fsd50k-test-small", 2223396, "1b3c32e6183b6f991b32ad2ee793a2c5", "fsd50k", "eval"),
    ("gtzan-small", 91875, "c3ac045c759cde4c5f44d2e7daf5d43d", "gtzan_genre", ""),
    ("gtzan_music_speech-small", 76931, "11d0448e2c497ce1a3bd1a9ee5710aee", "gtzan_music_speech", ""),
    ("gunshot_triangulation", 3581337, "c24bfa3b60fc9a2f51169fdb9bc336fa", "gunshot_triangulation", ""),
    ("hive1_12062018", 1810965, "461c77d29e5c2c4ac51deb0b87c82d5c", "beehive_states", "hive1"),
    ("hive1_31052018", 1736083, "c0e0b4c33879b865de022413138a61da", "beehive_states", "hive1"),
    ("hive3_14072017", 2261969, "2650a40a1e38088391181451e0183ca6", "beehive_states", "hive3"),
    ("hive3_28072017", 2245251, "51d43e9621b8ad7681a44355f70329a2", "beehive_states", "hive3"),
    ("libricount-train-small", 2778570, "25d1bd1e71800440d635171a8f41a5f7", "libricount", ""),
    ("mridangam-train-small", 417537, "8269ea439beacacf8db19d6c26dd1e71", "mridangam", ""),
    ("vocal_imitation-train-small", 3144078, "08283695cafda4ba42a7f42f75f568d1", "vocal_imitation", ""),
    ("vox_lingua-train-small", 1081252, "b94370873fbbdc34241a6e4f7eb1952b", "vox_lingua_top10", ""),
    ("speech_commands_v0.02-small", 3579702, "455123a88b8410d1f955c77ad331524f", "speech_commands", "train"),
    ("speech_commands_test_set_v0.02-small", 2220508, "26d08374a7abd13ca2f4a4b8424f41d0", "speech_commands", "test"),
    ("spoken_digit-small", 77531, "69d50c15805ea11beb12d9a4db1d4c2a", "spoken_digit", ""),
)


def _remote(name: str, size: int, md5: str) -> Remote:
    home = _OPEN_TASKS if name.startswith(("speech_commands", "spoken_digit")) else _S_TASK
    stated_by = "hear-preprocess (the file of its task)"
    return Remote(f"{name}.zip", (f"{home}/{name}.zip",), checksum=f"md5:{md5}", stated_by=stated_by, size=size)


#: The archives, each with its published hash.
FILES = tuple(_remote(name, size, md5) for name, size, md5, _, _ in _ARCHIVES)


def read_hear_small(archive: Path, wanted: Wanted) -> Iterator[OriginalClip]:
    """All clips, from the first archive and the others next to it. Columns: task, label, split, fold, original_file.

    ``split`` and ``fold`` are what the archive says of a clip: its part, its hive, its firearm or its tonic.
    """
    folder = archive.parent
    truth = _fsd50k_labels(folder / "fsd50k-ground_truth-small.zip")
    for name, _, _, task, part in _ARCHIVES:
        if not task:
            continue
        labels, sounds = {}, {}
        for member, content in read_members(folder / f"{name}.zip", _is_read):
            path = PurePosixPath(member)
            if path.suffix == ".csv":
                labels = {row["filename"]: row["label"] for row in csv.DictReader(content.decode().splitlines())}
            else:
                sounds[path] = content
        for path in sorted(sounds):
            label, fold = _label(task, path, labels, truth)
            stem = re.sub(r"[^A-Za-z0-9]+", "-", f"{path.parent.name}-{path.stem}").strip("-")
            columns = {"task": task, "label": label, "split": part, "fold": fold, "original_file": path.name}
            yield OriginalClip("_".join(filter(None, (task, part, stem))), sounds[path], columns)


def _is_read(member: str) -> bool:
    """Whether a member is a sound or a table of labels. macOS's notes about files have their names."""
    path = PurePosixPath(member)
    return "__MACOSX" not in path.parts and (path.suffix == ".wav" or path.name.endswith("_labels.csv"))


def _fsd50k_labels(archive: Path) -> dict[str, tuple[str, str]]:
    """FSD50K's labels, separated by ``|``, and its part of the development set, by the clip's number."""
    found = {}
    for _, content in read_members(archive, lambda member: member.endswith(("/dev.csv", "/eval.csv"))):
        for row in csv.DictReader(content.decode().splitlines()):
            found[row["fname"]] = row["labels"].replace(",", "|"), row.get("split", "")
    return found


def _label(
    task: str, path: PurePosixPath, labels: dict[str, str], truth: dict[str, tuple[str, str]]
) -> tuple[str, str]:
    """A clip's label and fold, from its name, its folder or the tables."""
    stem = path.stem
    of_name: dict[str, Callable[[], tuple[str, str]]] = {
        "beehive_states": lambda: ("no_queen" if "_NO_" in stem else "queen", ""),
        "beijing_opera": lambda: (stem.rpartition("__")[2].partition("-")[0], ""),
        "esc50": lambda: (stem.rpartition("-")[2], stem.partition("-")[0]),
        "gunshot_triangulation": lambda: (stem.split("_")[0], stem.split("_")[2]),
        "libricount": lambda: (stem.partition("_")[0], ""),
        "mridangam": lambda: (stem.rpartition("__")[2].split("-")[0], stem.rpartition("__")[2].split("-")[1]),
        "speech_commands": lambda: (path.parent.name, ""),
        "vocal_imitation": lambda: (stem.partition("-")[0].rpartition("_")[2].strip(), ""),
        "vox_lingua_top10": lambda: (path.parent.name, ""),
    }
    if task == "fsd50k":
        return truth[stem]
    return of_name[task]() if task in of_name else (labels[path.name], "")
