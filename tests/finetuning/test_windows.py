"""Log-mels of windows: those of the whole recording at their place, of any rate, kept in a file."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("sklearn")

from byola_hear import labels
from byola_hear.audio import AudioFileError, read_audio
from byola_hear.classification.examples import Examples, from_audio
from byola_hear.classification.labelled import Labels
from byola_hear.finetuning.windows import log_mels
from byola_hear.models.frontend import log_mel
from byola_hear.models.model import ByolaModel
from tests.classification.sounds import write_recordings


@pytest.fixture
def examples(here: Path, model: ByolaModel) -> Examples:
    write_recordings(here / "rec", count=2)
    return from_audio(Labels(labels.read(["rec/labels.csv"], recordings="rec")), model, 0.8)


def test_a_window_has_the_log_mel_of_its_place(examples: Examples, model: ByolaModel, here: Path) -> None:
    counted: list[int] = []
    windows = log_mels(examples, model.config, here / "l.f32", on_window=counted.append)
    assert counted[-1] == len(examples) and len(windows.lengths) == len(examples)
    for row in (0, 3, len(examples) - 1):
        whole = log_mel(torch.from_numpy(read_audio(examples.file[row], 16000)), model.config.frontend)
        batch, ((length, _),) = windows.batch([row], -16.0)
        first = examples.start[row] * 100
        if abs(first - round(first)) < 1e-6:
            expected = whole[:, round(first) : round(first) + int(length)]
            torch.testing.assert_close(batch[0, 0, :, 1:-4], expected[:, 1:-4], atol=2e-2, rtol=1e-3)


def test_whole_clips_are_exact_and_shorter_ones_are_filled(sweeps: Examples, model: ByolaModel, here: Path) -> None:
    end = sweeps.end.copy()
    end[1] = 0.25
    windows = log_mels(replace(sweeps, end=end), model.config, here / "l.f32")
    batch, sizes = windows.batch([0, 1], -16.0)
    assert sizes.tolist() == [[41, 10], [26, 6]] and batch.shape == (2, 1, 16, 41)
    whole = log_mel(torch.from_numpy(read_audio(sweeps.file[0], 16000)), model.config.frontend)
    assert torch.equal(batch[0, 0], whole)
    assert (batch[1, 0, :, 26:] == -16).all() and (batch[1, 0, :, :26] > -16).any()


def test_the_file_is_taken_again(sweeps: Examples, model: ByolaModel, here: Path) -> None:
    config, path = model.config, here / "l.f32"
    first = log_mels(sweeps, config, path).frames.copy()
    for file in (here / "clips").rglob("*.wav"):
        file.unlink()
    assert np.array_equal(log_mels(sweeps, config, path).frames, first)
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ValueError, match="bytes of log-mels"):
        log_mels(sweeps, config, path)
    path.unlink()
    with pytest.raises((AudioFileError, OSError)):
        log_mels(sweeps, config, path)
    assert not path.exists()


def test_a_quota_that_is_used_up_is_an_error_before_anything_is_computed(
    sweeps: Examples, model: ByolaModel, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: int) -> None:
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    monkeypatch.setattr(os, "posix_fallocate", refuse, raising=False)
    before, counted = set(here.iterdir()), list[int]()
    with pytest.raises(OSError, match=r"Disk quota exceeded: '.*l\.f32\.partial'"):
        log_mels(sweeps, model.config, here / "l.f32", on_window=counted.append)
    assert set(here.iterdir()) == before and not counted


def test_a_file_system_that_promises_no_room(
    sweeps: Examples, model: ByolaModel, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = log_mels(sweeps, model.config, here / "l.f32").frames

    def refuse(*arguments: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "posix_fallocate", refuse, raising=False)
    assert np.array_equal(log_mels(sweeps, model.config, here / "other.f32").frames, expected)
