"""Numbers read off embeddings: a planted one is found, noise gives none, groups stay together."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmark.__main__ import run
from benchmark.comparison.page import load_section
from benchmark.models.extractors import Extractor
from benchmark.studies.findings import read_numbers
from benchmark.studies.regression import nested, notes
from benchmark.studies.regression.command import regression_command
from benchmark.studies.regression.level import scaled
from benchmark.studies.regression.measurements import MEASUREMENTS, find_measurements
from benchmark.studies.regression.nested import Predictions, group_folds, nested_predictions
from benchmark.studies.regression.report import sentences
from benchmark.studies.regression.run import MEAN_ROW, table_of
from benchmark.studies.regression.scores import guessing, r2_difference, scores_of
from benchmark.tasks.scenes import levels
from tests.benchmark.labelled_sets import write_set

RATE = 16000
PITCHES = np.tile(np.arange(48, 84), 4)


def planted(n_noise: int = 20, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Embeddings that contain a pitch among numbers without meaning, the pitches, and groups of four."""
    rng = np.random.default_rng(0)
    features = rng.standard_normal((len(PITCHES), n_noise + 1)) * noise
    features[:, 7] = 0.01 * PITCHES + 3
    return features.astype(np.float32), PITCHES.astype(float), np.char.add("note", PITCHES.astype(str))


def test_a_planted_pitch_is_recovered() -> None:
    features, pitch, notes_of = planted()
    scores = scores_of([nested_predictions(features, pitch, notes_of)], pitch, notes_of, octaves=True)
    assert scores["r2"].value > 0.999
    assert scores["mae"].value < 0.15
    assert scores["octave_errors"].value == 0
    assert scores["semitone_hits"].value == 1
    assert scores["r2"].low <= scores["r2"].value <= scores["r2"].high


def test_noise_is_no_better_than_guessing() -> None:
    _, pitch, groups = planted()
    features = np.random.default_rng(1).standard_normal((len(pitch), 300)).astype(np.float32)
    scores = scores_of([nested_predictions(features, pitch, groups)], pitch, groups)
    assert scores["r2"].value <= 0.02
    assert scores["r2"].low <= 0


def test_guessing_the_mean_is_zero() -> None:
    features, pitch, groups = planted()
    scores = scores_of([guessing(nested_predictions(features, pitch, groups))], pitch, groups, octaves=True)
    assert scores["r2"].value == 0
    assert scores["mae"].value == pytest.approx(np.abs(pitch - pitch.mean()).mean(), rel=0.1)


def test_a_number_that_only_depends_on_the_group_is_not_learnt() -> None:
    # Embeddings name the speaker exactly; what the speakers' numbers are, others' don't tell.
    rng = np.random.default_rng(0)
    speaker = np.repeat(np.arange(40), 10)
    features = np.eye(40, dtype=np.float32)[speaker] + 0.01 * rng.standard_normal((400, 40)).astype(np.float32)
    age = rng.uniform(6, 60, 40)[speaker]
    scores = scores_of([nested_predictions(features, age, speaker.astype(str))], age, speaker.astype(str))
    assert scores["r2"].value < 0.05


def test_folds_keep_groups_together() -> None:
    groups = np.repeat([f"g{number}" for number in range(13)], 5)
    tested = []
    for train, test in group_folds(groups, 5, seed=3):
        assert not set(groups[train]) & set(groups[test])
        tested += test.tolist()
    assert sorted(tested) == list(range(len(groups)))


def test_it_agrees_with_scikit_learns_ridge() -> None:
    rng = np.random.default_rng(0)
    # Uniform: nothing lies so far from the others that it would be held.
    features = rng.uniform(-1, 1, (90, 40)).astype(np.float32) * rng.uniform(0.1, 10, 40).astype(np.float32)
    target = features[:, 0] + rng.standard_normal(90)
    groups = np.arange(90).astype(str)
    ours = nested_predictions(features, target, groups, strengths=[30.0])
    theirs = np.empty(90)
    for train, test in group_folds(groups, 5, 0):
        fitted = make_pipeline(StandardScaler(), Ridge(30.0)).fit(features[train].astype(float), target[train])
        theirs[test] = fitted.predict(features[test].astype(float))
    np.testing.assert_allclose(ours.predicted, theirs, atol=1e-3)
    assert ours.strengths == (30.0,) * 5


def test_tested_clips_choose_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    features, pitch, groups = planted(noise=30.0)
    first = group_folds(groups, 5, 0)[0]
    one = nested_predictions(features, pitch, groups)
    changed = pitch.copy()
    changed[first[1]] = -1000
    other = nested_predictions(features, changed, groups)
    np.testing.assert_array_equal(one.predicted[first[1]], other.predicted[first[1]])
    assert one.strengths[0] == other.strengths[0]


def test_a_difference_is_of_the_same_draws() -> None:
    rng = np.random.default_rng(0)
    target, groups = rng.standard_normal(300), np.arange(300).astype(str)
    shared = rng.standard_normal(300)
    better, worse = (Predictions(target + size * shared, np.zeros(300), ()) for size in (0.90, 0.95))
    ahead = r2_difference([better], [worse], target, groups)
    assert 0 < ahead.low < ahead.value < ahead.high
    # Each by itself is far less certain than their difference.
    assert scores_of([better], target, groups)["r2"].low < scores_of([worse], target, groups)["r2"].high
    none = r2_difference([better], [better, better], target, groups)
    assert (none.value, none.low, none.high) == (0, 0, 0)


def test_only_differences_beyond_their_interval_are_reported() -> None:
    def found(model: str, measurement: str, score: str, value: float, half: float = 0.1) -> dict[str, object]:
        ends = {"low": value - half, "high": value + half}
        return {"model": model, "measurement": measurement, "score": score, "value": value, **ends}

    def text(level: float, age: float) -> str:
        lines = [found("nonspeech", "level", "r2", 0.5), found("nonspeech", "age", "r2", -0.3)]
        lines += [found("speech", "level", "r2", 0.5 + level), found("speech", "age", "r2", -0.3 + age)]
        lines += [found("speech", "level", "r2_ahead", level), found("speech", "age", "r2_ahead", age)]
        return " ".join(sentences(pd.DataFrame(lines)))

    assert "(R², mean over 2 networks): level 0.60; no better than guessing: age -0.30." in text(0.2, 0.0)
    one, other = "`speech` is ahead of `nonspeech`", "`nonspeech` is ahead of `speech`"
    assert f"{one} for level (0.70 and 0.50); the 95 % intervals of the other differences include 0." in text(0.2, 0.0)
    assert f"{one} for level (0.70 and 0.50), and {other} for age (-0.30 and -0.50)." in text(0.2, -0.2)
    assert "do not differ by more than" in text(0.05, -0.05)


def test_octaves_are_counted() -> None:
    target = np.array([60.0, 60, 60, 60])
    predictions = Predictions(np.array([60.4, 71.0, 48.0, 63.0]), np.full(4, 66.0), ())
    scores = scores_of([predictions], target, np.array(list("abcd")), octaves=True)
    assert (scores["octave_errors"].value, scores["semitone_hits"].value) == (0.5, 0.25)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f, t, g: (f, t[:-1], g), "a target and a group for each clip"),
        (lambda f, t, g: (f * np.nan, t, g), "finite"),
        (lambda f, t, g: (f, t, np.array(["a", "b"] * (len(g) // 2))), "at least three groups, got 2"),
        (lambda f, t, g: (f, t * 0 + 0.3, g), "different targets, got 0.3 for every clip"),
    ],
)
def test_unusable_input_is_refused(change, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message):
        nested_predictions(*change(*planted()))


@pytest.mark.parametrize("wanted", [-60.0, -30.0])
def test_a_clip_gets_its_level(wanted: float) -> None:
    clip = np.sin(np.arange(16000) / 20).astype(np.float32) * 0.2
    assert levels.level(scaled(clip, wanted)) == pytest.approx(wanted, abs=1e-3)
    assert np.abs(scaled(clip, 20.0)).max() <= levels.PEAK + 1e-6


def test_measurements_are_named() -> None:
    assert find_measurements("all") == list(MEASUREMENTS.values())
    with pytest.raises(ValueError, match="out of all, pitch.*got 'weight'"):
        find_measurements("pitch,weight")


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with orchestral_notes.tar: tones of two instruments, twelve pitches and three dynamics, louder ones
    for louder dynamics."""
    folder = tmp_path_factory.mktemp("notes")
    rows = ["file,label,midi_pitch,dynamics,split,note"]
    with tarfile.open(folder / "orchestral_notes.tar", "w") as tar:

        def add(name: str, data: bytes) -> None:
            member = tarfile.TarInfo(f"orchestral_notes/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))

        for instrument, partials in (("flute", 1), ("oboe", 5)):
            for place, pitch in enumerate(range(57, 69)):
                for step, dynamics in enumerate(("pianissimo", "mezzo-piano", "fortissimo")):
                    phase = 2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * np.arange(4000) / RATE
                    tone = sum(np.sin(phase * each) / each for each in range(1, partials + 1))
                    stream = io.BytesIO()
                    soundfile.write(stream, 0.02 * 4**step * tone / 2, RATE, format="WAV", subtype="PCM_16")
                    name = f"{instrument}-{pitch}-{step}.wav"
                    add(f"audio/{name}", stream.getvalue())
                    split = ("train", "train", "valid", "test")[place % 4]
                    rows.append(f"{name},{instrument},{pitch},{dynamics},{split},{instrument}_{pitch}")
        add("manifest.csv", "\n".join(rows).encode())
    return folder


def loudness(clips: list[np.ndarray]) -> np.ndarray:
    """Level in dB and a number that tells nothing."""
    return np.array([[levels.level(clip), clip[0]] for clip in clips], dtype=np.float32)


def test_a_level_predicts_dynamics_and_not_pitch(audio: Path, tmp_path: Path) -> None:
    measured = [(each, each.examples(audio, tmp_path, 0)) for each in find_measurements("pitch,dynamics")]
    level = Extractor("level", "level", RATE, loudness, "")
    numbers = table_of({"level": [level]}, measured, tmp_path)
    compared = table_of({"speech": [level], "nonspeech": [level]}, measured, tmp_path)
    assert compared.query("score == 'r2_ahead'")[["model", "value"]].to_numpy().tolist() == [["speech", 0]] * 2
    r2 = numbers.query("score == 'r2'").set_index(["model", "measurement"])["value"]
    assert r2["level", "dynamics"] > 0.9
    assert r2["level", "pitch"] < 0.1
    assert r2[MEAN_ROW, "pitch"] == 0
    # Out of the cache, nothing is embedded or fitted again.
    again = Extractor("level", "level", RATE, lambda clips: 1 / 0, "")  # type: ignore[arg-type, return-value]
    pd.testing.assert_frame_equal(table_of({"level": [again]}, measured, tmp_path), numbers)


def test_other_dynamics_are_refused(audio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "DYNAMICS", ("pianissimo", "fortissimo"))
    with pytest.raises(ValueError, match="got mezzo-piano"):
        notes.dynamics(audio, tmp_path, 0)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("speaker,years", "read_speech_speakers: expected a column 'age' in the manifest, found file, speaker, years"),
        ("speaker,age", "read_speech_speakers: expected a number in every row of 'age', got ''"),
    ],
)
def test_a_set_without_the_numbers_is_named(columns: str, message: str, tmp_path: Path) -> None:
    rows = [dict(zip(columns.split(","), values)) for values in (("a", "7"), ("b", ""))]
    write_set(tmp_path, "read_speech_speakers", rows, [np.ones(9)] * 2)
    with pytest.raises(ValueError, match=message):
        MEASUREMENTS["age"].examples(tmp_path, tmp_path, 0)


def test_the_command(audio: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--models", "logmel,mfcc", "--measurements", "pitch,dynamics", "--audio", str(audio), "--no-progress"]
    arguments += ["--cache", str(tmp_path / "cache"), "-o", str(tmp_path / "out")]
    with pytest.raises(SystemExit) as stopped:
        run(regression_command, arguments, "regression")
    assert not stopped.value.code
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        f"regression{ending}" for ending in (".csv", ".json", ".md", ".png", "_findings.md")
    }
    assert "mean of the training clips" in capsys.readouterr().out
    about = json.loads((tmp_path / "out" / "regression.json").read_text())
    assert set(about["models"]) == {"logmel", "mfcc"}
    part = load_section(tmp_path / "out" / "regression.md")
    assert {block["kind"] for block in part.data()["blocks"]} >= {"figure", "table"}
    assert "| logmel |" in part.markdown
    numbers = read_numbers(tmp_path / "out", "regression")
    # The sentences use the numbers in the file.
    numbers["model"] = numbers["model"].replace({"logmel": "speech", "mfcc": "nonspeech"})
    numbers.loc[numbers.query("score == 'mae' and measurement == 'pitch'").index, "value"] = 1.25
    assert "the mean error is 1.2 semitones" in " ".join(sentences(numbers))


def test_a_wrong_command_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--measurements", "weight"], ["--models", "nosuchmodel"]):
        with pytest.raises(SystemExit) as stopped:
            run(regression_command, arguments, "regression")
        assert stopped.value.code == 2
        assert capsys.readouterr().err.count("\n") == 1


def test_strengths_reach_far_enough() -> None:
    assert min(nested.STRENGTHS) <= 1
    assert max(nested.STRENGTHS) >= 1e6
