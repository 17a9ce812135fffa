"""Classifiers as files: the same comes back, and what is not one is refused."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from byola_hear.classification.file import FORMAT, ClassifierError, load_classifier, save_classifier
from tests.classification.made import classifier


def test_round_trip(tmp_path: Path) -> None:
    made = classifier(classes=("Kleiner Kauz", 'tab\t"quote"'))
    path = tmp_path / "calls.safetensors"
    save_classifier(path, made)
    read = load_classifier(path)
    for name in ("weight", "bias", "centre", "low", "high"):
        assert np.array_equal(getattr(read, name), getattr(made, name))
    for name in ("classes", "operating", "method", "window", "hop", "network", "about"):
        assert getattr(read, name) == getattr(made, name)
    save_classifier(tmp_path / "again.safetensors", read)
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_nothing_is_written_where_it_can_not_be_read_back(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        save_classifier(tmp_path / "calls.safetensors", classifier(about={"f1": float("nan")}))
    assert not list(tmp_path.iterdir())


def changed(tmp_path: Path, header: dict[str, Any] | None = None, tensors: dict[str, np.ndarray] | None = None) -> Path:
    """A file with some values replaced."""
    path = tmp_path / "calls.safetensors"
    save_classifier(path, classifier())
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    found = json.loads(json.loads(content[8 : 8 + length])["__metadata__"][FORMAT])
    arrays = safetensors.numpy.load(content)
    path.write_bytes(
        safetensors.numpy.save({**arrays, **(tensors or {})}, {FORMAT: json.dumps({**found, **(header or {})})})
    )
    return path


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"format_version": 2}, "expected classifier format version 1, got 2"),
        ({"classes": ["a", "b", "c"]}, "damaged classifier"),
        ({"classes": 3}, "damaged classifier"),
        ({"operating": [[0.5, [[0.1]]], [0.5, []]]}, "damaged classifier"),
        ({"network": {"source": "both"}}, "damaged classifier"),
        ({"network": {"source": "both", "label": 1, "fingerprint": "", "size": 4}}, "unusable description"),
        ({"window": "long"}, "damaged classifier"),
        ({"window": -1}, "window must be a positive number"),
        ({"method": "pickle"}, "expected the method logistic or cosine"),
    ],
)
def test_a_damaged_header_is_refused(tmp_path: Path, header: dict[str, Any], message: str) -> None:
    with pytest.raises(ClassifierError, match=message) as raised:
        load_classifier(changed(tmp_path, header))
    assert "calls.safetensors: " in str(raised.value) and "\n" not in str(raised.value)


def test_damaged_tensors_are_refused(tmp_path: Path) -> None:
    for tensors, message in (
        ({"weight": np.zeros((2, 5), np.float32)}, "expected weight as float32"),
        ({"low": np.full(4, np.inf, np.float32)}, "low holds NaN or infinite"),
        ({"stranger": np.zeros(1, np.float32)}, "expected the tensors"),
    ):
        with pytest.raises(ClassifierError, match=message):
            load_classifier(changed(tmp_path, tensors=tensors))


def test_what_is_no_classifier_is_refused(tmp_path: Path, repository: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_classifier(path, classifier())
    content = path.read_bytes()
    contents = [b"", b"short", content[:-3], content[:200], pickle.dumps([1, 2]), b"\xff" * 100]
    contents.append(safetensors.numpy.save({"weight": np.zeros(1, np.float32)}))
    for content in contents:
        path.write_bytes(content)
        with pytest.raises(ClassifierError, match="classifier"):
            load_classifier(path)
    with pytest.raises(FileNotFoundError, match=r"no such classifier: .*nowhere\.safetensors"):
        load_classifier(tmp_path / "nowhere.safetensors")
    with pytest.raises(ValueError, match="expected a classifier, got the folder"):
        load_classifier(tmp_path)
    network = repository / "weights" / "byola-both.safetensors"
    with pytest.raises(ClassifierError, match="not a classifier: .*it is a network"):
        load_classifier(network)
