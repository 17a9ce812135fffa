"""Configurations: they survive JSON, old ones are read, and senseless ones are refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from byola_hear.models.config import ModelConfig, training_hours
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.encoders.transformer import AVERAGE, TransformerConfig
from byola_hear.models.frontend import FrontendConfig

SMALL = EncoderConfig(channels=4, hidden_size=8)


def config_of(encoder: EncoderConfig = SMALL, **changes: Any) -> ModelConfig:
    values: dict[str, Any] = {
        "name": "test",
        "version": "1.0",
        "frontend": FrontendConfig(),
        "encoder": encoder,
        "mean": -8.0,
        "std": 4.5,
        "training": {"hours": {"somewhere": 1.5}, "crops": 10},
    }
    return ModelConfig(**{**values, **changes})


@pytest.mark.parametrize("encoder", [EncoderConfig.v1(1024), EncoderConfig.v2(), SMALL])
def test_configuration_survives_json(encoder: EncoderConfig) -> None:
    config = config_of(encoder, frontend=FrontendConfig(mel_scale="htk", mel_norm="none"), window_frames=5)
    assert ModelConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_changing_the_dictionary_leaves_the_configuration() -> None:
    config = config_of()
    config.to_dict()["frontend"]["sample_rate"] = 8000
    assert config == config_of()
    assert hash(config) == hash(config_of())


def test_unknown_and_missing_keys_are_named() -> None:
    data = config_of().to_dict()
    with pytest.raises(ValueError, match="unknown: colour; missing: none"):
        ModelConfig.from_dict({**data, "colour": "red"})
    del data["std"]
    with pytest.raises(ValueError, match="a model configuration .*unknown: none; missing: std"):
        ModelConfig.from_dict(data)
    data = config_of().to_dict()
    del data["encoder"]["channels"]
    with pytest.raises(ValueError, match="expected encoder with .*missing: channels"):
        ModelConfig.from_dict(data)
    with pytest.raises(ValueError, match="as a dictionary, got list"):
        ModelConfig.from_dict([])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("name", "", "name must be a non-empty string"),
        ("version", 1, "version must be a non-empty string"),
        ("mean", float("nan"), "mean must be a finite number"),
        ("mean", "-8", "mean must be a finite number"),
        ("std", 0.0, "std must be positive"),
        ("std", float("inf"), "std must be a finite number"),
        ("window_frames", 4, "odd positive integer, got 4"),
        ("window_frames", 9.0, "odd positive integer, got 9.0"),
        ("training", None, "training must be a dictionary"),
        ("frontend", {}, "frontend and encoder must be"),
        ("frontend", FrontendConfig(n_mels=32), "number of mel bands: 32 and 64"),
    ],
)
def test_bad_values_are_refused(key: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        config_of(**{key: value})


def test_a_value_of_the_wrong_type_in_a_dictionary() -> None:
    data = config_of().to_dict()
    data["frontend"]["f_min"] = "60"
    with pytest.raises(ValueError, match="wrong type"):
        ModelConfig.from_dict(data)


def test_a_configuration_without_kind_and_pooling_is_an_old_one() -> None:
    """Versions up to 0.5 wrote neither: their models are convolutional and pool maximum plus mean."""
    data = config_of().to_dict()
    assert (data.pop("pooling"), data["encoder"].pop("kind")) == ("max+mean", "convolutional")
    assert ModelConfig.from_dict(data) == config_of()


def test_what_decides_embeddings_leaves_out_what_old_configurations_did_not_say() -> None:
    decisive = config_of().decisive()
    assert set(decisive) == {"frontend", "encoder", "mean", "std", "window_frames"}
    assert decisive["encoder"] == SMALL.to_dict() and "kind" not in decisive["encoder"]


def test_the_average_of_layers_keeps_the_form_that_fingerprints_are_made_of() -> None:
    shape = TransformerConfig(width=16, n_layers=2, n_heads=2, context=9, taken=(2,), combine=AVERAGE)
    decisive = replace(config_of(), encoder=shape).decisive()["encoder"]
    assert decisive == {
        **{"kind": "transformer", "n_mels": 64, "stride": 4, "width": 16, "n_layers": 2, "n_heads": 2, "context": 9},
        "averaged": [2],
    }
    assert replace(config_of(), encoder=replace(shape, combine="concatenate")).decisive()["encoder"]["taken"] == [2]


def test_frames_in_milliseconds() -> None:
    assert config_of().frame_ms == 40
    assert config_of(EncoderConfig.v1(), frontend=FrontendConfig(sample_rate=32000)).frame_ms == 40


@pytest.mark.parametrize(
    ("training", "hours"),
    [
        ({}, None),
        ({"hours": 3}, 3.0),
        ({"hours": {"a": 1.5, "b": 2}}, 3.5),
        ({"hours": {}}, None),
    ],
)
def test_hours(training: dict[str, object], hours: float | None) -> None:
    assert training_hours(training) == hours
