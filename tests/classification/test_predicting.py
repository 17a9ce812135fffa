"""byola_hear.predict: real files, segments, tables, and the network that it needs."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sklearn")

import byola_hear
from byola_hear import labels
from byola_hear.classification.classifier import Classifier, Network, Operating
from byola_hear.classification.examples import from_audio
from byola_hear.classification.file import save_classifier
from byola_hear.classification.labelled import Labels
from byola_hear.classification.predicting import Scored, network_of, predict, score, score_table
from byola_hear.classification.training import learn
from byola_hear.extraction.clips import Clip
from byola_hear.models.model import ByolaModel
from tests.classification.sounds import beep, quiet, write, write_clips, write_recordings


@pytest.fixture(scope="module")
def model() -> ByolaModel:
    """A real network: sounds are found."""
    if not byola_hear.list_models():
        pytest.skip("no networks in weights/")
    return byola_hear.load_model("distilled-small")


@pytest.fixture(scope="module")
def made(model: ByolaModel, tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    """Learned from folders of clips."""
    folder = write_clips(tmp_path_factory.mktemp("clips"))
    examples = from_audio(Labels(labels.read(folder)), model, 0.5)
    return learn(examples, Network.of(model, "nowhere")).classifier


@pytest.fixture
def recordings(here: Path) -> pd.DataFrame:
    return write_recordings(here)


def test_what_was_learned_from_clips_is_found_in_recordings(
    made: Classifier, model: ByolaModel, recordings: pd.DataFrame, here: Path
) -> None:
    save_classifier(here / "calls.safetensors", made)
    found = predict(here, here / "calls.safetensors", model=model)
    assert list(found.columns) == ["file", "start", "end", "label", "score"]
    expected = {(row.file, row.label, row.start) for row in recordings.itertuples()}
    hits = set()
    for row in found.itertuples():
        near = [
            key
            for key in expected
            if key[:2] == (Path(row.file).name, row.label) and row.start - 0.5 < key[2] + 0.5 < row.end + 0.5
        ]
        hits.update(near)
        assert near, row
    assert hits == expected
    assert ((found["score"] >= 0) & (found["score"] <= 1)).all()
    assert len(predict(here, made, model=model, threshold=1.0, smooth=0.3)) == 0


def test_a_precision_that_a_class_does_not_reach_is_a_warning(made: Classifier, model: ByolaModel, here: Path) -> None:
    write(here / "short.wav", beep(1.0))
    unchecked = replace(made, operating=(made.operating[0], Operating()))
    with pytest.warns(UserWarning, match=r"^no threshold of hiss reaches precision=0\.1, so it is not detected$"):
        assert set(predict("short.wav", unchecked, model=model, threshold="precision=0.1")["label"]) == {"beep"}


def test_a_long_recording_has_the_scores_of_its_parts(made: Classifier, model: ByolaModel, here: Path) -> None:
    # Longer than what is decoded at once.
    samples = np.concatenate([quiet(45.0), beep(2.0), quiet(48.0)])
    write(here / "long.wav", samples)
    (whole,) = score([Clip("long.wav")], made, model)
    (part,) = score([Clip("long.wav", 40.0, 60.0)], made, model)
    assert isinstance(whole, Scored) and isinstance(part, Scored)
    first = int(np.flatnonzero(np.isclose(whole.track.start, 41.0))[0])
    here_too = int(np.flatnonzero(np.isclose(part.track.start, 41.0))[0])
    np.testing.assert_allclose(
        whole.track.scores[first : first + 40], part.track.scores[here_too : here_too + 40], atol=1e-3
    )
    found = predict("long.wav", made, model=model)
    assert found["label"].tolist() == ["beep"]
    assert found["start"][0] == pytest.approx(45, abs=0.5) and found["end"][0] == pytest.approx(47, abs=0.5)
    assert whole.seconds == 95.0


def test_a_recording_shorter_than_a_window(made: Classifier, model: ByolaModel, here: Path) -> None:
    write(here / "short.wav", beep(0.2))
    found = predict("short.wav", made, model=model, threshold=0.0, merge=False)
    assert found[["start", "end"]].to_numpy().tolist() == [[0.0, 0.2]] * 2


def test_quiet_holds_nothing_and_silence_is_not_an_error(made: Classifier, model: ByolaModel, here: Path) -> None:
    write(here / "quiet.wav", quiet(3.0, 77))
    assert len(predict("quiet.wav", made, model=model)) == 0
    write(here / "silent.wav", np.zeros(16000 * 3))
    assert predict("silent.wav", made, model=model, threshold=0.0)["file"].tolist() == ["silent.wav"] * 2


def test_a_table_gives_the_same_detections(
    made: Classifier, model: ByolaModel, recordings: pd.DataFrame, here: Path
) -> None:
    table = byola_hear.embed(here, model, window=0.5, hop=0.25)
    scored = list(score_table(table, made, "clips.parquet"))
    direct = list(score([Clip(str(file)) for file in sorted(here.glob("*.wav"))], made, model))
    for one, other in zip(scored, direct, strict=True):
        assert isinstance(one, Scored) and isinstance(other, Scored)
        assert one.track.file == other.track.file
        np.testing.assert_allclose(one.track.scores, other.track.scores, atol=1e-5)
    for change, message in (
        ({"fingerprint": "cd" * 32}, r"clips\.parquet has those of another network or precision \(cdcdcdcdcdcd…\)"),
        (
            {"window": 1.0},
            r"clips\.parquet: its windows are 1 s long, the classifier's 0\.5 s; embed with --window 0\.5",
        ),
        ({"kind": "timestamp"}, "expected a table of scenes, got one of timestamps"),
    ):
        other = table.copy()
        other.attrs["request"] = {**table.attrs["request"], **change}
        with pytest.raises(ValueError, match=message):
            list(score_table(other, made, "clips.parquet"))
    whole = byola_hear.embed(here, model)
    with pytest.raises(ValueError, match=r"whole clips, in the median 20 s long, the .* embed with --window 0\.5"):
        list(score_table(whole, made, "clips.parquet"))
    clips = byola_hear.embed([Clip(str(here / "0.wav"), start, start + 0.9) for start in (0.0, 1.0)], model)
    assert len(list(score_table(clips, made, "clips.parquet"))) == 1
    table.iloc[7, 0] = np.inf
    with pytest.raises(ValueError, match="1 of 237 embeddings hold NaN or infinity, the first in row 7"):
        list(score_table(table, made, "clips.parquet"))
    table.attrs = {}
    with pytest.raises(ValueError, match=r"clips\.csv does not say which network made it; what `byola-hear embed`"):
        list(score_table(table, made, "clips.csv"))


@pytest.mark.filterwarnings("ignore::byola_hear.models.precision.SlowPrecisionWarning")
def test_a_classifier_keeps_the_precision_that_it_learned_in(made: Classifier, model: ByolaModel) -> None:
    integers = model.in_precision("int8")
    learned = replace(made, network=Network.of(integers, "distilled-small"))
    assert network_of(learned).precision == "int8" and network_of(made, model) is model
    with pytest.raises(ValueError, match="another network or precision"):
        network_of(made, integers)


def test_what_can_not_be_predicted_is_refused(made: Classifier, model: ByolaModel, here: Path) -> None:
    write(here / "a.wav", quiet(1.0))
    with pytest.raises(ValueError, match=r"needs embeddings of distilled-small .*, both .* another network"):
        predict("a.wav", made, model="both")
    with pytest.raises(FileNotFoundError, match=r"nowhere\.wav"):
        predict("nowhere.wav", made, model=model)
    with pytest.raises(ValueError, match="expected at least one recording, got none"):
        predict([], made, model=model)
    for content in (io.BytesIO(b"a.wav"), [io.BytesIO(b"a.wav")]):
        with pytest.raises(TypeError, match=r"^expected paths of recordings, or clips, got an open file \(BytesIO\)"):
            predict(content, made, model=model)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="hop must be at least one sample"):
        predict("a.wav", made, model=model, hop=1e-9)
    (here / "broken.wav").write_bytes(b"RIFF....")
    with pytest.raises(byola_hear.AudioFileError, match=r"broken\.wav: "):
        predict(["a.wav", "broken.wav"], made, model=model)
