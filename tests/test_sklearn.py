"""The scikit-learn transformer: its contract, what it takes, and work on real clips."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import byola_hear
from byola_hear.audio.reading import AudioFileError, read_audio
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel
from byola_hear.sklearn import ByolaClassifier, ByolaTransformer
from byola_hear.sklearn import embeds as module

_LOUD = "embeds values around 100; what lies beyond [-1, 1] by over 20 dB is no audio and refused"
#: The checks of the contract that cannot apply.
EXPECTED_FAILED_CHECKS = {
    "ByolaTransformer": {"check_fit_idempotent": _LOUD},
    "ByolaClassifier": {
        **dict.fromkeys(("check_fit_idempotent", "check_fit_check_is_fitted", "check_n_features_in"), _LOUD),
        "check_classifiers_classes": "its sounds of two samples have one and the same embedding",
        "check_methods_subset_invariance": "embeddings are float32, and depend on the batch in the last digit",
    },
}


@pytest.fixture(scope="module")
def small() -> ByolaModel:
    """A small network, but large enough to tell sounds of two samples apart; the contract is that of the estimators."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder = EncoderConfig(n_mels=16, channels=32, hidden_size=128)
        return ByolaModel(ModelConfig("both", "1", FrontendConfig(n_mels=16), encoder, -7.0, 4.0)).eval()


@pytest.mark.filterwarnings("ignore:expected audio of shape")
@parametrize_with_checks(
    [ByolaTransformer(), ByolaClassifier()],
    expected_failed_checks=lambda estimator: EXPECTED_FAILED_CHECKS[type(estimator).__name__],
)
def test_estimator_contract(estimator: Any, check: Any, small: ByolaModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_load", lambda *_: small)
    check(estimator)


@pytest.fixture(scope="module")
def files(clips_folder: Path) -> list[str]:
    return [str(clips_folder / name) for name in ("speech_french_16k.wav", "drum_stereo_44k.flac")]


@pytest.fixture(scope="module")
def expected(files: list[str]) -> np.ndarray:
    model = byola_hear.load_model("both")
    return model.scene_embeddings([torch.from_numpy(read_audio(file, 16000)) for file in files]).numpy()


@pytest.mark.parametrize(
    "form",
    [
        list,
        tuple,
        np.array,
        pd.Series,
        lambda files: [Path(file) for file in files],
        lambda files: np.array(files, dtype="S"),
        lambda files: np.array(files, dtype=object)[:, None],
        lambda files: pd.DataFrame({"path": files}, index=[7, 3]),
        lambda files: [[file] for file in files],
    ],
)
def test_paths_in_any_form(form: Any, files: list[str], expected: np.ndarray) -> None:
    embeddings = ByolaTransformer().fit_transform(form(files))
    assert embeddings.shape == (2, 3072)
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(embeddings, expected, rtol=0, atol=1e-5)


def test_a_file_given_twice_has_two_rows(files: list[str], expected: np.ndarray) -> None:
    embeddings = ByolaTransformer().transform([files[1], files[0], files[1]])
    np.testing.assert_allclose(embeddings, expected[[1, 0, 1]], rtol=0, atol=1e-5)


def test_waveforms_of_any_length_rate_and_type(files: list[str], expected: np.ndarray) -> None:
    waveforms = [read_audio(file, 16000) for file in files]
    for form in (
        waveforms,
        [waveform.astype(np.float64) for waveform in waveforms],
        [torch.from_numpy(waveform) for waveform in waveforms],
        [waveform.astype(">f4") for waveform in waveforms],
        [np.repeat(waveform, 2)[::-1][1::2][::-1] for waveform in waveforms],
        pd.Series(waveforms),
        pd.DataFrame({"audio": waveforms}),
    ):
        np.testing.assert_allclose(ByolaTransformer().fit_transform(form), expected, rtol=0, atol=1e-5)
    at_file_rate = ByolaTransformer(sample_rate=44100).fit_transform([read_audio(files[1], 44100)])
    np.testing.assert_allclose(at_file_rate, expected[1:], rtol=0, atol=1e-3)
    batch = np.stack([waveforms[0][:8000], waveforms[1][:8000]])
    as_list = ByolaTransformer().fit_transform(list(batch))
    for form in (batch, torch.from_numpy(batch), batch.tolist()):
        np.testing.assert_allclose(ByolaTransformer().fit_transform(form), as_list, rtol=0, atol=1e-5)


def test_a_column_in_and_a_table_out(files: list[str], expected: np.ndarray) -> None:
    table = pd.DataFrame({"path": files, "year": [1.0, 2.0]}, index=["a", "b"])
    columns = make_column_transformer((ByolaTransformer(), ["path"]), ("passthrough", ["year"]))
    result = columns.set_output(transform="pandas").fit_transform(table)
    assert list(result.index) == ["a", "b"]
    assert list(result.columns[[0, 1, -2, -1]]) == [
        "byolatransformer__e0",
        "byolatransformer__e1",
        "byolatransformer__e3071",
        "passthrough__year",
    ]
    np.testing.assert_allclose(result.iloc[:, :-1], expected, rtol=0, atol=1e-5)
    alone = make_column_transformer((ByolaTransformer(), "path")).fit_transform(table)
    np.testing.assert_allclose(alone, expected, rtol=0, atol=1e-5)
    fitted = ByolaTransformer().fit(table[["path"]])
    assert (fitted.n_features_in_, list(fitted.feature_names_in_)) == (1, ["path"])


def test_the_model_is_loaded_once_and_when_needed(files: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = []

    def resolve(name: str, *, dimensions: int | None = None) -> Any:
        loaded.append(name)
        return byola_hear.load_model(name, dimensions=dimensions)

    module._load.cache_clear()
    monkeypatch.setattr(module, "resolve", resolve)
    transformer = ByolaTransformer("nonspeech")
    copies = [clone(transformer), pickle.loads(pickle.dumps(transformer))]
    assert not loaded
    results = [each.fit(files).transform(files) for each in (transformer, *copies)]
    assert loaded == ["nonspeech"]
    assert all(np.array_equal(results[0], result) for result in results)


def test_a_pickle_has_no_weights_unless_it_was_given_a_model(files: list[str]) -> None:
    assert len(pickle.dumps(ByolaTransformer().fit(files))) < 1000
    model = byola_hear.load_model("speech")
    restored = pickle.loads(pickle.dumps(ByolaTransformer(model).fit(files)))
    np.testing.assert_allclose(restored.transform(files), ByolaTransformer("speech").transform(files), atol=1e-6)


def test_a_checkpoint_that_was_replaced_is_loaded_again(files: list[str], tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    embeddings = []
    for name in ("speech", "nonspeech"):
        path.write_bytes(Path(byola_hear.describe_model(name)["file"]).read_bytes())
        embeddings.append(ByolaTransformer(path).transform(files))
        np.testing.assert_allclose(embeddings[-1], ByolaTransformer(name).transform(files), atol=1e-6)
    assert not np.allclose(embeddings[0], embeddings[1], atol=1e-2)


def test_cross_validation_on_real_clips(clips_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces, labels = [], []
    for file in sorted(clips_folder.glob("*_*.*")):
        waveform = read_audio(file, 16000)
        cut = [waveform[start : start + 4000] for start in range(0, len(waveform) - 3000, 6000)]
        pieces += cut
        labels += ["speech" if file.name.startswith("speech") else "other"] * len(cut)
    steps = ByolaTransformer("distilled-small"), StandardScaler(), LogisticRegression(max_iter=200)
    pipeline = make_pipeline(*steps, memory=str(tmp_path))
    assert cross_val_score(pipeline, pieces, labels, cv=3).mean() > 0.9
    # What the pipeline's memory has is not embedded again to fit.
    pipeline.fit(pieces, labels)
    monkeypatch.setattr(module, "embed", lambda *_, **__: pytest.fail("embedded again"))
    pipeline.set_params(logisticregression__C=0.1).fit(pieces, labels)


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ("a.wav", TypeError, "expected a list of paths, got one str"),
        (["a.wav", np.zeros(5)], TypeError, "paths only or 1-D waveforms only, got ndarray, str"),
        (["nowhere.wav", "nowhere_else.wav"], FileNotFoundError, r"no such audio file: nowhere.wav \(and 1 others\)"),
        ([np.array([0, 5000, -5000], np.int16)], ValueError, "waveform 0 .* from -5000 to 5000; divide integers"),
        ([np.zeros(4), np.array([0.0, np.nan])], ValueError, "waveform 1 of finite samples"),
        ([np.zeros(4), np.zeros(0)], ValueError, "waveform 1 of at least one sample"),
        ([np.zeros((2, 4)), np.zeros(3)], TypeError, "1-D waveforms only"),
        (np.zeros(16000), ValueError, "Expected 2D array"),
        ([], ValueError, "at least one path or waveform"),
        ([{"array": np.zeros(9), "sampling_rate": 16000}], TypeError, "got a dict with the keys array, sampling_rate;"),
        ({"path": ["a.wav"]}, TypeError, "got a dict with the keys path; a waveform is"),
        (pd.DataFrame({"path": ["a.wav"], "site": ["x"]}), TypeError, "one column with paths, got 2 columns"),
        (pd.DataFrame({"path": ["a.wav"], "year": [1]}), TypeError, "one column with paths, got 2 columns"),
        (pd.Series(["a.wav", None]), ValueError, "a path or a waveform in each row, got none in 1 of 2, .* in row 1"),
        ([np.nan, np.zeros(9)], ValueError, "a path or a waveform in each row, got none in 1 of 2, .* in row 0"),
    ],
)
def test_what_is_not_audio_is_refused(given: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        ByolaTransformer().transform(given)


def test_channels_that_look_like_clips_cause_a_warning() -> None:
    with pytest.warns(UserWarning, match=r"got \(400, 2\), which looks like \(n_samples, n_channels\)"):
        ByolaTransformer().fit(np.zeros((400, 2)))


def test_a_broken_file_is_named(files: list[str], tmp_path: Path) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF....")
    with pytest.raises(AudioFileError, match=r"broken\.wav: not an audio file"):
        ByolaTransformer().fit_transform([*files, str(broken)])


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"sample_rate": 0}, ValueError, "sample_rate must be a positive integer, got 0"),
        ({"workers": 1.5}, ValueError, "workers must be a positive integer, got 1.5"),
        ({"model": 3}, TypeError, "model must be a name, a checkpoint's path or a model, got int"),
        ({"device": "nowhere"}, ValueError, "device 'nowhere' can't be used"),
        ({"model": "nobody"}, ValueError, "no model is called 'nobody'"),
    ],
)
def test_parameters_are_checked_in_fit(parameters: dict[str, Any], error: type[Exception], message: str) -> None:
    transformer = ByolaTransformer(**parameters)
    with pytest.raises(error, match=message):
        transformer.fit(np.zeros((1, 100)))


@pytest.fixture(scope="module")
def pieces(clips_folder: Path) -> tuple[list[np.ndarray], list[str], list[str]]:
    """Quarters of a second of real clips, whether each is speech, and the clips that they are from."""
    found, labels, groups = [], [], []
    for file in sorted(clips_folder.glob("*_*.*")):
        waveform = read_audio(file, 16000)
        cut = [waveform[start : start + 4000] for start in range(0, len(waveform) - 3000, 3000)]
        found += cut
        labels += ["speech" if file.name.startswith("speech") else "other"] * len(cut)
        groups += [file.name] * len(cut)
    return found, labels, groups


def test_a_classifier_of_real_clips(pieces: tuple[list[np.ndarray], list[str], list[str]]) -> None:
    found, labels, groups = pieces
    assert cross_val_score(ByolaClassifier("distilled-small"), found, labels, cv=3).mean() > 0.9
    classifier = ByolaClassifier("distilled-small").fit(found, labels, groups=groups)
    probabilities = classifier.predict_proba(found)
    assert list(classifier.classes_) == ["other", "speech"]
    np.testing.assert_allclose(probabilities.sum(1), 1)
    assert (classifier.classes_[probabilities.argmax(1)] == classifier.predict(found)).all()
    assert classifier.score(found, labels) > 0.95
    assert classifier.classifier_.about["groups"] == len(set(groups))
    assert classifier.classifier_.window == 0.25
    restored = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_allclose(restored.predict_proba(found), probabilities, atol=1e-6)


def test_groups_do_not_split_a_file_that_is_given_twice(clips_folder: Path) -> None:
    files = [str(file) for file in sorted(clips_folder.glob("*_*.*"))]
    labels = [Path(file).name.startswith("speech") for file in files]
    twice = ByolaClassifier("distilled-small").fit(files * 2, labels * 2, groups=range(2 * len(files)))
    assert twice.classifier_.about["groups"] == len(files)
    joined = ByolaClassifier("distilled-small").fit(files * 2, labels * 2, groups=[0, 0, *range(1, 2 * len(files) - 1)])
    assert joined.classifier_.about["groups"] == len(files) - 1


def test_a_classifier_that_was_saved_finds_its_classes(
    pieces: tuple[list[np.ndarray], list[str], list[str]], clips_folder: Path, tmp_path: Path
) -> None:
    found, labels, _ = pieces
    ByolaClassifier("distilled-small").fit(found, labels).save(tmp_path / "speech.safetensors")
    table = byola_hear.predict(clips_folder / "speech_french_16k.wav", tmp_path / "speech.safetensors", top=1)
    assert table.sort_values("score")["label"].iloc[-1] == "speech"


def test_labels_of_any_type(pieces: tuple[list[np.ndarray], list[str], list[str]], files: list[str]) -> None:
    found, labels, _ = pieces
    numbers = np.array([label == "speech" for label in labels])
    assert ByolaClassifier("distilled-small").fit(found, numbers).predict(found[:1]).dtype == bool
    few = ByolaClassifier("distilled-small").fit(files, [3, 7])
    assert few.classifier_.method == "cosine" and few.predict(files).tolist() == [3, 7]
    nullable = ByolaClassifier("distilled-small").fit(files, pd.Series([3, 7], dtype="Int64"))
    assert nullable.classifier_.classes == ("3", "7")
    with pytest.raises(ValueError, match="expected at least two classes, got 1 class: 3"):
        ByolaClassifier("distilled-small").fit(files, [3, 3])
    with pytest.raises(ValueError, match="method must be 'auto', 'logistic' or 'cosine', got 'forest'"):
        ByolaClassifier("distilled-small", method="forest").fit(files, [3, 7])


def test_what_can_not_be_learned_is_refused_before_anything_is_embedded(
    small: ByolaModel, files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ByolaClassifier, "_embedded", lambda *_: pytest.fail("embedded"))
    with pytest.raises(ValueError, match=r"expected at least 3 examples of each class, got fewer of b \(1\)"):
        ByolaClassifier(small).fit([files[0]] * 4, list("aaab"))
    with pytest.raises(ValueError, match="method must be 'auto', 'logistic' or 'cosine', got 'forest'"):
        ByolaClassifier(small, method="forest").fit(files, list("ab"))


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
@pytest.mark.parametrize("kind", ["str", "object", "category", "Int64"])
def test_labels_that_are_missing_are_said_to_be_so(files: list[str], missing: Any, kind: str) -> None:
    labels = pd.Series([1 if kind == "Int64" else "a", missing], dtype=kind)
    with pytest.raises(ValueError, match="^expected a label for each clip, got 1 of 2 without one, the first in row 1"):
        ByolaClassifier("distilled-small").fit(files, labels)


def test_groups_in_any_form(small: ByolaModel, pieces: tuple[list[np.ndarray], list[str], list[str]]) -> None:
    found, labels, groups = pieces

    def count(given: Any) -> int:
        return ByolaClassifier(small).fit(found, labels, groups=given).classifier_.about["groups"]

    n_groups = len(set(groups))
    frame = pd.DataFrame({"recording": groups, "day": 1})
    for given in (frame["recording"], frame[["recording"]], pd.MultiIndex.from_frame(frame), np.array(groups)[:, None]):
        assert count(given) == n_groups
    # Clips without a group have nothing in common.
    rest = [groups.index(group) for group in set(groups)]
    assert count([None if row in rest else group for row, group in enumerate(groups)]) == 2 * n_groups
    with pytest.raises(ValueError, match=rf"expected groups of shape \(n_clips,\), got \({len(found)}, 2\)"):
        count(frame)


def test_files_that_have_changed_have_their_new_length(small: ByolaModel, tmp_path: Path) -> None:
    files = [str(tmp_path / f"{number}.wav") for number in range(2)]
    for seconds in (1, 2):
        for seed, file in enumerate(files):
            soundfile.write(file, np.random.default_rng(seed).normal(0, 0.1 + seed, seconds * 16000).clip(-1, 1), 16000)
        assert ByolaClassifier(small).fit(files, ["a", "b"]).classifier_.window == seconds


def test_cross_validation_passes_groups_on(
    small: ByolaModel, pieces: tuple[list[np.ndarray], list[str], list[str]]
) -> None:
    found, labels, groups = pieces
    with config_context(enable_metadata_routing=True):
        classifier = ByolaClassifier(small).set_fit_request(groups=True)
        folds = cross_validate(
            classifier, found, labels, cv=GroupKFold(3), params={"groups": groups}, return_estimator=True
        )
    assert [each.classifier_.about["groups"] for each in folds["estimator"]] == [4, 4, 4]
