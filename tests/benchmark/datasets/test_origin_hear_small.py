"""HEAR's small data out of its archives."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmark.datasets.labelled_set import read_manifest
from benchmark.datasets.origin import build_set
from benchmark.datasets.origin_hear_small import FILES
from benchmark.datasets.origins import ORIGINS
from tests.benchmark.datasets.originals import sound, zip_bytes

#: A member of each archive, and what the manifest says of it: task, label, split, fold.
MEMBERS = {
    "beijing_opera-train-small": ("x/205975__ajaysm__naobo-05.wav", "beijing_opera", "naobo", "train", ""),
    "crema_d-train-small": ("audio/tfds_id-1.wav", "crema_d", "SAD", "train", ""),
    "crema_d-valid-small": ("audio/tfds_id-2.wav", "crema_d", "SAD", "valid", ""),
    "crema_d-test-small": ("audio/tfds_id-3.wav", "crema_d", "SAD", "test", ""),
    "esc50-all_folds-small": ("ESC-50-master/audio/3-13572-A-46.wav", "esc50", "46", "", "3"),
    "fsd50k-train-small": ("FSD50K.dev_audio/47613.wav", "fsd50k", "Bark|Dog", "dev", "val"),
    "fsd50k-test-small": ("FSD50K.eval_audio/1924.wav", "fsd50k", "Bell", "eval", ""),
    "gtzan-small": ("audio/tfds_id-4.wav", "gtzan_genre", "disco", "", ""),
    "gtzan_music_speech-small": ("audio/tfds_id-5.wav", "gtzan_music_speech", "speech", "", ""),
    "gunshot_triangulation": ("mic2_shot17_fid6.wav", "gunshot_triangulation", "mic2", "", "fid6"),
    "hive1_12062018": ("Hive1 12_06_2018_QueenBee____01_00_00.wav", "beehive_states", "queen", "hive1", ""),
    "hive1_31052018": ("Hive1 31_05_2018_NO_QueenBee____17_30_00.wav", "beehive_states", "no_queen", "hive1", ""),
    "hive3_14072017": ("Hive3_14_07_2017_NO_QueenBee____13_10_00.wav", "beehive_states", "no_queen", "hive3", ""),
    "hive3_28072017": ("Hive3_28_07_2017_QueenBee____13_40_00.wav", "beehive_states", "queen", "hive3", ""),
    "libricount-train-small": ("test/10_71d184.wav", "libricount", "10", "", ""),
    "mridangam-train-small": ("m/C#/226950__akshaylaya__ta-csh-170.wav", "mridangam", "ta", "", "csh"),
    "vocal_imitation-train-small": ("V/i/041Human sounds_Hands_Clapping-56.wav", "vocal_imitation", "Clapping", "", ""),
    "vox_lingua-train-small": ("hy/_xlRg5e_NXo__U__S0---0371.790-0391.400.wav", "vox_lingua_top10", "hy", "", ""),
    "speech_commands_v0.02-small": ("right/9d32f10a_nohash_1.wav", "speech_commands", "right", "train", ""),
    "speech_commands_test_set_v0.02-small": ("_silence_/842.wav", "speech_commands", "_silence_", "test", ""),
    "spoken_digit-small": ("audio/tfds_id-6.wav", "spoken_digit", "7", "", ""),
}


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    """The archives in the published layout with a clip each; returns the first."""
    for name, (member, _, label, _, _) in MEMBERS.items():
        files = {member: sound(), f"__MACOSX/{member}": b"notes", "a_readme.txt": b"licence"}
        if Path(member).name.startswith("tfds_id"):
            files["train_labels.csv"] = f"filename,label\n{Path(member).name},{label}\n".encode()
        (tmp_path / f"{name}.zip").write_bytes(zip_bytes(files))
    truth = {
        "T/dev.csv": b'fname,labels,mids,split\n47613,"Bark,Dog","/m/1,/m/2",val\n',
        "T/eval.csv": b"fname,labels,mids\n1924,Bell,/m/3\n",
    }
    (tmp_path / "fsd50k-ground_truth-small.zip").write_bytes(zip_bytes(truth))
    return tmp_path / FILES[0].file


def test_each_archive_says_of_its_clips_what_the_tasks_need(archives: Path, tmp_path: Path) -> None:
    assert build_set(ORIGINS["hear_small"], tmp_path / "sets", tmp_path, archives) == len(MEMBERS)
    found = read_manifest(tmp_path / "sets" / "hear_small.tar")
    rows = {(row.original_file, row.task, row.label, row.split, row.fold) for row in found.itertuples()}
    assert rows == {(Path(member).name, *others) for member, *others in MEMBERS.values()}
    assert all(file.replace(".flac", "").replace("_", "").replace("-", "").isalnum() for file in found["file"])


def test_every_archive_has_a_published_hash() -> None:
    assert len(FILES) == len({file.file for file in FILES}) == 22
    assert all(file.checksum and file.checksum.startswith("md5:") and file.size for file in FILES)
    assert all(len(commit) == 40 for file in FILES for commit in [file.urls[0].split("/")[-2]])
