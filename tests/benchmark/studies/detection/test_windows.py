"""Windows of baselines are means of timestamps, and those of networks the package's own."""

from __future__ import annotations

import numpy as np

import byola_hear
from benchmark.models.extractors import extractor_of
from benchmark.models.loading import ModelName
from benchmark.studies.detection.windows import Embedder, pooled


def test_timestamps_are_averaged_over_windows() -> None:
    frames = np.arange(10, dtype=np.float32)[:, None]
    found = pooled(frames, np.arange(10) * 0.1, 1.0, 0.4, 0.2)
    np.testing.assert_allclose(found.start, [0, 0.2, 0.4, 0.6])
    np.testing.assert_allclose(found.end, [0.4, 0.6, 0.8, 1.0])
    np.testing.assert_allclose(found.embeddings[:, 0], [1.5, 3.5, 5.5, 7.5])


def test_a_window_without_a_timestamp_takes_the_nearest() -> None:
    found = pooled(np.array([[1.0], [2.0]], np.float32), np.array([0.5, 1.5]), 2.0, 0.2, 0.6)
    np.testing.assert_allclose(found.embeddings[:, 0], [1, 1, 2, 2])


def test_a_recording_shorter_than_a_window_is_one_window() -> None:
    found = pooled(np.ones((3, 2), np.float32), np.array([0.0, 0.1, 0.2]), 0.25, 1.0, 0.5)
    assert (found.start.tolist(), found.end.tolist()) == ([0.0], [0.25])


def test_networks_embed_as_the_package_does() -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, 32000).astype(np.float32)
    embedder = Embedder.of(extractor_of(ModelName.of("speech")), ModelName.of("speech"))
    found = embedder.windows(samples, 0.5, 0.25)
    table = byola_hear.embed(samples, "speech", window=0.5, hop=0.25, sample_rate=16000)
    np.testing.assert_array_equal(found.embeddings, table.to_numpy())
    assert embedder.network().size == found.embeddings.shape[1]


def test_baselines_have_one_size() -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, 32000).astype(np.float32)
    embedder = Embedder.of(extractor_of(ModelName.of("logmel")), ModelName.of("logmel"))
    assert embedder.windows(samples, 0.5, 0.25).embeddings.shape == (7, embedder.network().size)
