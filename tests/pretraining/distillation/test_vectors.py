from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from byola_hear.pretraining.data.build_cache import build_cache
from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.data.manifest import read_manifest
from byola_hear.pretraining.distillation.teachers import load_teacher, teach
from byola_hear.pretraining.distillation.vectors import TeacherVectors, segments_of, teacher_vectors

STUB = "tests.pretraining.distillation.stub"
FRAMES = 32


@pytest.fixture
def cache(tone_cache: LogMelCache, tone_manifest: Path) -> LogMelCache:
    return replace(tone_cache, kinds=tuple(clip.kind for clip in read_manifest(tone_manifest)))


def computed(
    cache: LogMelCache, manifest: Path, folder: Path, output: Path, text: str = STUB, frames: int = FRAMES
) -> TeacherVectors:
    return teacher_vectors(load_teacher(text), manifest, cache, folder, output, frames)


def test_vectors_are_those_of_the_clips_standardised(
    cache: LogMelCache, tone_manifest: Path, tone_cache_folder: Path, tmp_path: Path
) -> None:
    vectors = computed(cache, tone_manifest, tone_cache_folder, tmp_path)
    segments = segments_of(cache.lengths, FRAMES)
    assert torch.equal(vectors.counts, segments) and int(segments.min()) == 1 and int(segments.max()) > 5
    row = torch.tensor([11, 4, 0])
    found, there = vectors.of(row, torch.tensor([3, 0, 0]))
    assert there.all()
    teacher, clips = load_teacher(STUB), read_manifest(tone_manifest)
    for index, (number, segment) in enumerate([(11, 3), (4, 0), (0, 0)]):
        (raw,) = teach(teacher, [clips[number]], tone_manifest.parent, [int(segments[number])], FRAMES / 100)
        assert isinstance(raw, torch.Tensor)
        expected = (raw[segment] - vectors.mean) / vectors.std
        torch.testing.assert_close(found[index], expected)
    every = vectors.vectors
    torch.testing.assert_close(every.mean(dim=0), vectors.mean)
    torch.testing.assert_close(every.std(dim=0, correction=0), vectors.std)


def test_interrupted_vectors_continue(
    cache: LogMelCache, tone_manifest: Path, tone_cache_folder: Path, tmp_path: Path
) -> None:
    whole = computed(cache, tone_manifest, tone_cache_folder, tmp_path / "whole")

    def interrupt(done: int, total: int) -> None:
        if done == 7:
            raise KeyboardInterrupt

    arguments = (load_teacher(STUB), tone_manifest, cache, tone_cache_folder, tmp_path / "resumed", FRAMES)
    with pytest.raises(KeyboardInterrupt):
        teacher_vectors(*arguments, progress=interrupt)
    numbers: list[int] = []
    resumed = teacher_vectors(*arguments, progress=lambda done, total: numbers.append(done))
    assert numbers[0] == 8
    assert torch.equal(resumed.vectors, whole.vectors)


def test_finished_vectors_are_those_of_one_teacher_and_segment_length(
    cache: LogMelCache, tone_manifest: Path, tone_cache_folder: Path, tmp_path: Path
) -> None:
    computed(cache, tone_manifest, tone_cache_folder, tmp_path)
    with pytest.raises(ValueError, match="holds vectors of another manifest or teacher"):
        computed(cache, tone_manifest, tone_cache_folder, tmp_path, frames=64)


def test_vectors_of_audio_that_has_changed_are_refused(
    cache: LogMelCache, tone_manifest: Path, tone_cache_folder: Path, tmp_path: Path
) -> None:
    computed(cache, tone_manifest, tone_cache_folder, tmp_path)
    rebuilt = replace(cache, info={**cache.info, "data_sha256": "0" * 64})
    with pytest.raises(ValueError, match="the audio has changed since its vectors were computed; delete this folder"):
        computed(rebuilt, tone_manifest, tone_cache_folder, tmp_path)


def test_a_teacher_of_a_kind_that_is_not_in_the_set_is_refused(
    cache: LogMelCache, tone_manifest: Path, tone_cache_folder: Path, tmp_path: Path
) -> None:
    # A misspelt kind next to another one would be left out without a word.
    for kinds in ("speech", "tones+speech"):
        with pytest.raises(ValueError, match="expected kinds of the set .tones. for the teacher stub@.*, got speech$"):
            computed(cache, tone_manifest, tone_cache_folder, tmp_path, f"{STUB}@{kinds}")
    assert not any(tmp_path.iterdir())


def test_rows_that_can_not_be_read_are_named(tones: Path, tmp_path: Path) -> None:
    folder = tmp_path / "audio"
    shutil.copytree(tones, folder)
    cache = build_cache(folder / "manifest.csv", tmp_path / "cache", statistics_crops=50)
    (folder / "tone03.wav").unlink()
    vectors = computed(cache, folder / "manifest.csv", tmp_path / "cache", tmp_path / "vectors")
    assert len(vectors.failed) == 1 and "tone03.wav" in vectors.failed[0]
    assert vectors.counts[3] == 0 and vectors.counts.gt(0).sum() == 11
    assert computed(cache, folder / "manifest.csv", tmp_path / "cache", tmp_path / "vectors").failed == vectors.failed


def test_rows_without_vectors_are_zero_and_not_there() -> None:
    vectors = TeacherVectors(
        torch.ones(2, 3), torch.tensor([0, 2]), torch.tensor([2, 0]), torch.zeros(3), torch.ones(3)
    )
    found, there = vectors.of(torch.tensor([0, 1]), torch.tensor([1, 0]))
    assert there.tolist() == [True, False]
    assert torch.equal(found, torch.tensor([[1.0, 1, 1], [0, 0, 0]]))
