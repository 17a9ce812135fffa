"""Precisions: which are offered, which one ``auto`` takes, and what is remembered."""

from __future__ import annotations

import copy
import json
import pickle
import warnings
from pathlib import Path

import pytest
import torch

from byola_hear.models import precision as precisions
from byola_hear.models.directions import Directions
from byola_hear.models.encoders.convolutional import Encoder, EncoderConfig
from byola_hear.models.encoders.folded import FoldedEncoder
from byola_hear.models.encoders.int8 import Int8Encoder
from byola_hear.models.model import ByolaModel
from byola_hear.models.precision import PRECISIONS, SlowPrecisionWarning, fastest
from tests.models.test_model import noise, small_model


@pytest.fixture(autouse=True)
def own_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing is remembered from before, and nothing stays."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(precisions, "_measured", {})
    monkeypatch.setattr(precisions, "TRIAL_TIME", 0.001)
    return tmp_path / "cache" / "byola_hear" / "precision.json"


def measured_as(monkeypatch: pytest.MonkeyPatch, **values: float) -> None:
    monkeypatch.setattr("byola_hear.models.model.speeds", lambda *_: values)


def measure(model: ByolaModel) -> dict[str, float]:
    return model.precision_speeds()


def test_a_trial_measures_every_precision_once(own_memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = small_model()
    found = measure(model)
    assert list(found) == list(PRECISIONS)
    assert all(value > 0 for value in found.values())
    assert json.loads(own_memory.read_text()).popitem()[1] == found
    monkeypatch.setattr(precisions, "_trial", lambda *_: pytest.fail("measured again"))
    assert measure(model) is measure(small_model())
    monkeypatch.setattr(precisions, "_measured", {})
    assert measure(model) == found  # another process reads the file


@pytest.mark.parametrize("content", [b"", b"[1]", b'{"a": 1}', b'{"a": {"float32": "x"}}', b"\xff", b"[" * 5000])
def test_a_damaged_memory_is_ignored_and_replaced(own_memory: Path, content: bytes) -> None:
    own_memory.parent.mkdir(parents=True)
    own_memory.write_bytes(content)
    found = measure(small_model())
    assert found in json.loads(own_memory.read_text()).values()


def test_a_home_that_cannot_be_written_is_no_error(own_memory: Path) -> None:
    own_memory.parent.parent.write_text("a file where the folder should be")
    assert measure(small_model())["float32"] > 0


def test_auto_takes_the_fastest(monkeypatch: pytest.MonkeyPatch) -> None:
    model = small_model()
    measured_as(monkeypatch, float32=100.0, bfloat16=13.0, int8=170.0)
    assert model.in_precision("auto").precision == "int8"
    measured_as(monkeypatch, float32=100.0, bfloat16=220.0, int8=170.0)
    assert model.in_precision("auto").precision == "bfloat16"
    measured_as(monkeypatch, float32=100.0, bfloat16=13.0, int8=104.0)
    assert model.in_precision("auto") is model
    assert fastest({"float32": 5.0}) == "float32"


def test_auto_takes_no_precision_whose_numbers_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Int8Encoder.per_frame
    monkeypatch.setattr(Int8Encoder, "per_frame", lambda self, hidden: 1.1 * right(self, hidden))
    assert list(measure(small_model())) == ["float32", "bfloat16"]


def test_auto_considers_how_far_short_vectors_move() -> None:
    model = small_model()
    whole = model.scene_embeddings(precisions.trial_audio(model.config.frontend)[None])[0]
    # What the whole embeddings of the trial's audio have in common is subtracted: little but rounding is left.
    generator = torch.Generator().manual_seed(0)
    axes = torch.randn(len(whole), 3, generator=generator)
    short = model.with_directions(Directions(whole * 1.001, axes, torch.ones(3), model.fingerprint()))
    assert list(measure(model)) == list(PRECISIONS)
    assert list(measure(short)) == ["float32"]


def test_other_weights_are_measured_anew() -> None:
    model, other = small_model(), small_model()
    with torch.no_grad():
        next(other.encoder.parameters()).mul_(2.0)
    assert measure(model) is not measure(other)


def test_a_network_of_nan_is_measured_in_float32() -> None:
    model = small_model()
    with torch.no_grad():
        next(model.encoder.parameters()).fill_(torch.nan)
    assert list(measure(model)) == ["float32"]


def test_no_home_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless(self: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "expanduser", homeless)
    assert measure(small_model())["float32"] > 0


def test_a_slow_choice_is_one_warning_with_both_speeds(monkeypatch: pytest.MonkeyPatch) -> None:
    measured_as(monkeypatch, float32=104.0, bfloat16=13.2, int8=170.0)
    with pytest.warns(SlowPrecisionWarning, match="bfloat16 is slower .* 13 × real time against 104") as record:
        small_model().in_precision("bfloat16")
    assert len(record) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        small_model().in_precision("int8")


def test_a_model_in_int8_is_a_copy_with_its_own_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    measured_as(monkeypatch, float32=1.0, int8=2.0)
    model = small_model()
    twin = model.in_precision("int8")
    audio = noise(2, 8000)
    assert (model.precision, twin.precision) == ("float32", "int8")
    assert twin.fingerprint() != model.fingerprint()
    expected = twin.scene_embeddings(audio)
    assert not torch.equal(expected, model.scene_embeddings(audio))
    for copied in (copy.deepcopy(twin), pickle.loads(pickle.dumps(twin))):
        assert copied.precision == "int8"
        torch.testing.assert_close(copied.scene_embeddings(audio), expected)


def test_a_kind_without_int8_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from byola_hear.models.encoders import registry

    without = registry.EncoderKind(EncoderConfig, Encoder, FoldedEncoder)
    monkeypatch.setitem(registry.KINDS, "convolutional", without)
    with pytest.raises(ValueError, match="int8 is not available for networks of kind 'convolutional'"):
        small_model().in_precision("int8")
    assert "int8" not in measure(small_model())
