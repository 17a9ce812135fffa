"""Models as ONNX graphs, waveform to embedding, front end included."""

from byola_hear.onnx.export import export_onnx, open_session, to_onnx

__all__ = ["export_onnx", "open_session", "to_onnx"]
