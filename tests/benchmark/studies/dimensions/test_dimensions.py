"""The study of dimensions: what is measured, and the report that is made of the numbers."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sklearn")

from benchmark.models.loading import ModelName
from benchmark.studies.dimensions.command import directions_of, sizes_up_to
from benchmark.studies.dimensions.report import NAME, difference, means, report, sentences
from benchmark.studies.findings import save_numbers
from benchmark.studies.measures import neighbours
from byola_hear.models.directions import ENDING
from byola_hear.models.zoo import zoo_folder

ORIGIN = {"clips": 10, "halves": [{"count": 64, "variance": 0.8, "best": 0.9, "cosines": 0.95}]}
ABOUT: dict[str, Any] = {
    "command": "python -m benchmark dimensions",
    "parts": "test",
    "draws": 4,
    "directions": {"both": ORIGIN},
}


def numbers() -> pd.DataFrame:
    """Two tasks, of which the second has no 20 labels a class; whole embeddings are 10 points better for the probe."""
    rows = []
    for size, better in ((64, 0.0), (3072, 10.0)):
        for task in ("esc50", "drum_strokes"):
            row = {"model": "both", "task": task, "dimensions": size}
            rows.append({**row, "measure": "probe", "count": 0, "draw": 0, "accuracy": 60 + better, "clips": 2000})
            rows.append({**row, "measure": "neighbours", "count": 0, "draw": 0, "accuracy": 30, "clips": 2000})
            for measure in ("ridge", "centroid"):
                for count in (1, 5, 20) if task == "esc50" else (1, 5):
                    for draw in range(4):
                        accuracy = 40 + draw + (100 if task == "drum_strokes" else 0)
                        values = {"measure": measure, "count": count, "draw": draw, "accuracy": accuracy, "clips": 500}
                        rows.append({**row, **values})
    return pd.DataFrame(rows)


def test_means_of_few_labels_are_over_complete_tasks() -> None:
    found = means(numbers())
    assert found["probe"].tolist() == [60, 70] and found["5 neighbours"].tolist() == [30, 30]
    assert found["ridge, 5 a class"].tolist() == [41.5, 41.5]


def test_differences_have_intervals() -> None:
    exact, low, high = difference(numbers(), 64, "probe") or (0, 0, 0)
    assert exact == -10 and -13 < low < -10 < high < -7
    assert difference(numbers(), 64, "ridge, 5 a class") == (0, 0, 0)
    assert difference(numbers(), 64, "5 neighbours") is None


def test_the_report_claims_no_difference_that_may_be_none(tmp_path: Path) -> None:
    save_numbers(tmp_path, NAME, numbers(), ABOUT)
    texts = report(tmp_path).texts(tmp_path, NAME)
    found = texts[f"{NAME}_findings.md"]
    assert "With 64 of the 3072 dimensions of `both`: linear probe with all labels -10.0 (-1" in found
    assert "ridge probe with 5 labels a class no clear difference (+0.0 to +0.0)" in found
    assert "| 64 | 256 | 60.0 | 30.0 | 41.5 |" in texts[f"{NAME}.md"]
    assert "| both | 10 | 64 | 80.0 | 90.0 | 0.950 |" in texts[f"{NAME}.md"]
    draw, _ = report(tmp_path).figures[NAME]
    assert draw is not None and draw().axes[0].get_xlabel() == "dimensions"


def test_findings_are_of_every_model() -> None:
    """Short vectors of ``taught`` are 5 points worse for neighbours, those of ``both`` are as good."""
    taught = numbers().assign(model="taught")
    whole = (taught["dimensions"] == 3072) & (taught["measure"] == "neighbours")
    taught.loc[whole, "accuracy"] += 5
    larger = taught[taught["dimensions"] == 64].assign(dimensions=1024)
    texts = sentences(pd.concat([numbers(), taught, larger]), ABOUT)
    heads = [text.partition(":")[0] for text in texts[1:]]
    assert heads == [
        "With 64 of the 3072 dimensions of `both`",
        "With 64 of the 3072 dimensions of `taught`",
        "With 1024 of the 3072 dimensions of `taught`",
    ]
    assert texts[1].endswith("by plain cosine with the same label +0.0.")
    assert texts[2].endswith("by plain cosine with the same label -5.0.")


def test_findings_leave_out_what_was_not_measured() -> None:
    without = numbers()
    text = sentences(without[without["count"] != 20], ABOUT)[1]
    assert "20 labels a class" not in text and "5 labels a class" in text


def test_neighbours_of_the_same_group_do_not_count() -> None:
    features = np.array([[1, 0], [1, 0.01], [1, 0.1], [0, 1]], np.float32)
    labels = np.array(["a", "a", "b", "b"])
    alone = neighbours(features, labels, np.array(["0", "1", "2", "3"]))
    shared = neighbours(features, labels, np.array(["0", "0", "2", "3"]))
    assert shared < alone


def test_a_network_is_measured_with_the_directions_that_it_has() -> None:
    names = ("both", "distilled-small", "transformer-both")
    assert [directions_of(ModelName.of(name)).count for name in names] == [1024, 512, 512]
    assert sizes_up_to(32) == (32,)


def test_a_checkpoint_is_measured_with_its_own_directions(tmp_path: Path) -> None:
    """Whatever its file is called: the stem, which names its row, may be the name of another network."""
    path = tmp_path / "both.safetensors"
    for ending in (".safetensors", ENDING):
        shutil.copy(zoo_folder() / f"byola-distilled-small{ending}", path.with_suffix(ending))
    found = directions_of(ModelName.of(str(path)))
    assert found.count == 512
    assert found.fingerprint() == directions_of(ModelName.of("distilled-small")).fingerprint()
    with pytest.raises(ValueError, match="expected networks, which have directions, got untrained"):
        directions_of(ModelName.of("untrained"))
