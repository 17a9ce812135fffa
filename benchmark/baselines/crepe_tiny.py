"""CREPE tiny: like :mod:`benchmark.baselines.crepe`, but with 256 dimensions, and twenty times as fast."""

from __future__ import annotations

from benchmark.baselines.contract import get_scene_embeddings, get_timestamp_embeddings
from benchmark.baselines.crepe import Crepe, load_crepe

__all__ = ["get_scene_embeddings", "get_timestamp_embeddings", "load_model"]


def load_model(model_file_path: str = "") -> Crepe:
    """Load the smallest CREPE; see :func:`benchmark.baselines.crepe.load_crepe`."""
    return load_crepe("tiny", model_file_path)
