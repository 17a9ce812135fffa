"""Listeners' ratings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmark.studies.rsa.dissimilarity import (
    embedding_matrix,
)
from benchmark.studies.rsa.ratings import load_ratings

pytest.importorskip("rsatoolbox")


pytest.importorskip("parselmouth")


NAMES = ["dog", "bell", "rain", "voice", "flute"]


def rating(seed: int = 0) -> np.ndarray:
    return np.round(embedding_matrix(np.random.default_rng(seed).standard_normal((5, 2)), "euclidean"), 3)


def as_csv(path: Path, matrix: np.ndarray, names: list[str]) -> None:
    pd.DataFrame(matrix, index=names, columns=names).to_csv(path)


def test_ratings_come_as_csv_and_npy_and_are_aligned_by_name(tmp_path: Path) -> None:
    as_csv(tmp_path / "anna.csv", rating(), NAMES)
    order = [3, 1, 4, 0, 2]
    np.save(tmp_path / "others.npy", np.stack([rating(1)[np.ix_(order, order)]] * 2))
    (tmp_path / "others.txt").write_text("\n".join(NAMES[place] for place in order))
    ratings = load_ratings([tmp_path / "anna.csv", tmp_path / "others.npy"])
    assert ratings.names == tuple(NAMES) and ratings.listeners == ("anna", "others[0]", "others[1]")
    np.testing.assert_array_equal(ratings.matrices, np.stack([rating(), rating(1), rating(1)]))
    assert load_ratings([tmp_path]).listeners == ratings.listeners


def broken(what: str, path: Path) -> None:
    matrix, names = rating(), list(NAMES)
    if what == "asymmetric":
        matrix[0, 1] += 1
    elif what == "similarities":
        matrix = matrix.max() - matrix
    elif what == "gap":
        matrix[0, 1] = matrix[1, 0] = np.nan
    elif what == "equal":
        matrix = 1 - np.eye(5)
    elif what == "twice":
        names[1] = "dog"
    as_csv(path, matrix, names)
    if what == "names":
        path.write_text(path.read_text().replace("\nflute", "\noboe"))
    elif what == "words":
        path.write_text(path.read_text().replace(str(matrix[0, 1]), "near"))


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("asymmetric", "expected a symmetric matrix.*stimuli 1 and 2"),
        ("similarities", "zero on the diagonal"),
        ("gap", "expected numbers|2 that are missing"),
        ("equal", "different ratings, got 1 for every pair"),
        ("twice", "'dog' several times"),
        ("names", "without a row: flute; without a column: oboe"),
        ("words", "expected numbers"),
    ],
)
def test_broken_ratings_are_named(what: str, message: str, tmp_path: Path) -> None:
    broken(what, tmp_path / "anna.csv")
    with pytest.raises(ValueError, match=message):
        load_ratings([tmp_path / "anna.csv"])


def test_missing_files_and_names_of_ratings_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nobody.csv"):
        load_ratings([tmp_path / "nobody.csv"])
    np.save(tmp_path / "a.npy", rating())
    with pytest.raises(FileNotFoundError, match=r"a.txt; expected the names"):
        load_ratings([tmp_path / "a.npy"])
    (tmp_path / "a.txt").write_text("\n".join(NAMES[:4]))
    with pytest.raises(ValueError, match="expected 5 names, one for each stimulus, got 4"):
        load_ratings([tmp_path / "a.npy"])
    (tmp_path / "a.txt").write_text("\n".join(NAMES))
    as_csv(tmp_path / "b.csv", rating()[:4, :4], NAMES[:4])
    with pytest.raises(ValueError, match="b: expected ratings of the same stimuli as a; missing: flute"):
        load_ratings([tmp_path / "a.npy", tmp_path / "b.csv"])
    np.save(tmp_path / "c.npy", np.ones((4, 5)))
    (tmp_path / "c.txt").write_text("\n".join(NAMES))
    with pytest.raises(ValueError, match="square"):
        load_ratings([tmp_path / "c.npy"])
    np.save(tmp_path / "d.npy", np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="expected an array of numbers"):
        load_ratings([tmp_path / "d.npy"])
