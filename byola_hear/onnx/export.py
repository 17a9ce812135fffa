"""The whole model as one ONNX file: waveforms to embeddings, front end included, for runtimes without torch.

The graph is written node by node, in plain operators that any runtime has, and says what
:class:`~byola_hear.models.model.ByolaModel` computes: clips reflected at their ends, log-mel, the network with its
batch norm folded in, a partial last frame pooled over what there is of it, maximum plus mean over the clip or over
a sliding window that is truncated at the clip's ends. Number and length of the clips are free; the clips of one
batch have one length.

The Fourier transform is made of matrix products: it is as exact as ONNX's own STFT, three times as fast in
onnxruntime, and runs where that does not. The graph sees a clip as a whole, so it takes memory in proportion to
its length: 190 MB a minute in the v2 shape.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from byola_hear.models.encoders.folded import FoldedEncoder
from byola_hear.models.model import ByolaModel
from byola_hear.onnx.graph import Graph, clip_pool, frame_features, log_mel, timestamps
from byola_hear.utils.files import replacing

if TYPE_CHECKING:
    import onnx

#: What the graph can give.
KINDS = ("scene", "timestamp")
#: Version of ONNX's operators, and of the file's form, that the graph is written in: old enough for most runtimes.
OPSET, IR_VERSION = 17, 8
#: Largest difference from torch that an exported file may have, relative to the largest number in an embedding. Both
#: compute in float32; where a loud sound leaves bands silent, each is that far from float64's result itself.
TOLERANCE = 1e-4
#: Lengths in samples, at 16 kHz, and clips a batch on which a file is compared with torch: a single sample, less
#: than a frame, partial frames, whole ones, and a minute.
CHECKS = ((1, 3), (2, 1), (159, 2), (160, 1), (511, 1), (1025, 2), (15999, 2), (16000, 4), (48321, 3), (960000, 1))


class OnnxError(RuntimeError):
    """An ONNX file that does not give what torch gives, or a library that is not there; the message says which."""


def export_onnx(model: ByolaModel, path: str | os.PathLike[str], kind: str = "scene") -> float:
    """Write a model as an ONNX file, compared with torch before it takes its name.

    The file has the input ``waveforms`` ``(batch, n_samples)`` float32 in [-1, 1] at the model's rate. Of kind
    ``"scene"`` its output is ``embeddings`` ``(batch, size)``; of kind ``"timestamp"``, ``embeddings``
    ``(batch, n_timestamps, size)`` and ``timestamps`` ``(batch, n_timestamps)`` in milliseconds, all float32.
    What the model is stands in the file's metadata: see :func:`onnx_metadata`.

    Args:
        model: the model.
        path: where to; an existing file is replaced.
        kind: ``"scene"`` or ``"timestamp"``.

    Returns:
        The largest difference from torch, as :func:`largest_difference` gives it, over clips of 1 sample to a minute.

    Raises:
        ValueError: if there is no such kind.
        OnnxError: if the ``onnx`` or ``onnxruntime`` package is missing, or the results differ by more than
            :data:`TOLERANCE`; nothing is written then.
        FileNotFoundError: if the folder does not exist.
    """
    content = to_onnx(model, kind).SerializeToString()
    generator = torch.Generator().manual_seed(0)
    rate = model.sample_rate / 16000
    with replacing(Path(path)) as stream:
        stream.write(content)
        stream.flush()
        session = open_session(stream.name)
        largest = 0.0
        for n_samples, batch in CHECKS:
            noise = torch.rand(batch, max(round(n_samples * rate), 1), generator=generator) * 2 - 1
            # From full scale down to next to nothing, since the log-mel of faint sounds is another number.
            noise *= torch.logspace(0, -4, batch)[:, None]
            largest = max(largest, largest_difference(model, session, kind, noise))
        if not largest <= TOLERANCE:
            raise OnnxError(
                f"{path} not written: onnxruntime's embeddings differ from torch's by {largest:.1e} of their largest "
                f"number, more than {TOLERANCE:.0e}"
            )
    return largest


def open_session(path: str | os.PathLike[str], threads: int | None = None) -> Any:
    """An ``onnxruntime.InferenceSession`` on the CPU.

    Args:
        path: an ONNX file.
        threads: to compute with; torch's number if None.

    Returns:
        The session.

    Raises:
        OnnxError: if the ``onnxruntime`` package is missing.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise OnnxError("running ONNX files needs onnxruntime: pip install 'byola-hear[onnx]'") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or torch.get_num_threads()
    return onnxruntime.InferenceSession(os.fspath(path), options, providers=["CPUExecutionProvider"])


def largest_difference(model: ByolaModel, session: Any, kind: str, waveforms: Tensor) -> float:
    """How far an ONNX file is from the model.

    Args:
        model: the model.
        session: the file's, from :func:`open_session`.
        kind: ``"scene"`` or ``"timestamp"``.
        waveforms: ``(batch, n_samples)`` float32.

    Returns:
        The largest difference of any number in any embedding, divided by that embedding's largest number. Infinity
        if shapes or timestamps differ, or something is not a number.
    """
    given = session.run(None, {"waveforms": waveforms.numpy()})
    if kind == "scene":
        expected = model.scene_embeddings(waveforms)
    else:
        expected, times = model.timestamp_embeddings(waveforms)
        # Timestamps are rounded once, here and there: they are equal or something is wrong.
        if not np.array_equal(given[1], times.cpu().numpy()):
            return float("inf")
    reference = expected.cpu().double().numpy()
    if given[0].shape != reference.shape or not np.isfinite(given[0]).all():
        return float("inf")
    scale = np.abs(reference).max(axis=-1, keepdims=True)
    return float((np.abs(given[0] - reference) / np.maximum(scale, np.finfo(np.float32).tiny)).max())


def onnx_metadata(model: ByolaModel, kind: str) -> dict[str, str]:
    """What an exported file says about itself, as ``onnxruntime``'s ``get_modelmeta().custom_metadata_map`` gives it.

    Returns:
        ``name``, ``version``, ``licence``, ``kind``, ``sample_rate`` (Hz), ``embedding_size``, ``frame_ms``,
        ``window_ms`` (timestamps only), ``fingerprint`` (of the model that it was made from) and ``config``, the
        whole configuration as JSON.
    """
    config = model.config
    frame_ms = 1000 * config.encoder.stride * config.frontend.hop_length / config.frontend.sample_rate
    data = {
        "name": config.name,
        "version": config.version,
        "licence": config.licence,
        "kind": kind,
        "sample_rate": str(model.sample_rate),
        "embedding_size": str(model.scene_embedding_size),
        "frame_ms": f"{frame_ms:g}",
        "fingerprint": model.fingerprint(),
        "config": json.dumps(config.to_dict(), sort_keys=True, allow_nan=False),
    }
    return data if kind == "scene" else {**data, "window_ms": f"{frame_ms * config.window_frames:g}"}


def to_onnx(model: ByolaModel, kind: str = "scene") -> onnx.ModelProto:
    """A model as an ONNX graph.

    Args:
        model: the model; its running statistics count, whatever mode it is in.
        kind: ``"scene"`` or ``"timestamp"``.

    Returns:
        The graph with weights and metadata, as described at :func:`export_onnx`.

    Raises:
        ValueError: if there is no such kind.
        OnnxError: if the ``onnx`` package is missing.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be 'scene' or 'timestamp', got {kind!r}")
    try:
        from onnx import TensorProto, checker, helper
    except ImportError as error:
        raise OnnxError("writing ONNX files needs onnx: pip install 'byola-hear[onnx]'") from error
    config, graph = model.config, Graph()
    frames = log_mel(graph, "waveforms", config.frontend)
    normalised = graph.add("Div", graph.add("Sub", frames, np.float32(config.mean)), np.float32(config.std))
    features = frame_features(graph, normalised, FoldedEncoder(model.encoder))
    size = model.scene_embedding_size
    given = helper.make_tensor_value_info("waveforms", TensorProto.FLOAT, ["batch", "n_samples"])
    if kind == "scene":
        outputs: dict[str, list[str | int | None]] = {"embeddings": ["batch", size]}
        names = [clip_pool(graph, features, size)]
    else:
        outputs = {"embeddings": ["batch", "n_timestamps", size], "timestamps": ["batch", "n_timestamps"]}
        names = timestamps(graph, features, "waveforms", config)
    for name, output in zip(names, outputs, strict=True):
        graph.nodes.append(helper.make_node("Identity", [name], [output]))
    proto = helper.make_model(
        helper.make_graph(
            graph.nodes,
            f"byola-{config.name}",
            [given],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
            graph.constants,
        ),
        producer_name="byola-hear",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    helper.set_model_props(proto, onnx_metadata(model, kind))
    checker.check_model(proto, full_check=True)
    return proto
