"""A classifier's scores and thresholds, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from byola_hear.classification.classifier import Network, Operating
from tests.classification.made import NETWORK, classifier


def test_logistic_scores_are_the_logistic_function_of_a_product() -> None:
    scores = classifier().scores(np.array([[0.5, 0, 0, 0], [-0.5, -0.5, 0, 0]], np.float32))
    expected = 1 / (1 + np.exp(-np.array([[1.0, 1.0], [-1.0, 0.0]])))
    np.testing.assert_allclose(scores, expected, atol=1e-6)
    assert scores.dtype == np.float32


def test_dimensions_beyond_the_range_of_the_examples_count_as_its_ends() -> None:
    given = np.array([[1e6, 0, 0, 0], [1, 0, 0, 0]], np.float32)
    scores = classifier().scores(given)
    assert np.array_equal(scores[0], scores[1])
    assert given[0, 0] == 1e6


def test_cosine_scores() -> None:
    made = classifier(
        method="cosine",
        weight=np.eye(2, 4, dtype=np.float32),
        bias=np.zeros(2, np.float32),
        centre=np.array([0, 0, 0.5, 0], np.float32),
        low=np.full(4, -9, np.float32),
        high=np.full(4, 9, np.float32),
    )
    scores = made.scores(np.array([[3, 0, 0.5, 0], [0, -2, 0.5, 0], [1, 1, 0.5, 0]], np.float32))
    np.testing.assert_allclose(scores, [[1, 0.5], [0.5, 0], [(1 + 0.5**0.5) / 2] * 2], atol=1e-6)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("best-f1", [0.4, 0.6]),
        (0.25, [0.25, 0.25]),
        ("0.25", [0.25, 0.25]),
        ("precision=0.4", [0.3, np.inf]),
        ("precision=0.9", [0.7, np.inf]),
        ("precision=0.95", [np.inf, np.inf]),
    ],
)
def test_thresholds(wanted: Any, expected: list[float]) -> None:
    assert classifier().thresholds(wanted).tolist() == expected


@pytest.mark.parametrize(
    "wanted", ["best", "1.5", "-0.1", "nan", "precision", "precision=", "recall=0.9", "precision=2", ""]
)
def test_thresholds_that_mean_nothing(wanted: str) -> None:
    with pytest.raises(ValueError, match=r"expected a threshold from 0 to 1, best-f1 or precision=0\.9, got"):
        classifier().thresholds(wanted)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": ("owl", "owl")}, "2 different classes"),
        ({"classes": ()}, "expected classes with names, got none"),
        ({"classes": ("owl", "")}, "expected classes with names"),
        ({"operating": (Operating(),)}, "each with its thresholds"),
        ({"method": "forest"}, "logistic or cosine, got 'forest'"),
        ({"weight": np.zeros((2, 3), np.float32)}, r"weight as float32 of shape \(2, 4\), got float32 \(2, 3\)"),
        ({"bias": np.zeros(2)}, r"bias as float32 of shape \(2,\), got float64"),
        ({"high": np.full(4, np.nan, np.float32)}, "high holds NaN"),
        ({"window": 0.0}, "window must be a positive number of seconds, got 0.0"),
        ({"hop": float("inf")}, "hop must be a positive number of seconds"),
    ],
)
def test_a_classifier_that_does_not_fit_together_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        classifier(**changes)


@pytest.mark.parametrize(
    ("embeddings", "message"),
    [
        (np.zeros((3, 5), np.float32), r"shape \(n_windows, 4\), got \(3, 5\)"),
        (np.zeros(4, np.float32), r"got \(4,\)"),
        (
            np.array([[0, 0, 0, 0], [0, np.nan, 0, 0]], np.float32),
            "1 of 2 embeddings hold NaN or infinity, the first in row 1",
        ),
    ],
)
def test_embeddings_that_are_no_embeddings_are_refused(embeddings: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        classifier().scores(embeddings)


def test_another_network_is_refused() -> None:
    NETWORK.check("ab" * 32, "clips.parquet", NETWORK.size)
    with pytest.raises(
        ValueError, match=r"needs embeddings of both 1.5 \(fingerprint abababababab…\), clips.parquet has"
    ):
        NETWORK.check("cd" * 32, "clips.parquet", NETWORK.size)
    assert Network("x", "x 1", "ab" * 32, 4) != NETWORK
