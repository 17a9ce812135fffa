"""The study of architectures: gains, domain advantages, and what is said of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

pytest.importorskip("sklearn")

from benchmark.models.rows import models_by_row
from benchmark.studies.architectures.command import command, training_of
from benchmark.studies.architectures.report import (
    NAME,
    advantage_weights,
    domain_difference,
    gains,
    kinds_of,
    report,
    sentences,
    training_table,
)
from benchmark.studies.findings import save_numbers
from byola_hear.models.checkpoint import save_checkpoint
from tests.models.test_model import small_model

TRAINING = {"both": {"parameters": 6.3e6, "hours": 27.0, "crops": 300800, "recipe": {"crop_frames": 96}}}
ABOUT: dict[str, Any] = {"command": "python -m benchmark architectures", "parts": "test", "training": TRAINING}
TASKS = {"spoken_digits": "speech", "emodb": "speech", "esc50": "nonspeech"}


def numbers(of_transformer: float = 0.0) -> pd.DataFrame:
    """Every network gains 10 points; transformers gain ``of_transformer`` more on tasks of their own domain."""
    rows = []
    for prefix, untrained in (("", "untrained"), ("transformer-", "untrained_transformer")):
        for name in (f"{prefix}both", f"{prefix}speech", f"{prefix}nonspeech", untrained):
            for task, domain in TASKS.items():
                better = 0.0 if name == untrained else 10.0
                better += of_transformer if prefix and name == f"{prefix}{domain}" else 0.0
                row = {"model": name, "seed": 0, "domain": domain, "task": task}
                for fold in range(2):
                    values = {"measure": "probe", "count": 0, "draw": fold, "accuracy": 60 + better, "clips": 2000}
                    rows.append({**row, **values})
                rows.append({**row, "measure": "neighbours", "count": 0, "draw": 0, "accuracy": 40, "clips": 2000})
                rows.append({**row, "measure": "ridge", "count": 20, "draw": 0, "accuracy": 50, "clips": 500})
    return pd.DataFrame(rows)


def test_gains_are_over_the_untrained_network_of_the_same_kind() -> None:
    found, on_others = gains(numbers(8), "transformer-speech", "untrained_transformer")
    assert found.value == pytest.approx(18) and found.low < 18 < found.high and found.high - found.low < 5
    assert on_others.value == pytest.approx(10)


def test_the_domain_advantage_is_the_difference_on_own_tasks_minus_that_on_others() -> None:
    values = numbers(8)
    assert domain_difference(values, "").mean(advantage_weights(values)).value == pytest.approx(0)
    assert domain_difference(values, "transformer-").mean(advantage_weights(values)).value == pytest.approx(16)


def test_a_difference_is_claimed_only_if_its_interval_excludes_0() -> None:
    clear, same = " ".join(sentences(numbers(8), ABOUT)), " ".join(sentences(numbers(), ABOUT))
    assert "For a convolutional network, the domain of the training data makes no clear difference" in clear
    assert "For a transformer, the domain of the training data gives it an advantage in its own domain: +16.0" in clear
    assert "The domain matters more for the transformer" in clear
    assert "matters no more and no less for either" in same


def test_how_a_network_of_others_was_trained_is_left_open(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "theirs.safetensors", small_model())
    found = training_of(str(tmp_path / "theirs.safetensors"))
    *_, trained, theirs = training_table({**TRAINING, **found}).splitlines()
    assert trained == "| both | byol | 6.30 | 27.0 | 301 | 0.96 |"
    assert theirs == f"| theirs | – | {found['theirs']['parameters'] / 1e6:.2f} | – | – | – |"


def test_an_architecture_without_all_networks_is_left_out(tmp_path: Path) -> None:
    rest = numbers()
    rest = rest[rest["model"] != "transformer-both"]
    assert [prefix for prefix, _ in kinds_of(rest)] == [""]
    save_numbers(tmp_path, NAME, rest, ABOUT)
    assert "For a transformer" not in report(tmp_path).texts(tmp_path, NAME)[f"{NAME}_findings.md"]


@pytest.mark.parametrize("enough", [["spoken_digits", "emodb"], []])
def test_tasks_with_too_few_clips_for_20_labels_have_a_dash(enough: list[str], tmp_path: Path) -> None:
    few = numbers(8)
    save_numbers(tmp_path, NAME, few[(few["count"] == 0) | few["task"].isin(enough)], ABOUT)
    text = report(tmp_path).texts(tmp_path, NAME)[f"{NAME}.md"]
    assert f"| both | 70.0 | 70.0 | 40.0 | 40.0 | {'50.0' if enough else '–'} | – |" in text
    said = "spoken_digits and emodb" if enough else "none of them, which have too few clips"
    assert f"with 20 labels over {said}; test parts" in text


@pytest.mark.parametrize("tasks", ["vocal_bursts,emodb", "esc50"])
def test_tasks_of_one_domain_are_refused_before_anything_is_measured(tasks: str, tmp_path: Path) -> None:
    arguments = ["--tasks", tasks, "--audio", str(tmp_path / "nowhere"), "--output", str(tmp_path)]
    result = CliRunner().invoke(command, arguments)
    lacking = "speech" if tasks == "esc50" else "non-speech"
    assert isinstance(result.exception, ValueError)
    assert (
        str(result.exception) == f"expected tasks of both domains, got no {lacking} task in {tasks.replace(',', ', ')}"
    )


def test_the_report_has_tables_and_a_figure(tmp_path: Path) -> None:
    save_numbers(tmp_path, NAME, numbers(8), ABOUT)
    text = report(tmp_path).texts(tmp_path, NAME)[f"{NAME}.md"]
    assert "| both | 70.0 | 70.0 | 40.0 | 40.0 | 50.0 | 50.0 |" in text
    assert "| `transformer-speech` − `untrained_transformer` | +18.0" in text
    assert "over the tested clips. Clips of one speaker or recording are resampled as if they were independent." in text
    assert "| both | byol | 6.30 | 27.0 | 301 | 0.96 |" in text
    draw, _ = report(tmp_path).figures[NAME]
    assert draw is not None and len(draw().axes) == 2


def test_the_default_compares_both_kinds() -> None:
    default = next(each.default for each in command.params if each.name == "models")
    kinds = kinds_of(pd.DataFrame({"model": list(models_by_row(str(default)))}))
    assert kinds == [("", "untrained"), ("transformer-", "untrained_transformer")]
