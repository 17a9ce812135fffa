"""BYOL for Audio embeddings of any sound, as a HEAR module.

>>> import torch
>>> import byola_hear
>>> model = byola_hear.load_model("speech")  # doctest: +SKIP
>>> byola_hear.get_scene_embeddings(torch.zeros(1, 16000), model).shape  # doctest: +SKIP
torch.Size([1, 3072])
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from byola_hear.audio import AudioFileError
    from byola_hear.classification.file import ClassifierError
    from byola_hear.classification.predicting import predict
    from byola_hear.dataframe import embed, read_table
    from byola_hear.extraction.clips import Clip
    from byola_hear.finetuning.finetune import finetune
    from byola_hear.hear import get_scene_embeddings, get_timestamp_embeddings, load_model
    from byola_hear.hub import HubError
    from byola_hear.models.checkpoint import CheckpointError
    from byola_hear.models.zoo import describe_model, list_models
    from byola_hear.query import search
    from byola_hear.ray import ClusterError
    from byola_hear.tables import TableError

__version__ = "0.7.0"

__all__ = [
    "AudioFileError",
    "CheckpointError",
    "ClassifierError",
    "Clip",
    "ClusterError",
    "HubError",
    "TableError",
    "__version__",
    "describe_model",
    "embed",
    "finetune",
    "get_scene_embeddings",
    "get_timestamp_embeddings",
    "list_models",
    "load_model",
    "predict",
    "read_table",
    "search",
]

_MODULES = {
    "AudioFileError": "audio",
    "CheckpointError": "models.checkpoint",
    "ClassifierError": "classification.file",
    "Clip": "extraction.clips",
    "ClusterError": "ray",
    "HubError": "hub",
    "TableError": "tables",
    "describe_model": "models.zoo",
    "embed": "dataframe",
    "finetune": "finetuning.finetune",
    "get_scene_embeddings": "hear",
    "get_timestamp_embeddings": "hear",
    "list_models": "models.zoo",
    "load_model": "hear",
    "predict": "classification.predicting",
    "read_table": "dataframe",
    "search": "query",
}


def __getattr__(name: str) -> Any:
    # With torch, which takes seconds, only once something is asked for: `byola-hear --help` needs none of it.
    if name == "labels":
        return import_module(f"{__name__}.{name}")
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
