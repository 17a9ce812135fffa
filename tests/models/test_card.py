"""Cards state the facts."""

from __future__ import annotations

from typing import Any

from byola_hear.models.card import card_text, model_facts, sources_table
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig


def test_facts_are_those_of_the_configuration() -> None:
    encoder = EncoderConfig(channels=4, hidden_size=8)
    config = ModelConfig("x", "3", FrontendConfig(), encoder, -5.0, 4.0, licence="MIT", training={"hours": 2.5})
    facts = model_facts(config, 1_234_567, "ab")
    assert facts["parameters"] == "1.23 million" and facts["trained on"] == "2.5 hours"
    assert facts["embedding"] == f"{encoder.feature_size} dimensions for a clip, or every 40 ms"
    untold = ModelConfig("x", "3", FrontendConfig(), encoder, -5.0, 4.0)
    assert "trained on" not in model_facts(untold, 1, "ab")


def test_a_card_has_its_facts_in_a_table_and_no_empty_sections() -> None:
    text = card_text("x", "A network.", {"licence": "a | b"}, {"Use": "Do.\n", "Training": ""})
    assert text == "# x\n\nA network.\n\n|  |  |\n|---|---|\n| licence | a \\| b |\n\n## Use\n\nDo.\n"


def test_sources_are_listed_as_far_as_they_are_known() -> None:
    sources = [{"source": "waves=1.0", "licence": None, "rows": 70, "hours": 2.5}]
    header, ruler, row = sources_table({"sources": sources}).splitlines()
    assert header == "| source | licence | clips | hours |" and ruler == "|---|---|--:|--:|"
    assert row == "| waves=1.0 | – | 70 | 2.500 |"
    nothing: dict[str, Any]
    for nothing in ({}, {"sources": []}, {"sources": {"speech": 3.0}}, {"sources": ["speech"]}, {"sources": [{}]}):
        assert sources_table(nothing) == ""
