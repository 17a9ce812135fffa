from __future__ import annotations

import torch

from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.distillation.sampler import SegmentSampler
from byola_hear.pretraining.distillation.vectors import TeacherVectors, segments_of
from byola_hear.pretraining.training.distributed import Place
from byola_hear.pretraining.training.recipe import Recipe

RECIPE = Recipe(batch_size=64, crop_frames=32, seed=3)


def numbered(cache: LogMelCache) -> TeacherVectors:
    """A teacher whose vector of a segment is the mean of its first frame."""
    counts = segments_of(cache.lengths, RECIPE.crop_frames)
    firsts = [
        int(start) + RECIPE.crop_frames * segment
        for start, count in zip(cache.starts, counts)
        for segment in range(int(count))
    ]
    vectors = cache.frames[torch.tensor(firsts)].float().mean(dim=1, keepdim=True)
    return TeacherVectors(vectors, counts.cumsum(0) - counts, counts, torch.zeros(1), torch.ones(1))


def test_crops_and_vectors_belong_together(tone_cache: LogMelCache) -> None:
    sampler = SegmentSampler(tone_cache, RECIPE, Place(0, 1, torch.device("cpu")), [numbered(tone_cache)])
    crops, memory = sampler.next(0)
    assert crops.shape == (64, 1, 64, 32) and memory.shape == (64, 2)
    first = crops[:, 0, :, 0].mean(dim=1) * tone_cache.std + tone_cache.mean
    torch.testing.assert_close(memory[:, 1], first, atol=1e-4, rtol=1e-4)
    assert memory[:, 0].eq(1).all() and len(memory[:, 1].unique()) > 20


def test_steps_and_processes_draw_their_own(tone_cache: LogMelCache) -> None:
    teacher = numbered(tone_cache)
    drawn = [
        SegmentSampler(tone_cache, RECIPE, Place(rank, 2, torch.device("cpu")), [teacher]).next(step)[0]
        for rank, step in [(0, 5), (0, 5), (1, 5), (0, 6)]
    ]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2]) and not torch.equal(drawn[0], drawn[3])
