"""Centred kernel alignment with a known answer, and the layers that it is taken of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from benchmark.baselines.untrained import untrained_model
from benchmark.comparison.page import load_section
from benchmark.studies.cka.alignment import cka, cka_interval, gram
from benchmark.studies.cka.command import cka_command
from benchmark.studies.cka.layers import activations, layer_names
from benchmark.studies.cka.report import report
from byola_hear.models.checkpoint import save_checkpoint
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel
from tests.benchmark.made_sets import write_all_sets


@given(st.integers(0, 1000), st.floats(0.01, 100))
def test_a_rotated_scaled_and_shifted_copy_is_the_same(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    first = rng.standard_normal((20, 6))
    rotation = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    assert cka(gram(first), gram(scale * first @ rotation + 3)) == pytest.approx(1, abs=1e-6)


def test_the_cka_of_independent_noise_is_0_for_any_number_of_features() -> None:
    rng = np.random.default_rng(0)
    values = [cka(gram(rng.standard_normal((40, 500))), gram(rng.standard_normal((40, 500)))) for _ in range(40)]
    assert abs(np.mean(values)) < 0.05
    # Which the plain form does not manage.
    first, second = gram(rng.standard_normal((40, 500))), gram(rng.standard_normal((40, 500)))
    assert np.sum(first * second) / np.linalg.norm(first) / np.linalg.norm(second) > 0.5


def test_the_interval_contains_the_true_value() -> None:
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((200, 10))
    first, second = (np.hstack([shared, rng.standard_normal((200, 10))]) for _ in range(2))
    value, low, high = cka_interval(gram(first), gram(second))
    assert low < value < high and low < 0.5 < high
    assert np.isnan(cka_interval(gram(first[:30]), gram(second[:30]))[1])
    with pytest.raises(ValueError, match="at least four clips"):
        gram(first[:3])
    with pytest.raises(ValueError, match="finite"):
        gram(np.full((5, 2), np.nan))


def test_the_last_layer_is_the_embedding() -> None:
    model = untrained_model(0, -8.0, 4.5)
    clips = [np.random.default_rng(n).standard_normal(n).astype(np.float32) * 0.1 for n in (800, 5003, 16000)]
    found = activations(model, clips)
    assert list(found) == layer_names(model) == ["block 1", "block 2", "fc1", "fc2", "frame", "clip"]
    expected = model.scene_embeddings([torch.from_numpy(clip) for clip in clips]).numpy()
    np.testing.assert_allclose(found["clip"], expected, rtol=1e-4, atol=1e-5)
    # The second block is the local part of the frame feature, the second layer its global part.
    split = model.config.encoder.local_size
    local = found["block 2"].reshape(3, 64, 16).transpose(0, 2, 1).reshape(3, -1)
    np.testing.assert_allclose(local, found["frame"][:, :split], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["fc2"], found["frame"][:, split:], rtol=1e-5, atol=1e-6)
    assert all(not module._forward_hooks for module in model.modules())


def test_the_command_from_sets_to_sentences(tmp_path: Path) -> None:
    write_all_sets(tmp_path / "audio")
    config = ModelConfig("small", "0", FrontendConfig(), EncoderConfig(channels=8, hidden_size=16), -8.0, 4.5)
    paths = []
    for number, name in enumerate(("one", "copy", "other")):
        torch.manual_seed(number // 2)
        paths.append(tmp_path / f"{name}.safetensors")
        save_checkpoint(paths[-1], ByolaModel(config))
    arguments = ["--audio", tmp_path / "audio", "--cache", tmp_path / "cache", "--per-side", 30, "--no-progress"]
    arguments += ["--models", ",".join(map(str, paths)), "-o", tmp_path / "results"]
    result = CliRunner().invoke(cka_command, [str(each) for each in arguments], catch_exceptions=False)
    assert result.exit_code == 0
    numbers = pd.read_csv(tmp_path / "results" / "cka.csv")
    same = numbers[numbers["first_layer"] == numbers["second_layer"]].groupby(["first", "second"])["value"].mean()
    assert same["one", "copy"] == pytest.approx(1) and same["one", "other"] < 0.999
    assert len(report(tmp_path / "results").sentences) >= 2
    assert (
        sum(block["kind"] == "figure" for block in load_section(tmp_path / "results" / "cka.md").data()["blocks"]) == 2
    )
    arguments[arguments.index("--models") + 1] = "logmel,mfcc"
    with pytest.raises(ValueError, match="expected networks, which have layers to compare, got logmel"):
        CliRunner().invoke(cka_command, [str(each) for each in arguments], catch_exceptions=False)
