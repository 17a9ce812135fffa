"""openSMILE ComParE 2016 (Schuller et al. 2016): 6373 hand-crafted functionals of a clip. For research only.

Timestamp embeddings are the 65 low-level descriptors, every 10 ms. A timestamp is the centre of the longest window,
which is 60 ms: 30 + 10 k ms. Clips below 60 ms are padded with zeros.
"""

from __future__ import annotations

from benchmark.baselines.contract import get_scene_embeddings, get_timestamp_embeddings
from benchmark.baselines.opensmile_features import OpenSmile, load_feature_set

__all__ = ["get_scene_embeddings", "get_timestamp_embeddings", "load_model"]


def load_model(model_file_path: str = "") -> OpenSmile:
    """Load ComParE 2016; see :func:`benchmark.baselines.opensmile_features.load_feature_set`."""
    return load_feature_set("ComParE_2016", model_file_path)
