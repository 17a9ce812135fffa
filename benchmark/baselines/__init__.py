"""What the networks are compared with, each a module that speaks HEAR's API.

``benchmark.baselines.NAME`` has ``load_model(model_file_path="")``, ``get_scene_embeddings`` and
``get_timestamp_embeddings``, so that HEAR's tools take it, from the checkout's folder::

    PYTHONPATH=. hear-validator benchmark.baselines.logmel
    python -m heareval.embeddings.runner benchmark.baselines.logmel --tasks-dir tasks

Every one embeds each clip by itself, any clip from one sample on, and needs what it needs (packages, weights) only
when it is loaded. One that lacks something raises :class:`~benchmark.baselines.contract.Unavailable`, which says what
and how to get it; no embedding ever comes from random weights, but for ``untrained``, whose name says so.
"""

from __future__ import annotations

import importlib
from types import ModuleType

#: The baselines, each the name of a module here, in a table's order.
BASELINES = (
    "logmel",
    "mfcc",
    "untrained",
    "yamnet",
    "vggish",
    "wav2vec2",
    "whisper_tiny",
    "crepe",
    "crepe_tiny",
    "resemblyzer",
    "opensmile_egemaps",
    "opensmile_compare",
)


def baseline(name: str) -> ModuleType:
    """The module of a baseline.

    Args:
        name: out of ``BASELINES``.

    Returns:
        A module that speaks HEAR's API.

    Raises:
        ValueError: if there is no such baseline.

    Example:
        >>> baseline("logmel").load_model().scene_embedding_size
        128
    """
    if name not in BASELINES:
        raise ValueError(f"expected a baseline out of {', '.join(BASELINES)}, got {name!r}")
    return importlib.import_module(f"{__name__}.{name}")
