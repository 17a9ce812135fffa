from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from byola_hear.models.frontend import FrontendConfig, log_mel
from byola_hear.pretraining.data import build_cache as caches
from byola_hear.pretraining.data.build_cache import build_cache
from byola_hear.pretraining.data.cache import DATA_FILE, INFO_FILE, LogMelCache, open_cache
from byola_hear.pretraining.data.clip_log_mel import cached_log_mel, read_clip
from byola_hear.pretraining.data.collect import build_manifest
from byola_hear.pretraining.data.manifest import ManifestClip, read_manifest, write_manifest
from byola_hear.pretraining.data.row_file import MARKER_FILE, ROWS_FILE
from byola_hear.utils.files import locked


def test_rows_hold_the_log_mel_of_their_clips(tone_cache: LogMelCache, tone_manifest: Path) -> None:
    for index, clip in enumerate(read_manifest(tone_manifest)):
        start, length = int(tone_cache.starts[index]), int(tone_cache.lengths[index])
        expected = log_mel(torch.from_numpy(read_clip(clip, tone_manifest.parent, 16000)), FrontendConfig()).T
        torch.testing.assert_close(tone_cache.frames[start : start + length].float(), expected, atol=0.01, rtol=0)


def test_a_full_disk_names_the_cache_and_is_no_end(
    tone_manifest: Path, tone_cache: LogMelCache, tmp_path: Path
) -> None:
    resource = pytest.importorskip("resource")
    allowed = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, allowed[1]))
    try:
        with pytest.raises(OSError) as caught:
            build_cache(tone_manifest, tmp_path / "cache", workers=1, statistics_crops=50)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, allowed)
    assert Path(caught.value.filename).parent == tmp_path / "cache"
    assert torch.equal(build_cache(tone_manifest, tmp_path / "cache", workers=1).frames, tone_cache.frames)


def test_interrupted_build_continues(tone_manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = build_cache(tone_manifest, tmp_path / "whole", workers=1, statistics_crops=50)
    decoded: list[str] = []

    def counting(clip: ManifestClip, folder: Path, frontend: FrontendConfig) -> np.ndarray:
        decoded.append(clip.path)
        return cached_log_mel(clip, folder, frontend)

    monkeypatch.setattr(caches, "cached_log_mel", counting)

    def interrupt(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_cache(tone_manifest, tmp_path / "resumed", workers=1, statistics_crops=50, progress=interrupt)
    # A kill in the middle of a write leaves data without a row, and half a row.
    with open(tmp_path / "resumed" / DATA_FILE, "ab") as file:
        file.write(b"half a clip")
    with open(tmp_path / "resumed" / ROWS_FILE, "a") as rows:
        rows.write("5,1")
    with pytest.raises(FileNotFoundError, match="no finished"):
        open_cache(tmp_path / "resumed")
    decoded.clear()
    resumed = build_cache(tone_manifest, tmp_path / "resumed", workers=1, statistics_crops=50)
    assert len(decoded) == 7
    assert torch.equal(resumed.frames, whole.frames)
    assert resumed.info == whole.info
    decoded.clear()
    build_cache(tone_manifest, tmp_path / "resumed")
    assert decoded == []


def test_unreadable_rows_are_left_out_and_named(tones: Path, tmp_path: Path) -> None:
    shutil.copy(tones / "tone00.wav", tmp_path / "good.wav")
    soundfile.write(tmp_path / "nan.wav", np.full(1000, np.nan, np.float32), 16000, subtype="FLOAT")
    (tmp_path / "text.wav").write_text("no audio")
    (tmp_path / "headerless.raw").write_bytes(bytes(100))
    clips = [
        ManifestClip(name, 0.2, 16000) for name in ("text.wav", "good.wav", "nan.wav", "gone.wav", "headerless.raw")
    ]
    write_manifest(clips, tmp_path / "m.csv")
    cache = build_cache(tmp_path / "m.csv", tmp_path / "cache", statistics_crops=10)
    assert len(cache.lengths) == 1
    assert [reason.split(":")[0].rsplit("/", 1)[-1] for reason in cache.info["failed"]] == [
        "text.wav",
        "nan.wav",
        "gone.wav",
        "headerless.raw",
    ]
    assert [row["rows"] for row in cache.info["sources"]] == [1]
    assert cache.info["hours"] == 0.2 / 3600


@pytest.mark.skipif(os.name != "posix", reason="needs such names of files")
def test_names_with_line_breaks_do_not_stop_a_build_that_continues(tones: Path, tmp_path: Path) -> None:
    names = ["a\u2028.wav", "b\x0b.wav", "c\r.wav", "d\n.wav", "good.wav"]
    for name in names:
        (tmp_path / name).write_text("no audio")
    shutil.copy(tones / "tone00.wav", tmp_path / "good.wav")
    write_manifest([ManifestClip(name, 0.1, 16000) for name in names], tmp_path / "m.csv")

    def interrupt(done: int, total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_cache(tmp_path / "m.csv", tmp_path / "cache", workers=1, progress=interrupt)
    cache = build_cache(tmp_path / "m.csv", tmp_path / "cache", statistics_crops=10)
    assert [len(reason.splitlines()) for reason in cache.info["failed"]] == [1] * 4
    assert cache.info["rows"] == 1


def test_truncated_file_has_no_row(tones: Path, tmp_path: Path) -> None:
    content = (tones / "tone00.wav").read_bytes()
    (tmp_path / "whole.wav").write_bytes(content)
    (tmp_path / "cut.wav").write_bytes(content[: len(content) * 2 // 3])
    write_manifest([ManifestClip(name, 0.1, 16000) for name in ("whole.wav", "cut.wav")], tmp_path / "m.csv")
    cache = build_cache(tmp_path / "m.csv", tmp_path / "cache", statistics_crops=10)
    (reason,) = cache.info["failed"]
    assert len(cache.lengths) == 1 and "cut.wav: truncated" in reason


def test_finished_cache_of_another_manifest_is_refused(tones: Path, tone_manifest: Path, tmp_path: Path) -> None:
    build_cache(tone_manifest, tmp_path / "cache", statistics_crops=10)
    build_manifest([tones / "tone00.wav"], tmp_path / "other.csv")
    with pytest.raises(ValueError, match="another manifest"):
        build_cache(tmp_path / "other.csv", tmp_path / "cache")


def test_unfinished_cache_of_another_manifest_is_refused(
    tones: Path, tone_manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*arguments: object) -> tuple[float, float]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(caches, "crop_statistics", killed)
        build_cache(tone_manifest, tmp_path / "cache")
    build_manifest([tones / "tone00.wav"], tmp_path / "other.csv")
    marker = (tmp_path / "cache" / MARKER_FILE).read_bytes()
    for told in (marker, None):  # nor rows that do not say of which manifest they are
        if told is None:
            (tmp_path / "cache" / MARKER_FILE).unlink()
        with pytest.raises(ValueError, match="unfinished cache of another manifest"):
            build_cache(tmp_path / "other.csv", tmp_path / "cache")
    (tmp_path / "cache" / MARKER_FILE).write_bytes(marker)
    assert build_cache(tone_manifest, tmp_path / "cache", statistics_crops=10).info["rows"] == 12


def test_two_processes_do_not_build_the_same_cache(tone_manifest: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    with open(tmp_path / "cache" / DATA_FILE, "ab") as file:
        assert locked(file)
        with pytest.raises(ValueError, match="another process"):
            build_cache(tone_manifest, tmp_path / "cache")


def test_missing_audio_is_read_when_it_is_back(tones: Path, tmp_path: Path) -> None:
    write_manifest([ManifestClip("back.wav", 0.2, 16000)], tmp_path / "m.csv")
    with pytest.raises(ValueError, match=r"no row could be read.*back\.wav"):
        build_cache(tmp_path / "m.csv", tmp_path / "cache")
    shutil.copy(tones / "tone00.wav", tmp_path / "back.wav")
    assert build_cache(tmp_path / "m.csv", tmp_path / "cache", statistics_crops=10).info["rows"] == 1


def test_silence_alone_is_refused(tones: Path, tmp_path: Path) -> None:
    manifest = tmp_path / "m.csv"
    for name, n_samples in (("a.wav", 40000), ("b.wav", 300)):
        soundfile.write(tmp_path / name, np.zeros(n_samples), 16000)
    build_manifest([tmp_path / "a.wav", tmp_path / "b.wav"], manifest)
    with pytest.raises(ValueError, match=r"m\.csv: expected sound, got silence alone"):
        build_cache(manifest, tmp_path / "cache", statistics_crops=200)
    shutil.copy(tones / "tone11.wav", tmp_path / "a.wav")
    assert build_cache(manifest, tmp_path / "cache", statistics_crops=200).std > 1


def test_changed_audio_is_noticed_and_a_copy_is_not_changed(
    tones: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b", "c"):
        shutil.copy(tones / "tone00.wav", f"{name}.wav")
    build_manifest([f"{name}.wav" for name in ("a", "b", "c")], "m.csv")
    cache = build_cache("m.csv", "cache", statistics_crops=10)
    os.utime("a.wav", ns=(0, 0))  # as in a copy of the folder
    Path("b.wav").unlink()
    assert torch.equal(build_cache("m.csv", "cache").frames, cache.frames)
    soundfile.write("c.wav", soundfile.read("c.wav")[0][::-1] * 0.1, 16000)
    assert Path("c.wav").stat().st_size == Path("a.wav").stat().st_size
    with pytest.raises(ValueError, match=r"^c\.wav: has changed since its log-mel was computed; delete cache to"):
        build_cache("m.csv", "cache")
    Path("c.wav").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"^c\.wav: not an audio file.*; it could be read when its log-mel was"):
        build_cache("m.csv", "cache")
    shutil.rmtree("cache")
    assert build_cache("m.csv", "cache", statistics_crops=10).info["rows"] == 1


def test_audio_that_changed_while_a_build_was_interrupted_is_noticed(
    tones: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        shutil.copy(tones / "tone00.wav", f"{name}.wav")
    build_manifest(["a.wav", "b.wav"], "m.csv")

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_cache("m.csv", "cache", workers=1, progress=interrupt)
    for name in ("a", "b"):
        shutil.copy(tones / "tone03.wav", f"{name}.wav")
    with pytest.raises(ValueError, match=r"^a\.wav: has changed since"):
        build_cache("m.csv", "cache", statistics_crops=10)


@pytest.mark.parametrize("finished", [True, False])
def test_truncated_data_file_is_refused(finished: bool, tone_manifest: Path, tmp_path: Path) -> None:
    size = build_cache(tone_manifest, tmp_path, statistics_crops=10).frames.nbytes
    if not finished:
        info = json.loads((tmp_path / INFO_FILE).read_text())
        told = {name: info[name] for name in ("manifest_sha256", "frontend")}
        (tmp_path / INFO_FILE).unlink()
        (tmp_path / MARKER_FILE).write_text(json.dumps(told))
    with open(tmp_path / DATA_FILE, "r+b") as file:
        file.truncate(1280)
    with pytest.raises(ValueError, match=f"expected {size} bytes, got 1280"):
        build_cache(tone_manifest, tmp_path)


@pytest.mark.skipif(not hasattr(os, "sysconf"), reason="needs the size of the memory")
def test_cache_may_be_larger_than_the_memory(tone_cache_folder: Path, tmp_path: Path) -> None:
    shutil.copy(tone_cache_folder / INFO_FILE, tmp_path)
    rows = 2 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 128
    (tmp_path / ROWS_FILE).write_text(f"0,{rows},\n")
    with open(tmp_path / DATA_FILE, "wb") as file:
        file.truncate(rows * 128)  # a hole, which takes no room on the disk
    cache = open_cache(tmp_path)
    assert len(cache.frames) == rows
    assert not cache.frames[-1].any()


def test_hours_are_those_of_the_audio_whatever_the_manifest_says(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for name, seconds in (("a.wav", 2.5), ("b.wav", 1.0)):
        soundfile.write(tmp_path / name, 0.1 * random.standard_normal(round(16000 * seconds)), 16000)
    (tmp_path / "m.csv").write_text("path,duration_s,source\na.wav,60,x\nb.wav,0.9999,y\n")
    info = build_cache(tmp_path / "m.csv", tmp_path / "cache").info
    assert info["hours"] * 3600 == pytest.approx(3.4999)
    assert [total["hours"] * 3600 for total in info["sources"]] == pytest.approx([2.5, 0.9999])


def test_an_interrupted_build_does_not_decode_what_is_waiting(
    tone_manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[str] = []

    def slow(clip: ManifestClip, *others: Any) -> np.ndarray:
        decoded.append(clip.path)
        if len(decoded) > 1:
            time.sleep(0.3)
        return cached_log_mel(clip, *others)

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(caches, "cached_log_mel", slow)
    with pytest.raises(KeyboardInterrupt):
        build_cache(tone_manifest, tmp_path / "cache", workers=1, progress=interrupt)
    assert 1 <= len(decoded) <= 2
