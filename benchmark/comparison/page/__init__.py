"""The page: table, domain advantage, confusions and maps of a comparison, in one file to look at and to listen to."""

from __future__ import annotations

from benchmark.comparison.page.build import page_bytes
from benchmark.comparison.page.sections import Section, load_section

__all__ = ["Section", "load_section", "page_bytes"]
