"""Engines that compute the same network: PyTorch as the package uses it, torch.compile and ONNX Runtime.

Each is a network in the place of the package's own, so that the front end, the cuts and the pooling are the same.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from benchmark.speed.race import NotAvailable
from benchmark.speed.results import held
from byola_hear.models.encoders.protocol import InferenceEncoder
from byola_hear.models.frame_features import FrameFeatures
from byola_hear.models.model import ByolaModel
from byola_hear.models.precision import SlowPrecisionWarning

#: What each engine is, and the precision of the network that it replaces.
ENGINES = {
    "float32": ("PyTorch, float32", "float32"),
    "bfloat16": ("PyTorch, `--precision bfloat16`", "bfloat16"),
    "int8": ("PyTorch, `--precision int8`", "int8"),
    "compiled": ("torch.compile, float32", "float32"),
    "compiled_bfloat16": ("torch.compile, bfloat16", "bfloat16"),
    "onnx": ("ONNX Runtime, float32", "float32"),
}


class Engine:
    """A network in the form that :class:`~byola_hear.models.frame_features.FrameFeatures` runs.

    Args:
        network: the network that it stands for.
        features: ``(batch, n_frames, n_mels)`` to ``(batch, n, feature_size)``: all of it.
    """

    def __init__(self, network: InferenceEncoder, features: Callable[[Tensor], Tensor]) -> None:
        self.device, self.features = network.device, features

    def in_context(self, frames: Tensor) -> Tensor:
        """Compute the whole network."""
        return self.features(frames)

    def per_frame(self, hidden: Tensor) -> Tensor:
        """Nothing is left to compute."""
        return hidden


def form(model: ByolaModel, name: str) -> FrameFeatures:
    """The fast form of a model, with the network computed by an engine.

    Args:
        model: the model, in float32.
        name: a key of :data:`ENGINES`.

    Raises:
        NotAvailable: if the engine or the precision can't be had here.
    """
    try:
        found = _in_precision(model, ENGINES[name][1]).frame_features()
    except ValueError as error:
        raise NotAvailable(str(error)) from error
    if name.startswith("compiled"):
        found.network = Engine(found.network, _compiled(found.network))
    elif name == "onnx":
        found.network = Engine(found.network, _in_onnx_runtime(model))
    return found


def _in_precision(model: ByolaModel, precision: str) -> ByolaModel:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SlowPrecisionWarning)  # it is in the table
        return model.in_precision(precision)


def _compiled(network: InferenceEncoder) -> Callable[[Tensor], Tensor]:
    def features(frames: Tensor) -> Tensor:
        return network.per_frame(network.in_context(frames))

    compiled = torch.compile(features, dynamic=False)

    def run(frames: Tensor) -> Tensor:
        try:
            found: Tensor = compiled(frames)
        except Exception as error:  # PyTorch's errors here have no common class: no compiler, no Python.h, ...
            raise NotAvailable(f"can't be compiled here: {type(error).__name__}") from error
        return found

    return run


def _in_onnx_runtime(model: ByolaModel) -> Callable[[Tensor], Tensor]:
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise NotAvailable("not installed: pip install 'byola-hear[onnx]'") from error
    if held():
        raise NotAvailable("it can't be held to older instructions")
    from byola_hear.onnx.encoders import ENCODERS
    from byola_hear.onnx.graph import FLOAT, Graph

    graph, encoder = Graph(), model.encoder
    end = ENCODERS[encoder.config.kind](graph, "normalised", encoder)
    helper = onnx.helper
    taken = helper.make_tensor_value_info("normalised", FLOAT, ["batch", 1, encoder.config.n_mels, "frames"])
    given = helper.make_tensor_value_info(end, FLOAT, ["batch", "features", encoder.config.feature_size])
    made = helper.make_model(
        helper.make_graph(graph.nodes, "network", [taken], [given], graph.constants),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    # Otherwise its threads wait busily for more work, and their processor time is that of the engine after it.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    session = onnxruntime.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def run(frames: Tensor) -> Tensor:
        normalised: np.ndarray = np.ascontiguousarray(frames.transpose(1, 2).unsqueeze(1).numpy())
        return torch.from_numpy(session.run([end], {"normalised": normalised})[0])

    return run
