"""Similarity with a known answer: an embedding that is a descriptor, listeners that agree, tables that are broken."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("rsatoolbox")
pytest.importorskip("parselmouth")

from rsatoolbox.rdm import compare

from benchmark.comparison.page import load_section
from benchmark.studies.rsa.command import rsa_command
from benchmark.studies.rsa.compare import compared, noise_ceiling, to_listeners
from benchmark.studies.rsa.descriptors import DESCRIPTORS, describe
from benchmark.studies.rsa.dissimilarity import (
    category_matrix,
    descriptor_matrix,
    embedding_matrix,
    rdms,
    reference_matrices,
)
from benchmark.studies.rsa.ranks import rank_correlations
from benchmark.studies.rsa.ratings import load_ratings
from benchmark.studies.rsa.report import report, sentences
from tests.benchmark.made_sets import RATE, write_all_sets

rng = np.random.default_rng(0)


def matrices(count: int, n: int = 40) -> list[np.ndarray]:
    return [descriptor_matrix(each[:, None]) for each in np.random.default_rng(1).standard_normal((count, n))]


def likeness(found: list, reference: str, measure: str):  # type: ignore[no-untyped-def,type-arg]
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


def test_rank_correlation_is_rsatoolboxes() -> None:
    several = matrices(5)
    upper = np.triu_indices(40, 1)
    vectors = np.stack([matrix[upper] for matrix in several])
    expected = compare(rdms(several[:2], "ab"), rdms(several[2:], "abc"), "spearman")
    np.testing.assert_allclose(rank_correlations(vectors[:2], vectors[2:]), expected, atol=1e-10)


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


def tone(hertz: float, seconds: float = 1.0, amplitude: float = 0.5) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hertz * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


def test_descriptors_of_sounds_that_are_known() -> None:
    low, high, quiet = describe(tone(220), RATE), describe(tone(880), RATE), describe(tone(220, amplitude=0.05), RATE)
    assert high["pitch"][0] - low["pitch"][0] == pytest.approx(2, abs=0.02)
    assert high["centroid"][0] - low["centroid"][0] == pytest.approx(2, abs=0.1)
    assert low["level"][0] - quiet["level"][0] == pytest.approx(20, abs=0.01)
    noise = (0.1 * rng.standard_normal(RATE)).astype(np.float32)
    assert low["harmonicity"][0] > 0.99 > 0.5 > describe(noise, RATE)["harmonicity"][0]
    assert describe(noise, RATE)["spread"][0] > low["spread"][0] + 2
    slow = tone(440) * np.minimum(1, np.arange(RATE) / (0.5 * RATE)).astype(np.float32)
    assert describe(slow, RATE)["attack time"][0] == pytest.approx(np.log2(0.35), abs=0.1)
    assert describe(tone(440, 2.0), RATE)["duration"] == [1.0]
    trembling = tone(440) * (1 + 0.9 * np.sin(2 * np.pi * 8 * np.arange(RATE) / RATE)).astype(np.float32) / 2
    assert int(np.argmax(describe(trembling, RATE)["modulation"])) == 3


@pytest.mark.parametrize("clip", [np.zeros(1, np.float32), np.zeros(RATE, np.float32), tone(100, 0.01)])
def test_a_clip_however_short_or_silent_has_descriptors(clip: np.ndarray) -> None:
    described = describe(clip, RATE)
    assert list(described) == list(DESCRIPTORS)
    undefined = {name for name, values in described.items() if not np.isfinite(values).all()}
    assert undefined <= {"pitch", "pitch variability"}


@given(st.integers(4, 12), st.sampled_from(["correlation", "cosine", "euclidean"]), st.integers(0, 99))
def test_matrices_are_symmetric_and_zero_on_the_diagonal(n: int, distance: str, seed: int) -> None:
    matrix = embedding_matrix(np.random.default_rng(seed).standard_normal((n, 5)), distance)
    assert matrix.shape == (n, n) and not matrix.diagonal().any() and (matrix == matrix.T).all() and (matrix >= 0).all()


def test_matrices_of_unusable_embeddings_are_refused() -> None:
    with pytest.raises(ValueError, match="NaN or infinity in those of 1 of 4"):
        embedding_matrix(np.array([[1.0], [2], [3], [np.nan]]), "euclidean")
    with pytest.raises(ValueError, match="correlation distance is undefined"):
        embedding_matrix(np.ones((4, 3)), "correlation")
    with pytest.raises(ValueError, match="got 'manhattan'"):
        embedding_matrix(np.ones((4, 3)), "manhattan")
    assert category_matrix(np.array(["a", "a", "b"])).tolist() == [[0, 0, 1], [0, 0, 1], [1, 1, 0]]


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


def run(*arguments: object) -> str:
    result = CliRunner().invoke(rsa_command, [str(each) for each in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_missing_rsatoolbox_is_reported_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rsatoolbox.rdm.rdms", None)
    with pytest.raises(ModuleNotFoundError, match="pip install rsatoolbox"):
        run("--audio", tmp_path / "nowhere", "--cache", tmp_path, "-o", tmp_path)


def test_sentences_name_the_held_descriptors_and_the_number_of_sounds() -> None:
    def row(reference: str, measure: str, value: float, low: float, count: int) -> dict[str, object]:
        about = {"stimuli": "together", "model": "both", "distance": "correlation", "reference": reference}
        return {**about, "measure": measure, "value": value, "low": low, "high": 1.0, "count": count}

    def written(*rows: dict[str, object]) -> list[str]:
        return sentences(pd.DataFrame(rows), 200)

    plain = [row("level", "spearman", 0.5, 0.4, 200), row("pitch", "spearman", 0.3, 0.1, 64)]
    assert "level (0.50) and pitch (0.30, over 64) over all sounds" in written(*plain)[0]
    partial = row("level", "partial", -0.1, -0.2, 60)
    assert written(*plain, partial)[1] == (
        "Given the other descriptors, the largest partial correlations are with nothing whose interval is above 0, "
        "over the 60 of 200 sounds for which all are defined."
    )
    assert (
        "descriptors and the set that a sound is from"
        in written(*plain, partial, row("same set", *["partial", 1, 1, 60]))[1]
    )


def test_the_command_from_sets_to_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_all_sets(tmp_path / "audio")
    common = ["--audio", tmp_path / "audio", "--cache", tmp_path / "cache", "--per-side", 10, "--draws", 3]
    arguments = [*common, "--models", "logmel,mfcc", "--no-progress", "-o"]
    output = run(*arguments, tmp_path / "results")
    assert "| logmel |" in output
    results = tmp_path / "results"
    numbers = pd.read_csv(results / "rsa.csv")
    assert set(numbers["stimuli"]) == {"speech", "nonspeech", "together"}
    assert numbers["value"].between(-1.0001, 1.0001).all()
    for name in (
        "rsa.png",
        "rsa_partial.png",
        "rsa_matrices.png",
        "rsa.json",
        "rsa_descriptors.csv",
        "rsa_matrices.npz",
    ):
        assert (results / name).stat().st_size > 0
    found = report(results)
    assert len(found.sentences) == 3 and found.sentences[0] in (results / "rsa_findings.md").read_text()
    assert all(drawn is not None for drawn, _ in found.figures.values())
    (results / "rsa_matrices.npz").unlink()
    assert [name for name, (drawn, _) in report(results).figures.items() if drawn is None] == ["rsa_matrices"]
    assert sum(block["kind"] == "figure" for block in load_section(results / "rsa.md").data()["blocks"]) == 3
    monkeypatch.setattr("benchmark.studies.rsa.command.show_report", lambda *_: None)
    run(*arguments, tmp_path / "again")
    assert (tmp_path / "again" / "rsa.csv").read_bytes() == (results / "rsa.csv").read_bytes()


def test_ratings_of_a_descriptor_are_explained_by_it(tmp_path: Path) -> None:
    sounds = tmp_path / "sounds"
    sounds.mkdir()
    names = [f"sound{number}" for number in range(10)]
    for name, hertz, amplitude in zip(names, 150 * 2 ** rng.uniform(0, 3, 10), 10 ** rng.uniform(-2, -0.4, 10)):
        soundfile.write(sounds / f"{name}.wav", tone(hertz, 0.3, amplitude), RATE, subtype="PCM_16")
    described = [describe(soundfile.read(sounds / f"{name}.wav", dtype="float32")[0], RATE) for name in names]
    pitch = reference_matrices(described)["pitch"]
    for listener in ("anna", "ben"):
        as_csv(tmp_path / f"{listener}.csv", pitch, names)
    arguments = ["--stimuli", sounds, "--cache", tmp_path / "cache", "-o", tmp_path / "out", "--no-progress"]
    listeners = ["--ratings", tmp_path / "anna.csv", "--ratings", tmp_path / "ben.csv"]
    run(*arguments, *listeners, "--draws", 5, "--models", "logmel")
    numbers = pd.read_csv(tmp_path / "out" / "rsa.csv").query("reference == 'listeners' and measure == 'spearman'")
    values = numbers.set_index("model")["value"]
    assert values["pitch"] == pytest.approx(1, abs=0.01) and values["noise ceiling"] == pytest.approx(1)
    assert values["level"] < 0.7
    assert (tmp_path / "out" / "rsa_listeners.png").is_file()
    text = (tmp_path / "out" / "rsa.md").read_text()
    assert "The ratings of 2 listeners correlate with the dissimilarities of `logmel` (" in text
    assert (
        "; among the descriptors, most with " in text
        and "pitch (1.00)" in text
        and "the noise ceiling is 1.00 to 1.00." in text
    )
    assert (
        "one set" not in text and "set that" not in text and "rsa --models logmel --draws 5 --ratings anna.csv" in text
    )
    (sounds / "sound3.wav").unlink()
    with pytest.raises(FileNotFoundError, match="1 are missing: sound3"):
        run(*arguments, *listeners)
