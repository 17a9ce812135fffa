"""BYOL for Audio embeddings of any sound, as a HEAR module.

>>> import torch
>>> import byola_hear
>>> model = byola_hear.load_model("speech")  # doctest: +SKIP
>>> byola_hear.get_scene_embeddings(torch.zeros(1, 16000), model).shape  # doctest: +SKIP
torch.Size([1, 3072])
"""

from __future__ import annotations

from byola_hear.dataframe import embed, read_table
from byola_hear.hear import get_scene_embeddings, get_timestamp_embeddings, load_model
from byola_hear.zoo import describe_model, list_models

__version__ = "0.5.0"

__all__ = [
    "__version__",
    "describe_model",
    "embed",
    "get_scene_embeddings",
    "get_timestamp_embeddings",
    "list_models",
    "load_model",
    "read_table",
]
