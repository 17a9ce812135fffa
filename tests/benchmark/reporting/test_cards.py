"""The cards agree with the checkpoints, the logs and the probe's table."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmark.reporting import overlap
from benchmark.reporting.cards import OVERLAP_TABLE, PROBE_TABLE, weights_card, write_cards
from byola_hear import describe_model, list_models
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


def test_a_card_says_which_kinds_of_sound_were_drawn_more_often(tmp_path: Path) -> None:
    shape = EncoderConfig(channels=4, hidden_size=8)
    recipe = replace(Recipe(steps=30), encoder=shape, kind_weights={"effects": 2.0, "ambience": 0.5}).to_dict()
    config = ModelConfig("x", "1", FrontendConfig(), shape, -5.0, 4.0, training={**TRAINING, "recipe": recipe})
    add_to_zoo(ByolaModel(config), tmp_path)
    assert (
        "- how often kinds of sound are drawn, relative to their hours: ambience 0.5, effects 2, others 1\n"
        in weights_card("x", tmp_path, "")
    )


def test_a_manifest_of_another_training_set_gives_no_card(tmp_path: Path) -> None:
    """As after a network was replaced and its manifest was not."""
    shape = EncoderConfig(channels=4, hidden_size=8)
    training = {**TRAINING, "manifest_sha256": hashlib.sha256(b"path,source,duration_s\n").hexdigest()}
    add_to_zoo(ByolaModel(ModelConfig("x", "1", FrontendConfig(), shape, -5.0, 4.0, training=training)), tmp_path)
    (tmp_path / "manifests").mkdir()
    manifest = tmp_path / "manifests" / "x.csv.gz"
    manifest.write_bytes(gzip.compress(b"path,source,duration_s\n"))
    assert "No clip of ESC-50, FSD50K, UrbanSound8K or FSDnoisy18k is known" in weights_card("x", tmp_path, "")
    manifest.write_bytes(gzip.compress(b"path,source,duration_s\na.wav,waves=1.0,2.0\n"))
    with pytest.raises(ValueError, match=r"expected the manifest that x was trained on in .*x\.csv\.gz, SHA-256"):
        weights_card("x", tmp_path, "")


@pytest.mark.parametrize("earlier_shared", [True, False])
def test_overlaps_are_those_of_the_version_that_it_learnt_from(
    earlier_shared: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest of an earlier version is kept under its name and version."""
    clean = b"path,source,duration_s\n"
    shared = clean + b"x/minetest-data/default_break_glass.1.ogg.flac,minetest-data=1,2.0\n"
    current, earlier = (clean, shared) if earlier_shared else (shared, clean)
    shape = EncoderConfig(channels=4, hidden_size=8)
    own, zoo = tmp_path / "own", tmp_path / "zoo"
    own.mkdir()
    (zoo / "manifests").mkdir(parents=True)
    (zoo / "manifests" / "both.csv.gz").write_bytes(gzip.compress(current))
    (zoo / "manifests" / "both-0.2.0.csv.gz").write_bytes(gzip.compress(earlier))
    training: dict[str, Any] = {**TRAINING, "manifest_sha256": hashlib.sha256(current).hexdigest()}
    teacher = ModelConfig("both", "0.3.0", FrontendConfig(), shape, -5.0, 4.0, training=training)
    add_to_zoo(ByolaModel(teacher), zoo)
    recipe = replace(Recipe.distil({"both": {"size": 3072, "fingerprint": "ab"}}), encoder=shape).to_dict()
    training = {**TRAINING, "recipe": recipe, "began_with": {"model": "both 0.2.0", "fingerprint": "ab"}}
    add_to_zoo(ByolaModel(ModelConfig("pupil", "1", FrontendConfig(), shape, -5.0, 4.0, training=training)), own)
    monkeypatch.setattr(overlap, "zoo_folder", lambda: zoo)
    monkeypatch.setattr(overlap, "list_models", lambda: ["both"])
    monkeypatch.setattr(overlap, "describe_model", lambda name, folder=None: describe_model(name, folder or zoo))
    named = "Some are known to be in that of the teacher `both` 0.2.0, with whose weights it began: see `benchmark"
    assert (named in weights_card("pupil", own, "")) == earlier_shared
    lines = overlap.overlap_page(OVERLAP_TABLE).splitlines()
    assert [line.partition(": ")[0] for line in lines] == ["- `both`", "- `both` 0.2.0"]
    assert ["made of Freesound" in line for line in lines] == [not earlier_shared, earlier_shared]


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
        assert f"Some are known to be in that of {expected}: see its card." in weights_card("pupil", tmp_path, "")


def test_the_cards_are_up_to_date(repository: Path) -> None:
    names = list_models()
    if not names:
        pytest.skip("no networks in weights/")
    for name in names:
        expected = weights_card(name, None, PROBE_TABLE.read_text(encoding="utf-8"))
        text = (repository / "weights" / f"byola-{name}.md").read_text(encoding="utf-8")
        assert text == expected, "stale card: run `python -m benchmark cards`"
