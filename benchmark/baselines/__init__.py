"""The baselines that the networks are compared with, each a module with HEAR's API.

``benchmark.baselines.NAME`` has ``load_model(model_file_path="")``, ``get_scene_embeddings`` and
``get_timestamp_embeddings``, so HEAR's tools can use it from the checkout's folder::

    PYTHONPATH=. hear-validator benchmark.baselines.logmel
    python -m heareval.embeddings.runner benchmark.baselines.logmel --tasks-dir tasks

Each baseline embeds clips independently, accepts clips of one sample or more, and needs its packages and weights only
when it is loaded. If something is missing, it raises :class:`~benchmark.baselines.weights.Unavailable`, which says
what and how to get it. Only those in ``UNTRAINED`` ever use random weights.
"""

from __future__ import annotations

import importlib
from types import ModuleType

#: Names of the baselines, which are modules of this package, in a table's order.
BASELINES = (
    "logmel",
    "mfcc",
    "untrained",
    "untrained_transformer",
    "yamnet",
    "vggish",
    "wav2vec2",
    "whisper_tiny",
    "whisper_base",
    "crepe",
    "crepe_tiny",
    "resemblyzer",
    "musicnn",
    "opensmile_egemaps",
    "opensmile_compare",
)

#: The project's own networks with random weights, in one shape each.
UNTRAINED = ("untrained", "untrained_transformer")


def baseline(name: str) -> ModuleType:
    """The module of a baseline.

    Args:
        name: one of ``BASELINES``.

    Returns:
        A module with HEAR's API.

    Raises:
        ValueError: if there is no such baseline.

    Example:
        >>> baseline("logmel").load_model().scene_embedding_size
        128
    """
    if name not in BASELINES:
        raise ValueError(f"expected a baseline out of {', '.join(BASELINES)}, got {name!r}")
    return importlib.import_module(f"{__name__}.{name}")
