"""A classifier with its network as one ONNX file: from a waveform to the scores of its windows."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from byola_hear.classification.classifier import Classifier
from byola_hear.extraction.clips import Clip
from byola_hear.extraction.extract import extract_waveforms
from byola_hear.extraction.request import request_for
from byola_hear.extraction.rows import Rows
from byola_hear.models.model import ByolaModel
from byola_hear.onnx.export import (
    WAVEFORMS,
    OnnxError,
    assembled,
    features_of,
    onnx_metadata,
    open_session,
    shortened,
)
from byola_hear.onnx.graph import Graph
from byola_hear.onnx.pooling import windows
from byola_hear.utils.files import replacing

if TYPE_CHECKING:
    import onnx

#: Largest difference of a score, from 0 to 1, from the classifier's own.
TOLERANCE = 1e-3
#: Clips on which a file is compared: their lengths in windows.
CHECKS = (0.01, 0.4, 1.0, 1.3, 2.75, 6.0)


def export_classifier(model: ByolaModel, classifier: Classifier, path: str | os.PathLike[str]) -> float:
    """Write a classifier with its network as an ONNX file, after comparing its scores with the classifier's own.

    The file's input is ``waveforms`` ``(batch, n_samples)``, float32 in [-1, 1] at the model's sampling rate. Its
    windows are those of :func:`byola_hear.predict` on a whole recording. The outputs are ``scores`` ``(batch,
    n_windows, n_classes)`` from 0 to 1, and ``starts`` and ``ends`` ``(n_windows,)`` in seconds, all float32. The
    file's metadata describes them, see :func:`classifier_metadata`.

    Args:
        model: the classifier's network.
        classifier: the classifier.
        path: the file; an existing one is replaced.

    Returns:
        The largest difference of a score from the classifier's own, over clips from a hundredth of a window to six.

    Raises:
        ValueError: if the network is not the classifier's, or its windows are shorter than a frame.
        OnnxError: if the ``onnx`` or ``onnxruntime`` package is missing, the model cannot be exported, or the scores
            differ by more than 0.001. Nothing is written then.
        FileNotFoundError: if the folder does not exist.
    """
    content = classifier_to_onnx(model, classifier).SerializeToString()
    generator = torch.Generator().manual_seed(0)
    plain: dict[str, Any] = {"dtype": torch.float32, "device": "cpu"}
    largest = 0.0
    with replacing(Path(path)) as stream:
        stream.write(content)
        stream.flush()
        session = open_session(stream.name)
        for n_windows in CHECKS:
            n_samples = max(1, round(n_windows * classifier.window * model.sample_rate))
            noise = torch.rand(2, n_samples, generator=generator, **plain) * 2 - 1
            noise *= torch.tensor([[1.0], [1e-3]], **plain)
            largest = max(largest, largest_difference(model, classifier, session, noise))
        if not largest <= TOLERANCE:
            raise OnnxError(
                f"{path} not written: onnxruntime's scores differ from the classifier's by {largest:.1e}, more than "
                f"{TOLERANCE:.0e}"
            )
    return largest


def largest_difference(model: ByolaModel, classifier: Classifier, session: Any, waveforms: Tensor) -> float:
    """Compute how far an ONNX file's scores are from the classifier's own.

    Args:
        model: the classifier's network.
        classifier: the classifier.
        session: the file's session, from :func:`byola_hear.onnx.open_session`.
        waveforms: ``(batch, n_samples)`` float32.

    Returns:
        The largest difference of a score. Infinity if the windows differ, or a score is not a number.
    """
    scores, starts, ends = session.run(["scores", "starts", "ends"], {WAVEFORMS: waveforms.numpy()})
    largest = 0.0
    for given, waveform in zip(scores, waveforms, strict=True):
        start, end, expected = own_scores(model, classifier, waveform)
        if given.shape != expected.shape or not np.isfinite(given).all():
            return float("inf")
        if not (np.allclose(starts, start, atol=1e-5) and np.allclose(ends, end, atol=1e-5)):
            return float("inf")
        largest = max(largest, float(np.abs(given - expected).max()))
    return largest


def own_scores(
    model: ByolaModel, classifier: Classifier, waveform: Tensor
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float32]]:
    """Starts and ends of a waveform's windows, s, and their scores, as :func:`byola_hear.predict` computes them."""
    request = request_for(model, "scene", classifier.window, classifier.hop)
    events = extract_waveforms([(Clip("0"), waveform)], model, request)
    parts = [(each.start, each.end, classifier.scores(each.embeddings)) for each in events if isinstance(each, Rows)]
    start, end, scores = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return start, end, scores


def classifier_metadata(model: ByolaModel, classifier: Classifier) -> dict[str, str]:
    """Describe a classifier for an exported file: ``onnxruntime``'s ``get_modelmeta().custom_metadata_map``.

    Args:
        model: its network.
        classifier: the classifier.

    Returns:
        The entries of :func:`byola_hear.onnx.onnx_metadata` with the kind ``"classifier"``, and ``classes``,
        ``thresholds`` (those of the best F1, in the classes' order), ``window`` and ``hop`` (s), all JSON.
    """
    return {
        **onnx_metadata(model, "scene"),
        "kind": "classifier",
        "classes": json.dumps(classifier.classes),
        "thresholds": json.dumps([round(each.best_f1, 6) for each in classifier.operating]),
        "window": json.dumps(classifier.window),
        "hop": json.dumps(classifier.hop),
    }


def classifier_to_onnx(model: ByolaModel, classifier: Classifier) -> onnx.ModelProto:
    """Convert a classifier with its network to an ONNX graph.

    Args:
        model: the classifier's network.
        classifier: the classifier.

    Returns:
        The graph with weights and metadata, as described at :func:`export_classifier`.

    Raises:
        ValueError: if the network is not the classifier's, or its windows are shorter than a frame.
        OnnxError: if the ``onnx`` package is missing, or the model cannot be exported.
    """
    what = f"{model.config.name} {model.config.version}"
    classifier.network.check(model.fingerprint(), what, model.scene_embedding_size)
    graph, features = features_of(model)
    rate = model.sample_rate
    pooled, starts, ends = windows(
        graph, features, WAVEFORMS, model.config, classifier.window * rate, classifier.hop * rate
    )
    scores = _head(graph, shortened(graph, pooled, model), classifier)
    outputs: dict[str, tuple[str, list[str | int]]] = {
        "scores": (scores, ["batch", "n_windows", len(classifier.classes)]),
        "starts": (starts, ["n_windows"]),
        "ends": (ends, ["n_windows"]),
    }
    return assembled(graph, f"byola-{model.config.name}-classifier", outputs, classifier_metadata(model, classifier))


def _head(graph: Graph, embeddings: str, classifier: Classifier) -> str:
    """Append :meth:`byola_hear.classification.classifier.Classifier.scores`."""
    limited = graph.add("Min", graph.add("Max", embeddings, classifier.low), classifier.high)
    if classifier.method == "logistic":
        logits = graph.add("Add", graph.add("MatMul", limited, classifier.weight.T), classifier.bias)
        return graph.add("Sigmoid", logits)
    centred = graph.add("Sub", limited, classifier.centre)
    norms = graph.add("Max", graph.add("ReduceL2", centred, axes=[-1], keepdims=1), np.float32(1e-12))
    cosines = graph.add("MatMul", graph.add("Div", centred, norms), classifier.weight.T)
    return graph.add(
        "Clip", graph.add("Div", graph.add("Add", cosines, np.float32(1)), np.float32(2)), np.float32(0), np.float32(1)
    )
