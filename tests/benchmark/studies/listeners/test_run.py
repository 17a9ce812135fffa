"""From sets with ratings to findings."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile
from click.testing import CliRunner

from benchmark.datasets.labelled_tar import OriginalClip, write_set
from benchmark.datasets.origin_ratings import as_csv
from benchmark.studies.listeners.added import added, check_models
from benchmark.studies.listeners.report import report
from benchmark.studies.rsa.command import command

pytest.importorskip("rsatoolbox")
pytest.importorskip("parselmouth")

#: Spaces of the sets, with the first tone of each, Hz.
SPACES = {
    "timbre_similarity": {"Grey1977": 220.0, "Vahidi2020": 230.0, "Patil2012_A3": 250.0},
    "timbre_groups_sol": {"timbre_groups_sol": 260.0},
    "singing_techniques": {"f2lowPitch": 270.0, "m1lowPitch": 290.0},
}
N_SOUNDS = 6


def tone(hertz: float, seconds: float) -> bytes:
    times = np.arange(int(seconds * 16000)) / 16000
    samples = sum(np.sin(2 * np.pi * hertz * (k + 1) * times) / (k + 1) for k in range(3)) / 4
    file = io.BytesIO()
    soundfile.write(file, samples, 16000, format="WAV")
    return file.getvalue()


def write_rated_sets(folder: Path) -> None:
    """The three sets: six tones a space, which listeners compare by pitch alone."""
    folder.mkdir(exist_ok=True)
    for name, spaces in SPACES.items():
        clips, further = [], {}
        for space, first in spaces.items():
            pitches = first * 2 ** (np.arange(N_SOUNDS) ** 1.5 / 8)
            apart = np.abs(np.subtract.outer(np.log2(pitches), np.log2(pitches)))
            for index, hertz in enumerate(pitches):
                columns = {"dataset": space, "index": str(index), "original_file": f"{index}"}
                clips.append(OriginalClip(f"{space}_{index}", tone(hertz, 0.2 + 0.03 * (index % 3)), columns))
            further[f"dissimilarity/{space}.csv"] = as_csv(apart)
            if name == "singing_techniques":
                further[f"raters/{space}.csv"] = as_csv(np.concatenate([apart, apart**2, apart**0.5]))
        table = ("file", "duration_s", "dataset", "index", "original_file")
        write_set(folder / f"{name}.tar", clips, table, further=further)


def test_from_rated_sets_to_findings(tmp_path: Path) -> None:
    write_rated_sets(tmp_path / "sets")
    arguments = ["--models", "logmel,untrained", "--untrained-seeds", "1", "--draws", "5", "--no-progress"]
    folders = ["--audio", str(tmp_path / "sets"), "--cache", str(tmp_path / "cache"), "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(command, ["--ratings", *arguments, *folders], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    numbers = pd.read_csv(tmp_path / "out" / "rsa_listeners.csv")
    assert set(numbers["set"]) == set(SPACES)
    values = numbers[numbers["reference"].isna()].set_index(["set", "model", "representation", "measure"])["value"]
    for name in SPACES:
        assert values[name, "descriptors", "clip", "anchor"] > 0.3  # pitch is one of the four
        assert {"block 1", "fc2", "learnt"} <= set(values[name, "untrained"].index.get_level_values(0))
    assert values["singing_techniques", "one against the rest", "listeners", "triangle"] == pytest.approx(1)
    pairs = numbers[(numbers["reference"] == "untrained clip") & (numbers["model"] == "logmel")]
    assert (pairs["low"] <= pairs["high"]).all() and len(pairs) == 3 * 3 * 2
    assert (tmp_path / "out" / "rsa_listeners.png").stat().st_size > 10000
    made = report(tmp_path / "out")
    assert made.sentences and "learnt metric" in " ".join(made.tables)

    # A model that is added later changes no row of the others.
    before = (tmp_path / "out" / "rsa_listeners.csv").read_text().splitlines()
    arguments[1] = "mfcc,untrained"
    done = CliRunner().invoke(command, ["--ratings", "--add", *arguments, *folders], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    after = (tmp_path / "out" / "rsa_listeners.csv").read_text().splitlines()
    new = [line for line in after if line not in before]
    assert [line for line in after if line in before] == before
    assert {line.split(",")[1] for line in new} == {"mfcc"} and any("untrained clip" in line for line in new)
    assert re.search(r"Completed at commit .*: mfcc\.", (tmp_path / "out" / "rsa_listeners.md").read_text())


@pytest.mark.parametrize(
    ("since", "message"),
    [
        ({"draws": 6}, "same draws, got 5 and 6"),
        ({"audio": {"a": "2"}}, "same audio, got"),
        ({"extractors": {"mfcc": ["2"], "yamnet": ["1"]}}, "mfcc, which others are compared with, has changed"),
        ({"extractors": {"yamnet": ["1"]}}, "compared with, mfcc"),
        ({"extractors": {"mfcc": ["1"]}}, "or another version of one, got mfcc"),
    ],
)
def test_what_cannot_be_compared_is_not_added(since: dict[str, Any], message: str) -> None:
    numbers = pd.DataFrame({"set": ["a"] * 2, "model": ["logmel"] * 2, "reference": [None, "mfcc clip"]})
    about = {"seed": 0, "draws": 5, "held": [], "audio": {"a": "1"}, "extractors": {"logmel": ["1"], "mfcc": ["1"]}}
    with pytest.raises(ValueError, match=message):
        check_models(numbers, about, {**about, **since})


def test_a_row_whose_model_has_changed_is_replaced() -> None:
    columns = {"set": ["a"] * 3, "reference": [None, None, "mfcc clip"]}
    old = pd.DataFrame({**columns, "model": ["mfcc", "small", "small"], "value": [0.1, 0.2, 0.3]})
    new = pd.DataFrame({**columns, "model": ["mfcc", "small", "small"], "value": [0.9, 0.4, 0.5]})
    about = {"seed": 0, "draws": 5, "held": [], "audio": {"a": "1"}, "notes": {"mfcc": "", "small": "small 1"}}
    about |= {"extractors": {"mfcc": ["1"], "small": ["1"]}, "command": "", "commit": "", "time": "", "hardware": ""}
    since = {**about, "notes": {"mfcc": "", "small": "small 2"}, "extractors": {"mfcc": ["1"], "small": ["2"]}}
    check_models(old, about, since)
    numbers, both = added((old, about), (new, since))
    assert numbers["value"].tolist() == [0.1, 0.4, 0.5]
    assert both["notes"]["small"] == "small 2" and both["extractors"]["small"] == ["2"]
    assert [each["models"] for each in both["added"]] == [["small"]]


def test_missing_sets_say_how_to_get_them(tmp_path: Path) -> None:
    arguments = ["--ratings", "--models", "logmel", "--audio", str(tmp_path), "--cache", str(tmp_path / "cache")]
    with pytest.raises(FileNotFoundError, match="fetch all -o FOLDER"):
        CliRunner().invoke(command, [*arguments, "-o", str(tmp_path)], catch_exceptions=False)
