"""ONNX graphs under construction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import onnx

#: The codes of three types in ONNX.
FLOAT, INTEGER, DOUBLE = 1, 7, 11


class Graph:
    """The nodes and constants of a graph under construction. Values are referred to by their names."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, operator: str, *inputs: str | NDArray[Any] | np.generic, **attributes: Any) -> str:
        """Append a node with one output.

        Args:
            operator: ONNX's name of the operator.
            *inputs: names of values, or arrays, which become constants.
            **attributes: the operator's attributes.

        Returns:
            The output's name.
        """
        from onnx import helper

        name = f"{operator.lower()}_{len(self.nodes)}"
        names = [value if isinstance(value, str) else self._constant(np.asarray(value)) for value in inputs]
        self.nodes.append(helper.make_node(operator, names, [name], **attributes))
        return name

    def _constant(self, value: NDArray[Any]) -> str:
        from onnx import numpy_helper

        if value.dtype.kind == "i":  # some platforms' default integers are 32 bits long
            value = value.astype(np.int64)
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value).reshape(value.shape), name))
        return name


def n_samples_of(graph: Graph, waveforms: str) -> str:
    """The clips' length: a scalar, of waveforms ``(batch, n_samples)``."""
    return graph.add("Squeeze", graph.add("Shape", waveforms, start=1, end=2))
