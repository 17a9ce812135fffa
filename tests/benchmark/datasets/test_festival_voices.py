from __future__ import annotations

import numpy as np
import pytest

from benchmark.datasets.festival_voices import FestivalVoice, expanded_mulaw, resynthesised
from tests.benchmark.tasks.mini.mini_packages import group_file


def predicted(samples: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """What is left of samples when their prediction from those before is taken off."""
    order = len(coefficients)
    padded = np.concatenate([np.zeros(order), samples])
    past = np.stack([padded[order - k : len(padded) - k] for k in range(1, order + 1)])
    return samples - coefficients @ past


def test_filtering_undoes_linear_prediction() -> None:
    samples = np.random.default_rng(0).standard_normal(300) * 1000
    first, second = np.array([1.2, -0.5, 0.1]), np.array([-0.3, 0.2, 0.4])
    # The frames' marks are at 100 and 200: the first holds up to 150.
    residual = np.concatenate([predicted(samples, first)[:150], predicted(samples, second)[150:]])
    back = resynthesised(residual, np.array([100.0, 200.0]), np.stack([first, second]))
    np.testing.assert_allclose(back, samples, rtol=1e-9, atol=1e-6)


def test_a_unit_is_what_its_residual_and_coefficients_say() -> None:
    codes = np.random.default_rng(1).integers(0, 256, 400).astype(np.uint8)
    times, coefficients = np.array([0.005, 0.015]), np.array([[0.5, 0.25], [-0.5, 0.0]])
    other = (codes[::-1].copy(), times, coefficients)
    voice = FestivalVoice("v.group", group_file({"a-b": other, "p-a": (codes, times, coefficients)}))
    assert list(voice.units) == ["a-b", "p-a"]
    expected = resynthesised(expanded_mulaw(codes), times * 16000, coefficients) / 32768
    np.testing.assert_allclose(voice.recording("p-a"), expected, atol=1e-5)


def test_a_unit_comes_at_the_tasks_rate() -> None:
    unit = (np.full(800, 0x90, np.uint8), np.array([0.01]), np.array([[0.5]]))
    voice = FestivalVoice("v.group", group_file({"a-b": unit}, rate=32000))
    assert len(voice.recording("a-b")) == 400


def test_mulaw_is_that_of_the_standard() -> None:
    every = expanded_mulaw(np.arange(256, dtype=np.uint8))
    # Symmetric, 0 twice, the loudest 32124; within each of eight segments the steps double.
    assert np.array_equal(every[:128], -every[128:]) and every.max() == 32124
    steps = -np.diff(every[128:]).reshape(-1)
    assert steps[:15].tolist() == [1024.0] * 15 and steps[-15:].tolist() == [8.0] * 15


@pytest.mark.parametrize("content", [b"", b"EST_File index\n", b"RIFF" * 20, b"EST_File index\nX 1\nEST_Header_End\n"])
def test_a_file_that_is_not_a_voice_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"v\.group: expected"):
        FestivalVoice("v.group", content).recording("a-b")


def test_a_missing_or_damaged_unit_is_named() -> None:
    content = group_file({"a-b": (np.zeros(100, np.uint8), np.array([0.01]), np.array([[0.5]]))})
    with pytest.raises(ValueError, match="got 'x-y'"):
        FestivalVoice("v.group", content).recording("x-y")
    with pytest.raises(ValueError):
        FestivalVoice("v.group", content[:-60]).recording("a-b")
