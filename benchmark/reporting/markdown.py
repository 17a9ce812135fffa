"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Sequence

#: What stands in a table where nothing was measured.
NOTHING = "–"


def markdown(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table in Markdown, the first column to the left and the others to the right."""
    ruler = ["---", *("--:" for _ in header[1:])]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (header, ruler, *lines))
