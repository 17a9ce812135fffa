"""A map of a collection: one HTML page to look at and to listen to. It works offline."""

from __future__ import annotations

from byola_hear.analysis.map.labels import clip_labels, folder_labels
from byola_hear.analysis.map.page import LAYOUTS, write_map

__all__ = ["LAYOUTS", "clip_labels", "folder_labels", "write_map"]
