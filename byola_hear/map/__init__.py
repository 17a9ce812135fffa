"""A map of a collection: one HTML page, to look at and to listen to, that needs no network."""

from __future__ import annotations

from byola_hear.map.labels import folder_labels, read_labels
from byola_hear.map.page import LAYOUTS, write_map

__all__ = ["LAYOUTS", "folder_labels", "read_labels", "write_map"]
