"""The front end against torchaudio, librosa and numpy."""

from __future__ import annotations

import importlib.util
import sys
import types
from collections.abc import Iterator
from typing import Literal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.baselines.pretrained import import_torchaudio_without_extension
from byola_hear.models import frontend
from byola_hear.models.frontend import (
    FrontendConfig,
    LogMel,
    frame_count,
    hz_to_mel,
    log_mel,
    log_mel_range,
    mel_filters,
    mel_to_hz,
    reflected,
)
from tests.models import librosa_references
from tests.models.librosa_references import FRONTENDS, speech

EPSILON = 1.1920929e-07


@pytest.fixture
def torchaudio() -> Iterator[types.ModuleType]:
    """torchaudio without its compiled part, which may need CUDA's libraries and which transforms do not use."""
    if importlib.util.find_spec("torchaudio") is None:
        pytest.skip("torchaudio is not installed")

    def loaded() -> set[str]:
        return {name for name in sys.modules if name == "torchaudio" or name.startswith("torchaudio.")}

    before = loaded()
    import_torchaudio_without_extension()
    try:
        import torchaudio as module
        import torchaudio.transforms

        yield module
    finally:
        for name in loaded() - before:
            del sys.modules[name]


def sound(n_samples: int, seed: int = 0) -> torch.Tensor:
    """Noise with a loud tone and a silence in it, (2, n_samples)."""
    generator = torch.Generator().manual_seed(seed)
    waveform = torch.randn(2, n_samples, generator=generator) * 0.1
    waveform[1] = 0.5 * torch.sin(torch.arange(n_samples) * 0.2)
    waveform[0, n_samples // 2 : n_samples // 2 + 2000] = 0
    return waveform


@pytest.mark.parametrize("name", FRONTENDS)
def test_log_mel_equals_torchaudio(name: str, torchaudio: types.ModuleType) -> None:
    config = FRONTENDS[name]
    waveform = sound(16000 * 3 + 77)
    transform = torchaudio.transforms.MelSpectrogram(
        sample_rate=16000,
        n_fft=config.n_fft,
        win_length=config.window_length,
        hop_length=config.hop_length,
        n_mels=config.n_mels,
        f_min=config.f_min,
        f_max=config.f_max,
        power=2,
        center=True,
        pad_mode="reflect",
        mel_scale=config.mel_scale,
        norm=None if config.mel_norm == "none" else config.mel_norm,
    )
    actual = log_mel(waveform, config)
    # torchaudio computes its filters in float32. They differ by up to 4.2e-6 from those in float64, librosa's and ours.
    torch.testing.assert_close(mel_filters(config), transform.mel_scale.fb, atol=1e-5, rtol=0)
    mel = transform(waveform)
    loud = mel > 1e-6 * mel.max()
    torch.testing.assert_close(actual[loud], (mel + EPSILON).log()[loud], atol=2e-5, rtol=0)
    torch.testing.assert_close(actual, (mel + EPSILON).log(), atol=2e-4, rtol=0)
    # With the same filters, only the last digits of float32 differ.
    transform.mel_scale.fb = mel_filters(config)
    torch.testing.assert_close(actual, (transform(waveform) + EPSILON).log(), atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", FRONTENDS)
def test_filters_and_log_mel_equal_librosa(name: str) -> None:
    config = FRONTENDS[name]
    with np.load(librosa_references.FILE) as references:
        filters, mel = references[f"{name}-filters"], references[f"{name}-mel"]
    np.testing.assert_allclose(mel_filters(config).numpy(), filters, atol=1e-7)
    ours = log_mel(torch.from_numpy(speech()), config).numpy()
    np.testing.assert_allclose(np.exp(ours), mel + EPSILON, atol=1e-6 * mel.max())
    loud = mel > 1e-6 * mel.max()
    assert 0.3 < loud.mean() < 1
    np.testing.assert_allclose(ours[loud], np.log(mel[loud] + EPSILON), atol=1e-4)


def test_the_front_ends_of_v1_and_v2_differ() -> None:
    waveform = sound(16000)
    difference = log_mel(waveform, FRONTENDS["v1"]) - log_mel(waveform, FRONTENDS["v2"])
    assert difference.std() > 0.2 and difference.mean() > 3


@pytest.mark.parametrize("n_samples", [1, 2, 159, 160, 161, 511, 512, 513, 4001])
def test_any_range_is_a_slice_of_the_whole(n_samples: int) -> None:
    waveform, config = sound(8000)[:, :n_samples], FrontendConfig()
    whole = log_mel(waveform, config)
    n_frames = frame_count(n_samples, config)
    assert whole.shape == (2, 64, n_frames) and torch.isfinite(whole).all()
    for first, last in {(0, n_frames), (0, 1), (n_frames - 1, n_frames), (n_frames // 3, n_frames)}:
        part = log_mel_range(waveform, config, first, last)
        torch.testing.assert_close(part, whole[..., first:last], atol=1e-6, rtol=0)


@pytest.mark.parametrize("n_samples", [1, 159, 160, 4001])
def test_an_odd_transform_has_every_frame(n_samples: int) -> None:
    waveform, config = sound(8000)[:, :n_samples], FrontendConfig(n_mels=16, n_fft=401, window_length=400)
    n_frames = frame_count(n_samples, config)
    whole = log_mel(waveform, config)
    assert whole.shape == (2, 16, n_frames)
    last = log_mel_range(waveform, config, n_frames - 1, n_frames)
    torch.testing.assert_close(last, whole[..., -1:], atol=1e-6, rtol=0)


@pytest.mark.parametrize("n_clips", [1, 3, 7])
@pytest.mark.parametrize("n_frames", [1, 50, frontend.BLOCK_FRAMES, frontend.BLOCK_FRAMES + 1, 300])
def test_blocks_of_frames_make_no_difference(n_clips: int, n_frames: int, monkeypatch: pytest.MonkeyPatch) -> None:
    clips = torch.randn(n_clips, 160 * (n_frames - 1) + 80, generator=torch.Generator().manual_seed(0)) / 10
    in_blocks = log_mel(clips)
    monkeypatch.setattr(frontend, "BLOCK_FRAMES", 10**9)
    torch.testing.assert_close(in_blocks, log_mel(clips), rtol=1e-6, atol=1e-6)
    assert in_blocks.shape == (n_clips, 64, n_frames)


@pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "1.25.0", reason="np.pad does not repeat a reflection exactly before 1.25"
)
@given(
    length=st.integers(1, 30),
    before=st.integers(0, 70),
    after=st.integers(0, 70),
    seed=st.integers(0, 5),
)
def test_reflection_equals_numpy(length: int, before: int, after: int, seed: int) -> None:
    waveform = torch.randn(2, length, generator=torch.Generator().manual_seed(seed))
    # In numpy, the repetition of a single sample has another name.
    mode: Literal["reflect", "edge"] = "reflect" if length > 1 else "edge"
    expected = np.pad(waveform.numpy(), ((0, 0), (before, after)), mode=mode)
    np.testing.assert_array_equal(reflected(waveform, -before, length + after), expected)


@given(length=st.integers(1, 12), start=st.integers(-40, 40), size=st.integers(1, 40))
@settings(max_examples=200)
def test_reflection_of_any_range_is_a_slice(length: int, start: int, size: int) -> None:
    waveform = torch.arange(float(length))
    whole = reflected(waveform, -100, 100)
    assert torch.equal(reflected(waveform, start, start + size), whole[start + 100 : start + 100 + size])


@pytest.mark.parametrize("scale", ["htk", "slaney"])
def test_mel_scales_invert(scale: str) -> None:
    frequency = torch.linspace(0, 8000, 801, dtype=torch.float64)
    torch.testing.assert_close(mel_to_hz(hz_to_mel(frequency, scale), scale), frequency)


def test_silence_is_the_logarithm_of_epsilon() -> None:
    expected = torch.full((64, 11), float(np.log(EPSILON)))
    torch.testing.assert_close(log_mel(torch.zeros(1600)), expected)


def test_the_module_is_the_function() -> None:
    config = FRONTENDS["v1"]
    assert torch.equal(LogMel(config)(sound(3000)), log_mel(sound(3000), config))


def test_gradients_reach_the_waveform() -> None:
    waveform = sound(2000).requires_grad_()
    log_mel(waveform).sum().backward()
    assert waveform.grad is not None and torch.isfinite(waveform.grad).all() and waveform.grad.abs().sum() > 0


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_autocast_changes_nothing(dtype: torch.dtype) -> None:
    waveform = sound(4000).sign()  # its power is beyond float16
    with torch.autocast("cpu", dtype):
        found = log_mel(waveform)
    assert torch.equal(found, log_mel(waveform))


@pytest.mark.parametrize(
    ("waveform", "message"),
    [
        (torch.zeros(100, dtype=torch.int16), "int16"),
        (torch.zeros(100, dtype=torch.float64), "float64"),
        (torch.zeros(2, 0), r"\(2, 0\)"),
        (torch.tensor(1.0), r"\(\)"),
    ],
)
def test_wrong_waveforms_are_refused(waveform: torch.Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        log_mel(waveform)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hop_length": 0}, "hop_length must be a positive integer, got 0"),
        ({"sample_rate": 16000.0}, "sample_rate must be a positive integer, got 16000.0"),
        ({"window_length": 2048}, "at most n_fft"),
        ({"f_max": 9000.0}, "8000.0 Hz"),
        ({"f_min": 7900.0}, "f_min < f_max"),
        ({"mel_scale": "bark"}, "'bark'"),
        ({"mel_norm": "l2"}, "'l2'"),
    ],
)
def test_impossible_configurations_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        FrontendConfig(**change)  # type: ignore[arg-type]
