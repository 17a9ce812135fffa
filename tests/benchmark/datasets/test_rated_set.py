"""Sets with listeners' ratings: out of their originals, and read again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmark.datasets import origin as module
from benchmark.datasets.origin import build_set
from benchmark.datasets.origins import ORIGINS
from benchmark.datasets.rated_set import load_rated_set
from benchmark.datasets.selection import selection
from tests.benchmark.datasets import made_ratings


def matrix(n: int, seed: int = 0) -> np.ndarray:
    half = np.triu(np.random.default_rng(seed).random((n, n)).round(3), 1)
    return half + half.T


def test_timbre_spaces_come_out_of_timbremetrics(tmp_path: Path) -> None:
    spaces = {"Grey1977": matrix(4), "Patil2012_A3": matrix(3, 1)}
    original = made_ratings.timbre(tmp_path / "a.tar.gz", spaces)
    assert build_set(ORIGINS["timbre_similarity"], tmp_path, tmp_path, original) == 7
    rated = load_rated_set(tmp_path / "timbre_similarity.tar")
    assert [space.name for space in rated.spaces] == list(spaces)
    for space in rated.spaces:
        np.testing.assert_allclose(space.dissimilarity, spaces[space.name])
        files = rated.sounds.manifest["original_file"].iloc[space.rows].tolist()
        assert files == sorted(files) and space.raters is None
    assert rated.sounds.sample_rate == 16000 and (np.abs(rated.sounds.lengths - 800) < 3).all()


def test_playing_techniques_have_the_order_of_their_judges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["00__Hp-xyl-C4-p", "11__TTbn_C-ord-C4-mf", "55__BBTb-explo-slap-Cs1-mf", "60__Vn-ord-A4-mf"]
    assert set(names[:3]) <= set(selection("timbre_groups_sol"))
    monkeypatch.setattr(module, "selection", lambda asked: dict.fromkeys(names, ""))
    judged = np.array([[1, 1, 2, 2], [1, 2, 2, 2]])
    original = made_ratings.groups(tmp_path / "a.tar.gz", names, judged)
    build_set(ORIGINS["timbre_groups_sol"], tmp_path, tmp_path, original)
    (space,) = load_rated_set(tmp_path / "timbre_groups_sol.tar").spaces
    np.testing.assert_allclose(space.dissimilarity[0], [0, 0.5, 1, 1])
    assert space.raters is not None and space.raters.shape == (2, 4, 4)
    np.testing.assert_allclose(space.raters.mean(0), space.dissimilarity)


def test_sung_notes_keep_their_raters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("h5py")
    names = [f"f2_scales_{kind}_a_lowPitch_0-1s" for kind in ("belt", "breathy", "straight", "vibrato")]
    monkeypatch.setattr(module, "selection", lambda asked: dict.fromkeys(names, ""))
    raters = [matrix(4, 1), matrix(4, 2)]
    raters[0][1, 1] = 0.03  # a rater heard a difference between a sound and itself
    original = made_ratings.singing(tmp_path / "a.tar.gz", names, raters)
    build_set(ORIGINS["singing_techniques"], tmp_path, tmp_path, original)
    rated = load_rated_set(tmp_path / "singing_techniques.tar")
    (space,) = rated.spaces
    assert space.name == "f2lowPitch" and space.raters is not None and len(space.raters) == 2
    raters[0][1, 1] = 0
    np.testing.assert_allclose(space.raters, raters)
    np.testing.assert_allclose(space.dissimilarity, np.mean(raters, axis=0), atol=1e-6)


def test_what_is_not_there_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="python -m benchmark fetch timbre_similarity builds it"):
        load_rated_set(tmp_path / "timbre_similarity.tar")
