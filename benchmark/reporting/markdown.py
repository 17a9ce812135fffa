"""Markdown tables of results."""

from __future__ import annotations

from byola_hear.utils.markdown import markdown_table as markdown

__all__ = ["NOTHING", "markdown"]

#: The content of a cell without a value.
NOTHING = "–"
