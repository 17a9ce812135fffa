"""Exports a whole model as one ONNX file: waveforms to embeddings, front end included, for runtimes without torch.

The graph is written node by node, in plain operators that any runtime supports, and computes the same as
:class:`~byola_hear.models.model.ByolaModel`: reflection at the clips' ends, log-mel, the network with its batch norm
folded in, and the pooling over clips or over a sliding window. The number and the length of clips are free, but all
clips of a batch have the same length.

The graph processes a clip as a whole, so its memory grows with the clip's length: 190 MB per minute in the v2 shape.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from byola_hear.models.model import ByolaModel
from byola_hear.onnx.encoders import ENCODERS
from byola_hear.onnx.frontend import log_mel
from byola_hear.onnx.graph import Graph
from byola_hear.onnx.pooling import COMBINATIONS, clip_pool, timestamps
from byola_hear.utils.files import replacing
from byola_hear.utils.optional import advice, lack

if TYPE_CHECKING:
    import onnx

#: Kinds of embeddings that a graph can output.
KINDS = ("scene", "timestamp")
#: Name of a graph's input.
WAVEFORMS = "waveforms"
#: Versions of ONNX's operators and of its file format: old enough for most runtimes.
OPSET, IR_VERSION = 17, 8
#: Largest difference from torch that an exported file may have, relative to the largest value of an embedding. Both
#: compute in float32. Where a loud sound leaves bands silent, each differs by as much from the result in float64.
TOLERANCE = 1e-4
#: Clips on which a file is compared with torch: their length in samples at 16 kHz, and their number. A single sample,
#: less than a frame, incomplete frames, whole frames, and a minute.
CHECKS = ((1, 3), (2, 1), (159, 2), (160, 1), (511, 1), (1025, 2), (15999, 2), (16000, 4), (48321, 3), (960000, 1))


class OnnxError(RuntimeError):
    """A model cannot be exported or run: the results differ from torch's, or a package is missing."""


def export_onnx(model: ByolaModel, path: str | os.PathLike[str], kind: str = "scene") -> float:
    """Write a model as an ONNX file, after comparing its results with torch's.

    The file's input is ``waveforms`` ``(batch, n_samples)``, float32 in [-1, 1] at the model's sampling rate. The
    output of kind ``"scene"`` is ``embeddings`` ``(batch, size)``. The outputs of kind ``"timestamp"`` are
    ``embeddings`` ``(batch, n_timestamps, size)`` and ``timestamps`` ``(batch, n_timestamps)`` in milliseconds. All are
    float32. The file's metadata describes the model: see :func:`onnx_metadata`.

    Args:
        model: the model.
        path: the file; an existing one is replaced.
        kind: ``"scene"`` or ``"timestamp"``.

    Returns:
        The largest difference from torch, as computed by :func:`largest_difference`, over clips of 1 sample to a
        minute.

    Raises:
        ValueError: if there is no such kind.
        OnnxError: if the ``onnx`` or ``onnxruntime`` package is missing, the model's kind of encoder cannot be
            exported, or the results differ by more than :data:`TOLERANCE`. Nothing is written then.
        FileNotFoundError: if the folder does not exist.

    Example:
        >>> export_onnx(model, "speech.onnx")  # doctest: +SKIP
        1.3e-06
    """
    content = to_onnx(model, kind).SerializeToString()
    generator = torch.Generator().manual_seed(0)
    plain: dict[str, Any] = {"dtype": torch.float32, "device": "cpu"}
    rate = model.sample_rate / 16000
    with replacing(Path(path)) as stream:
        stream.write(content)
        stream.flush()
        session = open_session(stream.name)
        largest = 0.0
        for n_samples, batch in CHECKS:
            noise = torch.rand(batch, max(round(n_samples * rate), 1), generator=generator, **plain) * 2 - 1
            # From full scale down to nearly silent: the logarithm makes faint sounds the harder test.
            noise *= torch.logspace(0, -4, batch, **plain)[:, None]
            largest = max(largest, largest_difference(model, session, kind, noise))
        if not largest <= TOLERANCE:
            raise OnnxError(
                f"{path} not written: onnxruntime's embeddings differ from torch's by {largest:.1e} of their largest "
                f"value, more than {TOLERANCE:.0e}"
            )
    return largest


def open_session(path: str | os.PathLike[str], threads: int | None = None) -> Any:
    """Open an ONNX file as an ``onnxruntime.InferenceSession`` on the CPU.

    Args:
        path: an ONNX file.
        threads: number of threads; torch's number if None.

    Returns:
        The session.

    Raises:
        OnnxError: if the ``onnxruntime`` package is missing.
    """
    try:
        import onnxruntime
    except Exception as error:
        needed = advice(error, "onnxruntime", "the onnxruntime package", "onnx")
        raise OnnxError(f"running ONNX files needs {needed}") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or torch.get_num_threads()
    return onnxruntime.InferenceSession(_model_argument(path), options, providers=["CPUExecutionProvider"])


def _model_argument(path: str | os.PathLike[str]) -> str | bytes:
    """A file as onnxruntime takes it: its name or, because names must be UTF-8 there, the content of any other file."""
    name = os.fspath(path)
    try:
        name.encode()
    except UnicodeEncodeError:
        return Path(path).read_bytes()
    return name


def largest_difference(model: ByolaModel, session: Any, kind: str, waveforms: Tensor) -> float:
    """Compute how far an ONNX file's results are from the model's.

    Args:
        model: the model.
        session: the file's session, from :func:`open_session`.
        kind: ``"scene"`` or ``"timestamp"``.
        waveforms: ``(batch, n_samples)`` float32.

    Returns:
        The largest difference of any value in any embedding, divided by the largest value of that embedding. Infinity
        if shapes or timestamps differ, or a value is not finite.
    """
    given = session.run(None, {"waveforms": waveforms.numpy()})
    if kind == "scene":
        expected = model.scene_embeddings(waveforms)
    else:
        expected, times = model.timestamp_embeddings(waveforms)
        # Timestamps are rounded once, in torch and in ONNX, so they must be equal.
        if not np.array_equal(given[1], times.cpu().numpy()):
            return float("inf")
    reference = expected.cpu().double().numpy()
    if given[0].shape != reference.shape or not np.isfinite(given[0]).all():
        return float("inf")
    scale = np.abs(reference).max(axis=-1, keepdims=True)
    return float((np.abs(given[0] - reference) / np.maximum(scale, np.finfo(np.float32).tiny)).max())


def onnx_metadata(model: ByolaModel, kind: str) -> dict[str, str]:
    """Describe a model for an exported file: ``onnxruntime``'s ``get_modelmeta().custom_metadata_map``.

    Args:
        model: the model.
        kind: ``"scene"`` or ``"timestamp"``.

    Returns:
        ``name``, ``version``, ``licence``, ``kind``, ``sample_rate`` (Hz), ``embedding_size``, ``frame_ms``,
        ``fingerprint`` (of the model), ``config`` (the whole configuration as JSON) and, for timestamps, ``window_ms``.
    """
    config = model.config
    data = {
        "name": config.name,
        "version": config.version,
        "licence": config.licence,
        "kind": kind,
        "sample_rate": str(model.sample_rate),
        "embedding_size": str(model.scene_embedding_size),
        "frame_ms": f"{config.frame_ms:g}",
        "fingerprint": model.fingerprint(),
        "config": json.dumps(config.to_dict(), sort_keys=True, allow_nan=False),
    }
    return data if kind == "scene" else {**data, "window_ms": f"{config.frame_ms * config.window_frames:g}"}


def shortened(graph: Graph, pooled: str, model: ByolaModel) -> str:
    """Append the model's directions, if it has some.

    Args:
        graph: the graph.
        pooled: name of whole embeddings ``(..., feature_size)``.
        model: the model.

    Returns:
        Name of the embeddings ``(..., size)``.
    """
    if (directions := model.directions) is None:
        return pooled
    mean, axes, scale = (each.cpu().numpy() for each in (directions.mean, directions.axes, directions.scale))
    return graph.add("Mul", graph.add("MatMul", graph.add("Sub", pooled, mean), axes), scale)


def to_onnx(model: ByolaModel, kind: str = "scene") -> onnx.ModelProto:
    """Convert a model to an ONNX graph.

    Args:
        model: the model; it runs as in evaluation mode, whatever mode it is in.
        kind: ``"scene"`` or ``"timestamp"``.

    Returns:
        The graph with weights and metadata, as described at :func:`export_onnx`.

    Raises:
        ValueError: if there is no such kind.
        OnnxError: if the ``onnx`` package is missing, or the model's encoder or pooling cannot be exported.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be 'scene' or 'timestamp', got {kind!r}")
    graph, features = features_of(model)
    size = model.scene_embedding_size
    outputs: dict[str, tuple[str, list[str | int]]]
    if kind == "scene":
        pooled = clip_pool(graph, features, model.config)
        outputs = {"embeddings": (shortened(graph, pooled, model), ["batch", size])}
    else:
        pooled, times = timestamps(graph, features, WAVEFORMS, model.config)
        outputs = {
            "embeddings": (shortened(graph, pooled, model), ["batch", "n_timestamps", size]),
            "timestamps": (times, ["batch", "n_timestamps"]),
        }
    return assembled(graph, f"byola-{model.config.name}", outputs, onnx_metadata(model, kind))


def features_of(model: ByolaModel) -> tuple[Graph, str]:
    """Begin a graph with a model's front end and network.

    Args:
        model: the model.

    Returns:
        The graph, whose input is called :data:`WAVEFORMS`, and the name of the frame features ``(batch, n_features,
        feature_size)``.

    Raises:
        OnnxError: if the ``onnx`` package is missing, or the model's encoder, pooling or precision cannot be exported.
    """
    config, graph = model.config, Graph()
    if config.encoder.kind not in ENCODERS or config.pooling not in COMBINATIONS:
        got = f"encoder {config.encoder.kind!r} and pooling {config.pooling!r}"
        raise OnnxError(
            f"{config.name} cannot be exported: expected an encoder of kind {' or '.join(map(repr, ENCODERS))} "
            f"and pooling {' or '.join(map(repr, COMBINATIONS))}, got {got}"
        )
    if model.precision != "float32":
        raise OnnxError(f"{config.name} cannot be exported in {model.precision}: expected a model in float32")
    needed = lack("onnx", "the onnx package", "onnx")
    if needed:
        raise OnnxError(f"writing ONNX files needs {needed}")
    frames = log_mel(graph, WAVEFORMS, config.frontend)
    normalised = graph.add("Div", graph.add("Sub", frames, np.float32(config.mean)), np.float32(config.std))
    return graph, ENCODERS[config.encoder.kind](graph, normalised, model.encoder)


def assembled(
    graph: Graph, name: str, outputs: Mapping[str, tuple[str, Sequence[str | int]]], metadata: dict[str, str]
) -> onnx.ModelProto:
    """Complete a graph that takes waveforms.

    Args:
        graph: the graph.
        name: its name.
        outputs: names of the outputs, and for each the name of the value and its shape; all are float32.
        metadata: entries of the file's metadata.

    Returns:
        The graph with weights and metadata.
    """
    from onnx import TensorProto, checker, helper

    given = helper.make_tensor_value_info(WAVEFORMS, TensorProto.FLOAT, ["batch", "n_samples"])
    for output, (value, _) in outputs.items():
        graph.nodes.append(helper.make_node("Identity", [value], [output]))
    infos = [helper.make_tensor_value_info(each, TensorProto.FLOAT, shape) for each, (_, shape) in outputs.items()]
    proto = helper.make_model(
        helper.make_graph(graph.nodes, name, [given], infos, graph.constants),
        producer_name="byola-hear",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    helper.set_model_props(proto, metadata)
    checker.check_model(proto, full_check=True)
    return proto
