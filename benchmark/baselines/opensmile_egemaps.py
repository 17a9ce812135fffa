"""openSMILE eGeMAPS (Eyben et al. 2016): 88 hand-crafted functionals of voice acoustics of a clip. For research only.

Timestamp embeddings are the 25 low-level descriptors, every 10 ms. A timestamp is the centre of the longest window,
which is 60 ms: 30 + 10 k ms. Clips below 60 ms are padded with zeros.
"""

from __future__ import annotations

from benchmark.baselines.contract import get_scene_embeddings, get_timestamp_embeddings
from benchmark.baselines.opensmile_features import OpenSmile, load_feature_set

__all__ = ["get_scene_embeddings", "get_timestamp_embeddings", "load_model"]


def load_model(model_file_path: str = "") -> OpenSmile:
    """Load eGeMAPS; see :func:`benchmark.baselines.opensmile_features.load_feature_set`."""
    return load_feature_set("eGeMAPSv02", model_file_path)
