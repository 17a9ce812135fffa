"""The regression against scikit-learn's own, and the cosine."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.linear_model import LogisticRegression

from byola_hear.classification import solver
from byola_hear.classification.fitting import Regression, class_means, logits
from tests.classification.made import examples


@pytest.mark.parametrize("size", [10, 200])  # fewer and more dimensions than examples
def test_the_regression_is_that_of_scikit_learn(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "TOLERANCE", 1e-5)
    made = examples(size=size)
    other = examples(size=size, seed=1).embeddings
    # Dimensions of different sizes, divided by the root of their deviation, and then all by one number.
    made = replace(made, embeddings=made.embeddings * np.geomspace(0.1, 10, size, dtype=np.float32))
    other = other * np.geomspace(0.1, 10, size, dtype=np.float32)
    deviation = made.embeddings.std(0)
    divisor = np.sqrt(deviation * deviation.mean())
    for strength, linear in zip((0.01, 1.0), Regression(made.embeddings, made.truth).fit((0.01, 1.0)), strict=True):
        limited = np.clip(other, linear.low, linear.high) / divisor
        for index in range(2):
            plain = LogisticRegression(C=strength, tol=1e-8, max_iter=1000)
            plain.fit((made.embeddings - made.embeddings.mean(0)) / divisor, made.truth[:, index])
            expected = plain.decision_function(limited - made.embeddings.mean(0) / divisor)
            np.testing.assert_allclose(logits(linear, other)[:, index], expected, rtol=0.01, atol=0.01)


def test_what_varies_more_counts_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "TOLERANCE", 1e-6)
    made = examples()
    # The same numbers twice, once a hundredth as large: standardised, both would count the same.
    embeddings = np.hstack([made.embeddings, made.embeddings / 100])
    regression = Regression(embeddings, made.truth)
    (linear,) = regression.fit([0.1])
    large, small = np.split(np.abs(linear.weight * embeddings.std(0)).sum(0), 2)
    np.testing.assert_allclose(large, 100 * small, rtol=0.01)
    np.testing.assert_allclose(np.square(embeddings.std(0) * regression.scale).mean(), 1, rtol=1e-5)


def test_the_tolerance_changes_no_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    made, other = examples(n_groups=40, size=100), examples(n_groups=40, size=100, seed=1)
    maps = Regression(made.embeddings, made.truth).fit((0.01, 0.1))
    monkeypatch.setattr(solver, "TOLERANCE", 1e-6)
    for linear, exact in zip(maps, Regression(made.embeddings, made.truth).fit((0.01, 0.1)), strict=True):
        here, there = logits(linear, other.embeddings), logits(exact, other.embeddings)
        assert ((here > 0) == (there > 0)).mean() > 0.98


def test_classes_do_not_depend_on_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    made = examples(n_groups=12, per_group=6, n_classes=5, size=30)
    (together,) = Regression(made.embeddings, made.truth).fit([0.1])
    monkeypatch.setattr(solver, "_CLASSES", 2)
    (blocks,) = Regression(made.embeddings, made.truth).fit([0.1])
    np.testing.assert_allclose(blocks.weight, together.weight, atol=1e-5)
    (alone,) = Regression(made.embeddings, made.truth[:, 3:4]).fit([0.1])
    np.testing.assert_allclose(alone.weight[0], together.weight[3], atol=1e-5)


def test_no_class_that_can_be_fitted() -> None:
    made = examples()
    (linear,) = Regression(made.embeddings, np.zeros_like(made.truth)).fit([0.1])
    assert np.isnan(linear.bias).all() and not linear.weight.any()


def test_a_dimension_that_hardly_varies_does_not_decide() -> None:
    made = examples()
    embeddings = made.embeddings.copy()
    embeddings[:, 5] = 0
    embeddings[0, 5] = 1e-4
    embeddings[:, 6] = 1.0
    (linear,) = Regression(embeddings, made.truth).fit([1.0])
    strange = embeddings[:1].copy()
    strange[0, 5:7] = 50
    np.testing.assert_allclose(logits(linear, strange), logits(linear, embeddings[:1]), atol=0.5)


def test_a_class_in_all_or_no_examples_is_not_fitted() -> None:
    made = examples()
    truth = made.truth.copy()
    truth[:, 0] = False
    (linear,) = Regression(made.embeddings, truth).fit([1.0])
    assert np.isnan(logits(linear, made.embeddings)[:, 0]).all()
    assert np.isfinite(logits(linear, made.embeddings)[:, 1]).all()


def test_examples_that_do_not_differ_give_the_share_of_each_class() -> None:
    made = examples()
    embeddings = np.ones_like(made.embeddings)
    (linear,) = Regression(embeddings, made.truth).fit([1.0])
    expected = np.log(made.truth.mean(0) / (1 - made.truth.mean(0)))
    np.testing.assert_allclose(logits(linear, embeddings), np.tile(expected, (len(made), 1)), rtol=1e-3)


def test_class_means_point_from_the_centre_of_the_classes() -> None:
    embeddings = np.array([[2, 0], [4, 0], [0, 3], [-3, -3]], np.float32)
    truth = np.array([[True, False], [True, False], [False, True], [False, False]])
    directions, centre = class_means(embeddings, truth)
    assert centre.tolist() == [0, 0]
    assert directions.tolist() == [[1, 0], [0, 1]]


def test_a_floor_gives_dimensions_that_hardly_vary_little_weight() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((60, 1)) < 0.5
    embeddings = rng.normal(0, 1, (60, 20)).astype(np.float32)
    embeddings[:, 3] = 1e-3 * (truth[:, 0] + rng.normal(0, 0.1, 60))
    plain, floored = (Regression(embeddings, truth, floor).fit([0.1])[0] for floor in (0.0, 1.0))
    assert abs(plain.weight[0, 3]) > 100 * abs(floored.weight[0, 3])
    # The others count as before.
    kept, before = Regression(embeddings, truth, 0.5).scale, Regression(embeddings, truth).scale
    np.testing.assert_allclose(kept[4:], before[4:], rtol=1e-3)


def test_without_scikit_learn_the_error_says_how_to_install_it(clips_folder: Path, tmp_path: Path) -> None:
    command = ["learn", str(clips_folder), "-o", str(tmp_path / "calls.safetensors")]
    code = f"import sys; sys.modules['sklearn'] = None; from byola_hear.cli.main import main; main({command!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode != 0
    assert "pip install 'byola-hear[sklearn]'" in done.stderr and done.stderr.count("\n") == 1
