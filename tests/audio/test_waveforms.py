"""Every misuse of a waveform is one clear error that says what came and what was expected."""

from __future__ import annotations

import numpy
import pytest
import torch

from byola_hear.audio.waveforms import MAX_SAMPLE, check_clips, check_waveform

WRONG_CLIPS = {
    "array": (numpy.zeros((2, 8), numpy.float32), TypeError, "got ndarray"),
    "path": ("clip.wav", TypeError, "got str"),
    "nothing": (None, TypeError, "got NoneType"),
    "one clip": (torch.zeros(8), ValueError, r"got \(8,\); give one clip as audio\[None\]"),
    "three dimensions": (torch.zeros(2, 1, 8), ValueError, r"got \(2, 1, 8\)"),
    "empty list": ([], ValueError, "at least one clip"),
    "empty batch": (torch.zeros(0, 8), ValueError, "at least one clip"),
    "no samples": (torch.zeros(2, 0), ValueError, "clip 0 of at least one sample"),
    "one of the list without samples": (
        [torch.zeros(8), torch.zeros(0)],
        ValueError,
        "clip 1 of at least one",
    ),
    "list of arrays": ([numpy.zeros(8, numpy.float32)], TypeError, "clip 0 as a torch tensor, got ndarray"),
    "list of batches": ([torch.zeros(1, 8)], ValueError, r"clip 0 of shape \(n_samples,\), got \(1, 8\)"),
    "int16": (torch.zeros(2, 8, dtype=torch.int16), ValueError, "got torch.int16; divide"),
    "bool": (torch.zeros(2, 8, dtype=torch.bool), ValueError, "got torch.bool"),
    "float64": (torch.zeros(2, 8, dtype=torch.float64), ValueError, "float32 .*got torch.float64"),
    "float16": (torch.zeros(2, 8, dtype=torch.float16), ValueError, "got torch.float16"),
    "complex": (torch.zeros(2, 8, dtype=torch.complex64), ValueError, "got torch.complex64"),
    "nan": (torch.tensor([[0.0, 0.0], [0.0, float("nan")]]), ValueError, "clip 1 of finite samples"),
    "infinity": (torch.tensor([[0.0, float("-inf")]]), ValueError, "clip 0 of finite samples"),
    "soundfile's stereo": (torch.zeros(16000, 2), ValueError, r"looks like \(n_samples, n_channels\)"),
    "soundfile's mono": (torch.zeros(400, 1), ValueError, r"got \(400, 1\).*average the channels first"),
    "integers as floats": (torch.tensor([[0.0, -12345.0]]), ValueError, r"scaled to \[-1, 1\].*-12345 to 0"),
}


@pytest.mark.parametrize("case", WRONG_CLIPS)
def test_wrong_clips_are_refused(case: str) -> None:
    clips, kind, message = WRONG_CLIPS[case]
    with pytest.raises(kind, match=message):
        check_clips(clips)


def test_zero_dimensions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"got \(\)"):
        check_waveform(torch.tensor(0.5))


def test_a_batch_and_a_list_give_the_same_clips_uncopied() -> None:
    batch = torch.rand(3, 10)
    for clips in (check_clips(batch), check_clips(list(batch)), check_clips(tuple(batch))):
        assert [clip.data_ptr() for clip in clips] == [row.data_ptr() for row in batch]


def test_overshoot_is_audio() -> None:
    for peak in (1.0, -1.4, MAX_SAMPLE):
        check_waveform(torch.tensor([0.0, peak]))
    with pytest.raises(ValueError, match="scaled"):
        check_waveform(torch.tensor([0.0, -MAX_SAMPLE * 1.01]))


def test_many_short_clips_and_few_tiny_ones_are_clips() -> None:
    for shape in ((1000, 400), (20, 1), (99, 2)):
        assert len(check_clips(torch.zeros(shape))) == shape[0]
