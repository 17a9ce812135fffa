"""The page on experiments is made from the records, never from test parts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmark.reporting.experiments import command, kind_of, page, record_of, scores_of
from byola_hear.models.checkpoint import save_checkpoint
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.encoders.registry import encoder_to_dict
from byola_hear.models.encoders.transformer import TransformerConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel
from byola_hear.pretraining.training.recipe import Recipe


def checkpoint(folder: Path, name: str, training: dict[str, Any] | None = None, **changes: Any) -> Path:
    """Write a run's checkpoint."""
    encoder = EncoderConfig(channels=4, hidden_size=8)
    recipe = Recipe(encoder=encoder, **changes).to_dict()
    facts = {"recipe": recipe, "hours": 12.0, "crops": 640, "minutes": 2.5, "loss": 0.5, "spread": 0.9}
    facts["manifest_sha256"] = "ab" * 32
    training = facts if training is None else training
    config = ModelConfig(name, "1", FrontendConfig(), encoder, -5.0, 4.0, training=training)
    save_checkpoint(folder / f"byola-{name}.safetensors", ByolaModel(config))
    return folder / f"byola-{name}.safetensors"


def probe(path: Path, means: dict[str, float], parts: str = "validation") -> Path:
    """Write a probe's results."""
    models = {
        name: {"mean": mean, "mean_interval": [mean - 1, mean + 1], "tasks": {"digits": {"accuracy": mean}}}
        for name, mean in means.items()
    }
    path.write_text(json.dumps({"about": {"parts": parts}, "models": models}))
    return path


def test_the_command_records_and_ranks(tmp_path: Path) -> None:
    runs = [checkpoint(tmp_path, "base"), checkpoint(tmp_path, "small", batch_size=32, steps=20_000)]
    results = probe(tmp_path / "p.json", {"byola-base": 80.0, "byola-small": 81.5, "untrained": 78.0, "stranger": 99.0})
    arguments = [*map(str, runs), "--probe", str(results), "--folder", str(tmp_path)]
    done = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert done.exit_code == 0 and "2 runs" in done.output
    text = (tmp_path / "EXPERIMENTS.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|")][2:]
    assert [row.split(" | ")[0] for row in rows] == ["| small", "| base", "| untrained"]
    assert "| small | batch size 32 | 640 | 2 | 0.500 | 0.900 | 81.5 | 81.5 ± 1.0 | +3.5 |" in text
    assert "stranger" not in text
    before = (tmp_path / "experiments.json").read_bytes()
    assert CliRunner().invoke(command, ["--folder", str(tmp_path)]).exit_code == 0
    assert (tmp_path / "experiments.json").read_bytes() == before
    assert (tmp_path / "EXPERIMENTS.md").read_text(encoding="utf-8") == text


def test_a_run_without_scores_has_dashes(tmp_path: Path) -> None:
    name, record = record_of(checkpoint(tmp_path, "base"))
    text = page({"runs": {name: record}, "scores": scores_of(probe(tmp_path / "p.json", {"untrained": 70.0}))})
    assert "| base | – | 640 | 2 | 0.500 | 0.900 | – | – | – |" in text


def test_distilled_networks_are_compared_with_the_one_they_began_with() -> None:
    encoder = encoder_to_dict(EncoderConfig(channels=64))
    teachers = {"both": {"size": 3072, "fingerprint": "ab"}, "yamnet": {"size": 1024, "fingerprint": "cd"}}
    recipe = {"method": "distil", "learning_rate": 3e-4, "encoder": encoder, "teachers": teachers}
    run = {"recipe": recipe, "hours": 27.0, "crops": 640, "minutes": 2.5, "loss": 0.2, "spread": 0.8}
    run |= {"manifest_sha256": "ab" * 32}
    small = {**run, "recipe": {**recipe, "learning_rate": 1e-3, "encoder": {**encoder, "channels": 32}}}
    runs = {"distilled": {**run, "began_with": {"model": "both 0.2.0"}}, "distilled-small": small}
    means = {"distilled": 86.0, "distilled-small": 84.0, "both": 85.0}
    scores = {name: {"mean": mean, "mean_interval": [mean, mean], "tasks": {}} for name, mean in means.items()}
    text = page({"runs": runs, "scores": scores})
    assert "| mean | above both |" in text and "teachers both and yamnet, began with both 0.2.0." in text
    assert "| distilled | – | 640 | 2 | 0.200 | 0.800 | 86.0 ± 0.0 | +1.0 |" in text
    assert "| both | the network of the package | – | – | – | – | 85.0 ± 0.0 | +0.0 |" in text
    began = "began with random weights, learning rate 0.001, channels 32"
    assert f"| distilled-small | {began} | 640 | 2 | 0.200 | 0.800 | 84.0 ± 0.0 | -1.0 |" in text


def test_teachers_weights_and_hours_that_differ_are_named() -> None:
    encoder, facts = encoder_to_dict(EncoderConfig()), {"size": 384, "fingerprint": "ab"}
    recipe = {"method": "distil", "encoder": encoder, "kind_weights": {"effects": 2.0, "ambience": 2.0}}
    run = {"hours": 64.0, "crops": 640, "minutes": 2.5, "loss": 0.2, "spread": 0.8, "manifest_sha256": "ab" * 32}
    base = {**run, "recipe": {**recipe, "teachers": {"both": facts, "whisper_tiny@speech": facts}}}
    short = {**run, "hours": 27.0, "recipe": {**recipe, "kind_weights": {}, "teachers": {"both": facts}}}
    text = page({"runs": {"distilled": base, "short": short}, "scores": {}})
    assert "The base: method distil, weights effects 2 and ambience 2, teachers both and whisper_tiny@speech." in text
    assert "| short | no weights of kinds, teachers both, 27.0 h of audio | 640 |" in text


def test_means_over_other_tasks_are_refused(tmp_path: Path) -> None:
    runs = [checkpoint(tmp_path, "base"), checkpoint(tmp_path, "small", batch_size=32)]
    results = probe(tmp_path / "p.json", {"byola-base": 80.0, "byola-small": 81.5})
    content = json.loads(results.read_text())
    content["models"]["byola-small"]["tasks"]["drums"] = {"accuracy": 99.0}
    results.write_text(json.dumps(content))
    arguments = [*map(str, runs), "--probe", str(results), "--folder", str(tmp_path)]
    done = CliRunner().invoke(command, arguments)
    assert isinstance(done.exception, ValueError)
    assert "base has none on drums" in str(done.exception)
    assert not (tmp_path / "experiments.json").exists()


def test_results_on_test_parts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected results on validation parts, got test"):
        scores_of(probe(tmp_path / "p.json", {"byola-base": 80.0}, parts="test"))


@pytest.mark.parametrize("text", ["{}", "[]", "no JSON"])
def test_another_file_than_a_probes_result_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(ValueError, match=r"p\.json: expected a result of"):
        scores_of(tmp_path / "p.json")


def test_a_repeated_run_has_no_scores_until_it_is_probed(tmp_path: Path) -> None:
    base = str(checkpoint(tmp_path, "base"))
    results = probe(tmp_path / "p.json", {"byola-base": 80.0})
    again = ["--folder", str(tmp_path), base]
    CliRunner().invoke(command, [*again, "--probe", str(results)], catch_exceptions=False)
    CliRunner().invoke(command, again, catch_exceptions=False)
    assert "80.0" in (tmp_path / "EXPERIMENTS.md").read_text(encoding="utf-8")
    checkpoint(tmp_path, "base", batch_size=32)
    CliRunner().invoke(command, again, catch_exceptions=False)
    assert "80.0" not in (tmp_path / "EXPERIMENTS.md").read_text(encoding="utf-8")


def test_a_checkpoint_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="it lacks recipe, hours"):
        record_of(checkpoint(tmp_path, "base", training={}))
    with pytest.raises(ValueError, match="expected a run called 'base' to compare with, got small"):
        page({"runs": {"small": record_of(checkpoint(tmp_path, "small"))[1]}, "scores": {}})


def test_the_page_is_up_to_date(repository: Path) -> None:
    records = json.loads((repository / "weights" / "experiments.json").read_text(encoding="utf-8"))
    written = (repository / "weights" / "EXPERIMENTS.md").read_text(encoding="utf-8")
    assert page(records) == written, "stale: run `python -m benchmark experiments`"


def test_each_kind_of_network_has_its_own_base(tmp_path: Path) -> None:
    _, run = record_of(checkpoint(tmp_path, "base"))
    recipe = {**run["recipe"], "encoder": encoder_to_dict(TransformerConfig(width=8, n_heads=1))}
    runs = {"base": run, "transformer-concatenated": {**run, "recipe": recipe}}
    runs["transformer-large"] = {**run, "recipe": {**recipe, "batch_size": 512}}
    score = {"mean_interval": [0.0, 2.0], "tasks": {}}
    means = {"untrained": 10.0, "untrained_transformer": 5.0, "base": 12.0, "transformer-large": 8.0}
    text = page({"runs": runs, "scores": {name: {**score, "mean": mean} for name, mean in means.items()}})
    first, second = text.split("## Transformers")
    assert "## Convolutional networks" in first and "| base | – |" in first and "+2.0 |" in first
    assert "| transformer-large | batch size 512 |" in second and "+3.0 |" in second
    with pytest.raises(ValueError, match="expected a run called 'transformer-concatenated'"):
        page({"runs": {"transformer-large": runs["transformer-large"]}, "scores": {}})


@pytest.mark.parametrize("settings", [{"averaged": []}, {"combine": "average", "taken": []}])
def test_transformers_whose_layers_are_averaged_have_a_section_of_their_own(settings: dict[str, Any]) -> None:
    assert kind_of({"encoder": {"kind": "transformer", **settings}}) == "averaged"
    assert kind_of({"encoder": {"kind": "transformer", "combine": "concatenate"}}) == "transformer"
    assert kind_of({"encoder": {"kind": "convolutional"}}) == "convolutional"


def test_settings_that_older_recipes_lack_are_no_differences(tmp_path: Path) -> None:
    _, run = record_of(checkpoint(tmp_path, "base"))
    newer = ("method", "batch_norm_momentum", "second_view", "crop_candidates", "ambience_mix", "reference_batch")
    older = {**run, "recipe": {key: value for key, value in run["recipe"].items() if key not in newer}}
    assert "| again | – |" in page({"runs": {"base": older, "again": run}, "scores": {}})
