"""The front end against torchaudio, librosa and numpy, and its own promises."""

from __future__ import annotations

import importlib.util
import sys
import types
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.baselines.pretrained import import_torchaudio_without_extension
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

EPSILON = 1.1920929e-07
#: The published front ends of the family, and what torchaudio calls their mel scales.
FRONTENDS = {
    "v1": (FrontendConfig(mel_scale="htk", mel_norm="none"), {"mel_scale": "htk", "norm": None}),
    "v2": (FrontendConfig(), {"mel_scale": "slaney", "norm": "slaney"}),
    "serab": (
        FrontendConfig(window_length=400, mel_scale="htk", mel_norm="none"),
        {"mel_scale": "htk", "norm": None},
    ),
}


@pytest.fixture
def torchaudio() -> Iterator[types.ModuleType]:
    """torchaudio without its compiled part, which wants CUDA's libraries and which transforms do without."""
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
    config, scale = FRONTENDS[name]
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
        **scale,
    )
    actual = log_mel(waveform, config)
    # torchaudio makes its filters in float32 (up to 4.2e-6 off those in float64, librosa's and ours).
    torch.testing.assert_close(mel_filters(config), transform.mel_scale.fb, atol=1e-5, rtol=0)
    mel = transform(waveform)
    loud = mel > 1e-6 * mel.max()
    torch.testing.assert_close(actual[loud], (mel + EPSILON).log()[loud], atol=2e-5, rtol=0)
    torch.testing.assert_close(actual, (mel + EPSILON).log(), atol=2e-4, rtol=0)
    # With the same filters nothing but float32's last digits is left.
    transform.mel_scale.fb = mel_filters(config)
    torch.testing.assert_close(actual, (transform(waveform) + EPSILON).log(), atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", FRONTENDS)
def test_filters_equal_librosa(name: str) -> None:
    librosa = pytest.importorskip("librosa")
    config, scale = FRONTENDS[name]
    expected = librosa.filters.mel(
        sr=16000,
        n_fft=config.n_fft,
        n_mels=64,
        fmin=60,
        fmax=7800,
        htk=scale["mel_scale"] == "htk",
        norm=scale["norm"],
        dtype=np.float64,
    )
    np.testing.assert_allclose(mel_filters(config).numpy(), expected.T, atol=1e-7)


@pytest.mark.parametrize("name", FRONTENDS)
def test_log_mel_equals_librosa(name: str) -> None:
    librosa = pytest.importorskip("librosa")
    config, scale = FRONTENDS[name]
    waveform = sound(20000)
    mel = librosa.feature.melspectrogram(
        y=waveform.numpy().astype(np.float64),
        sr=16000,
        n_fft=config.n_fft,
        win_length=config.window_length,
        hop_length=config.hop_length,
        n_mels=64,
        fmin=60,
        fmax=7800,
        pad_mode="reflect",
        htk=scale["mel_scale"] == "htk",
        norm=scale["norm"],
    )
    np.testing.assert_allclose(log_mel(waveform, config).exp(), mel + EPSILON, atol=1e-6 * mel.max())
    loud = mel > 1e-6 * mel.max()
    np.testing.assert_allclose(log_mel(waveform, config)[loud], np.log(mel[loud] + EPSILON), atol=1e-4)


def test_the_scales_are_not_interchangeable() -> None:
    waveform = sound(16000)
    difference = log_mel(waveform, FRONTENDS["v1"][0]) - log_mel(waveform, FRONTENDS["v2"][0])
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
    # numpy calls the repetition of a single sample by another name.
    mode = "reflect" if length > 1 else "edge"
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
    config = FRONTENDS["v1"][0]
    assert torch.equal(LogMel(config)(sound(3000)), log_mel(sound(3000), config))


def test_gradients_reach_the_waveform() -> None:
    waveform = sound(2000).requires_grad_()
    log_mel(waveform).sum().backward()
    assert waveform.grad is not None and torch.isfinite(waveform.grad).all() and waveform.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("waveform", "message"),
    [
        (torch.zeros(100, dtype=torch.int16), "int16"),
        (torch.zeros(100, dtype=torch.float64), "float64"),
        (torch.zeros(2, 0), r"\(2, 0\)"),
        (torch.tensor(1.0), r"\(\)"),
    ],
)
def test_what_is_no_waveform_is_refused(waveform: torch.Tensor, message: str) -> None:
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
