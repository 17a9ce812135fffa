"""The command, from sets to findings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from click.testing import CliRunner

from benchmark.comparison.page import load_section
from benchmark.studies.cka.command import command as cka_command
from benchmark.studies.cka.report import report
from byola_hear.models.checkpoint import save_checkpoint
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.encoders.transformer import TransformerConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel
from tests.benchmark.made_sets import write_all_sets

NAMES = ("one", "copy", "other")


def test_the_command_from_sets_to_sentences(tmp_path: Path) -> None:
    write_all_sets(tmp_path / "audio")
    config = ModelConfig("small", "0", FrontendConfig(), EncoderConfig(channels=8, hidden_size=16), -8.0, 4.5)
    paths = []
    for number, name in enumerate(NAMES):
        torch.manual_seed(number // 2)
        paths.append(tmp_path / f"{name}.safetensors")
        save_checkpoint(paths[-1], ByolaModel(config))
    transformer = replace(config, encoder=TransformerConfig(width=16, n_layers=2, n_heads=2, context=9))
    paths.append(tmp_path / "transformer.safetensors")
    save_checkpoint(paths[-1], ByolaModel(transformer))
    arguments = ["--audio", tmp_path / "audio", "--cache", tmp_path / "cache", "--per-side", 30, "--no-progress"]
    arguments += ["--models", ",".join(map(str, paths)), "-o", tmp_path / "results"]
    result = CliRunner().invoke(cka_command, [str(each) for each in arguments], catch_exceptions=False)
    assert result.exit_code == 0
    numbers = pd.read_csv(tmp_path / "results" / "cka.csv")
    same = numbers[numbers["first_layer"] == numbers["second_layer"]].groupby(["first", "second"])["value"].mean()
    assert same["one", "copy"] == pytest.approx(1) and same["one", "other"] < 0.999
    # Networks of different kinds share the frame feature and the embedding.
    mixed = numbers[(numbers["first"] == "one") & (numbers["second"] == "transformer")]
    shared = mixed[mixed["first_layer"] == mixed["second_layer"]]
    assert set(shared["first_layer"]) == {"frame", "clip"} and {"layer 1", "layer 2"} < set(mixed["second_layer"])
    made = report(tmp_path / "results")
    assert "1.00 (block 1) to 1.00 (one – copy)" in made.sentences[0]
    assert "transformer" not in made.tables[0] and "| one – other |" in made.tables[0]
    # One transformer alone has no table of layers; its embedding is compared with the others'.
    values = [
        numbers.query(f"first == '{name}' and second == 'transformer' and stimuli == 'together'") for name in NAMES
    ]
    shown = [
        float(each[each["first_layer"] == each["second_layer"]].set_index("first_layer")["value"]["clip"])
        for each in values
    ]
    assert f"is {min(shown):.2f} (" in made.sentences[-1] and "for two trained networks" in made.sentences[-1]
    assert f"to {max(shown):.2f} (" in made.sentences[-1]
    assert len(made.tables) == 2 and made.tables[1].splitlines()[-1].startswith(f"| transformer | {shown[0]:.2f} |")
    assert (
        sum(block["kind"] == "figure" for block in load_section(tmp_path / "results" / "cka.md").data()["blocks"]) == 2
    )
    arguments[arguments.index("--models") + 1] = "logmel,mfcc"
    with pytest.raises(ValueError, match="expected networks, which have layers to compare, got logmel"):
        CliRunner().invoke(cka_command, [str(each) for each in arguments], catch_exceptions=False)
