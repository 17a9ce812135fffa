"""Similarity of matrices."""

from __future__ import annotations

import numpy as np
import pytest

from benchmark.studies.rsa.compare import compared, noise_ceiling, to_listeners
from benchmark.studies.rsa.dissimilarity import (
    descriptor_matrix,
    embedding_matrix,
)

pytest.importorskip("rsatoolbox")


pytest.importorskip("parselmouth")


rng = np.random.default_rng(0)


def matrices(count: int, n: int = 40) -> list[np.ndarray]:
    return [descriptor_matrix(each[:, None]) for each in np.random.default_rng(1).standard_normal((count, n))]


def likeness(found: list, reference: str, measure: str):
    return next(each for each in found if (each.reference, each.measure) == (reference, measure))


def test_an_embedding_that_is_a_descriptor_is_found_out() -> None:
    values = rng.standard_normal((6, 60))
    references = {str(number): descriptor_matrix(each[:, None]) for number, each in enumerate(values)}
    found = compared({"model": [embedding_matrix(values[2][:, None], "euclidean")]}, references, 50, 0)["model"]
    for measure in ("spearman", "corr_cov", "cosine_cov", "partial"):
        assert likeness(found, "2", measure).value == pytest.approx(1)
        if measure == "partial":
            continue
        for other in "01345":
            assert abs(likeness(found, other, measure).value) < 0.25
    elsewhere = [likeness(found, other, "spearman") for other in "01345"]
    assert sum(each.low <= 0 <= each.high for each in elsewhere) >= 4


def test_partial_correlation_takes_away_what_another_descriptor_explains() -> None:
    level, related = rng.standard_normal((2, 80))
    references = {
        "level": descriptor_matrix(level[:, None]),
        "related": descriptor_matrix((level + 0.5 * related)[:, None]),
    }
    noise = rng.standard_normal(80)
    model = embedding_matrix((level + 0.3 * noise)[:, None], "euclidean")
    found = compared({"model": [model]}, references, 0, 0)["model"]
    assert likeness(found, "related", "spearman").value > 0.5
    assert likeness(found, "related", "partial").value < 0.2
    assert likeness(found, "level", "partial").value > 0.5


def test_undefined_descriptors_leave_their_sounds_out() -> None:
    values = rng.standard_normal((30, 1))
    values[:5] = np.nan
    other = rng.standard_normal((30, 1))
    references = {"pitch": descriptor_matrix(values), "level": descriptor_matrix(other)}
    model = embedding_matrix(np.nan_to_num(values, nan=9.0), "euclidean")
    found = compared({"model": [model]}, references, 5, 0)["model"]
    assert likeness(found, "pitch", "spearman").stimuli == 25
    assert likeness(found, "pitch", "spearman").value == pytest.approx(1)
    assert likeness(found, "level", "spearman").stimuli == 30
    assert likeness(found, "level", "partial").stimuli == 25


def test_without_draws_there_are_no_intervals() -> None:
    one, other, reference = matrices(3)
    found = [*compared({"model": [one]}, {"r": reference, "s": other}, 0, 0)["model"]]
    found += to_listeners({"model": [one]}, [reference, other], 0, 0)["model"]
    for each in (each for each in found if each.measure in ("spearman", "partial")):
        assert np.isfinite(each.value) and np.isnan(each.low) and np.isnan(each.high)


def test_few_sounds_have_few_draws_and_wide_intervals_rather_than_none() -> None:
    few, many = rng.standard_normal((2, 36))
    few[5:] = np.nan
    references = {"few": descriptor_matrix(few[:, None]), "many": descriptor_matrix(many[:, None])}
    model = descriptor_matrix(rng.standard_normal((36, 1)))
    found = compared({"model": [model]}, references, 40, 0)["model"]
    assert likeness(found, "few", "spearman").low < likeness(found, "few", "spearman").high
    assert likeness(found, "few", "corr_cov").low < likeness(found, "few", "corr_cov").high
    small = matrices(3, 5)
    assert np.isfinite(to_listeners({"model": small[:1]}, small[1:], 40, 0)["model"][0].low)
    few[3:] = np.nan
    with pytest.raises(ValueError, match="few: expected at least 4 stimuli to compare over, got 3"):
        compared({"model": [model]}, {"few": descriptor_matrix(few[:, None]), "many": references["many"]}, 0, 0)


def test_a_row_of_several_seeds_is_their_mean() -> None:
    one, other, reference = matrices(3)
    found = compared({"a": [one], "b": [other], "both": [one, other]}, {"r": reference, "s": one}, 0, 0)
    for measure in ("spearman", "corr_cov", "partial"):
        values = [likeness(found[name], "r", measure).value for name in ("a", "b", "both")]
        assert values[2] == pytest.approx((values[0] + values[1]) / 2)


def test_the_noise_ceiling_is_1_only_if_listeners_agree() -> None:
    truth, *errors = matrices(6)
    low, high = noise_ceiling([truth, truth, truth], "spearman")
    assert low == pytest.approx(1) and high == pytest.approx(1)
    listeners = [truth + each for each in errors]
    low, high = noise_ceiling(listeners, "spearman")
    assert 0.2 < low < high < 0.95
    assert low - 0.05 < to_listeners({"model": [truth]}, listeners, 10, 0)["model"][0].value < high + 0.05
    with pytest.raises(ValueError, match="at least two listeners, got 1"):
        noise_ceiling([truth], "spearman")
