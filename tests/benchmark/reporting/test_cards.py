"""The cards agree with the checkpoints, the logs and the probe's table."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmark.reporting.cards import PROBE_TABLE, weights_card, write_cards
from byola_hear import list_models
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.encoders.transformer import TransformerConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel
from byola_hear.models.zoo import add_to_zoo
from byola_hear.pretraining.training.recipe import Recipe

TRAINING = {
    "hours": 2.5,
    "sources": [{"source": "waves=1.0", "kind": "effects", "licence": "CC0-1.0", "rows": 70, "hours": 2.5}],
    "matching": {
        "hours": 2.5,
        "seed": 7,
        "limits": {"music": 0.5},
        "sets": {"x": {"effects": 2.5}, "y": {"music": 2.5}},
    },
    "recipe": Recipe(steps=30).to_dict(),
    "step": 30,
    "crops": 3840,
    "minutes": 12.0,
    "loss": 0.25,
    "spread": 0.75,
}


def test_a_card_holds_the_facts(tmp_path: Path) -> None:
    config = ModelConfig(
        "x", "3", FrontendConfig(), EncoderConfig(channels=4, hidden_size=8), -5.0, 4.0, training=TRAINING
    )
    sha256 = add_to_zoo(ByolaModel(config), tmp_path)
    log = "step,crops,seconds,loss,spread,learning_rate,ema_decay,crops_per_second\n10,1280,9,0.5,0.7,1e-3,0.99,140\n"
    (tmp_path / "byola-x.log.csv").write_text(log)
    (path,) = write_cards(tmp_path, "| model | mean |\n|---|--:|\n| x | 12.3 |\n")
    text = path.read_text(encoding="utf-8")
    for fact in (
        sha256,
        "| waves=1.0 | effects | CC0-1.0 | 70 | 2.500 |",
        "2.5 hours for each network, drawn with seed 7",
        "music at most 50% of its collection",
        "3840 crops, in 12 minutes",
        "| x | 12.3 |",
        "final loss 0.250, final standard deviation of embeddings 0.750",
    ):
        assert fact in text
    assert (tmp_path / "byola-x.png").stat().st_size > 10_000


def test_the_card_of_a_transformer_by_masked_prediction(tmp_path: Path) -> None:
    shape = TransformerConfig(width=16, n_layers=2, n_heads=2)
    training = {**TRAINING, "recipe": replace(Recipe.masked(), encoder=shape).to_dict()}
    config = ModelConfig("transformer-speech", "1", FrontendConfig(), shape, -5.0, 4.0, training=training)
    add_to_zoo(ByolaModel(config), tmp_path)
    text = weights_card("transformer-speech", tmp_path, "")
    assert "A transformer of 2 layers, 16 wide, trained on 2.5 hours of speech." in text
    assert "decay of the target network from 0.996 to 1; it and the learning rate count for 32 crops in a step" in text
    assert "- masked prediction, 30 steps of 32 crops of 4 s" in text
    assert "`untrained` has the shape of BYOL-A v2 and `untrained_transformer` that of the transformers" in text
    assert "comparisons within a\nkind of network" in text and "the three networks" not in text
    assert (
        "- 4 masks for each crop, which leave 25% visible, in spans of 5 frame features; a decoder of 2 layers" in text
    )


def test_the_card_of_a_distilled_network_names_its_teachers(tmp_path: Path) -> None:
    shape = EncoderConfig(channels=4, hidden_size=8)
    teachers: dict[str, dict[str, Any]] = {
        "yamnet": {"size": 1024, "note": "YAMNet (Google)"},
        "whisper_tiny@speech+music": {"size": 384},
    }
    training = {**TRAINING, "recipe": replace(Recipe.distil(teachers), encoder=shape).to_dict()}
    config = ModelConfig("distilled-small", "1", FrontendConfig(), shape, -5.0, 4.0, training=training)
    add_to_zoo(ByolaModel(config), tmp_path)
    text = weights_card("distilled-small", tmp_path, "")
    assert "A network of the BYOL-A v2 shape with 4 channels and linear layers of 8, trained on 2.5 hours" in text
    for line in (
        "- distillation, 30 steps of 64 crops of 0.96 s",
        "- teacher yamnet, 1024 dimensions: YAMNet (Google)",
        "- teacher whisper_tiny on speech, music, 384 dimensions",
        "- seed 42; final loss 0.250",
    ):
        assert f"{line}\n" in text or f"{line}:" in text
    assert "decay of the target network" not in text and "their training counts as its own" in text


def test_overlaps_of_networks_that_it_learnt_from_are_named(tmp_path: Path) -> None:
    if "distilled" not in list_models():
        pytest.skip("no networks in weights/")
    shape = EncoderConfig(channels=4, hidden_size=8)
    for teacher, start, expected in (
        ("both", "", "the teacher `both`"),
        ("distilled", "", "`both`, which taught the teacher `distilled`"),
        ("both", "both 0.2.0", "the teacher `both`, with whose weights it began"),
        ("yamnet", "nonspeech 0.2.0", "`nonspeech`, with whose weights it began"),
        ("yamnet", "distilled 0.1.0", "`both`, which taught `distilled`"),
    ):
        recipe = replace(Recipe.distil({teacher: {"size": 3072}}), encoder=shape).to_dict()
        training = {**TRAINING, "recipe": recipe, **({"began_with": {"model": start}} if start else {})}
        config = ModelConfig("pupil", "1", FrontendConfig(), shape, -5.0, 4.0, training=training)
        add_to_zoo(ByolaModel(config), tmp_path)
        assert f"Some are in that of {expected}: see its card." in weights_card("pupil", tmp_path, "")


def test_the_cards_are_up_to_date(repository: Path) -> None:
    names = list_models()
    if not names:
        pytest.skip("no networks in weights/")
    for name in names:
        expected = weights_card(name, None, PROBE_TABLE.read_text(encoding="utf-8"))
        text = (repository / "weights" / f"byola-{name}.md").read_text(encoding="utf-8")
        assert text == expected, "stale card: run `python -m benchmark cards`"
