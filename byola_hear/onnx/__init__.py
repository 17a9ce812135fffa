"""Models as ONNX graphs, waveform to embedding, front end included."""

from byola_hear.onnx.export import (
    TOLERANCE,
    OnnxError,
    export_onnx,
    largest_difference,
    onnx_metadata,
    open_session,
    to_onnx,
)

__all__ = ["TOLERANCE", "OnnxError", "export_onnx", "largest_difference", "onnx_metadata", "open_session", "to_onnx"]
