"""The page: the table, domain advantage, confusions and maps of a comparison, with sounds, in one HTML file."""

from __future__ import annotations

from benchmark.comparison.page.build import page_bytes
from benchmark.comparison.page.sections import Section, load_section

__all__ = ["Section", "load_section", "page_bytes"]
