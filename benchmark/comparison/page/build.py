"""The page's data, and the file made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmark.comparison.caption import caption
from benchmark.comparison.cells import cell_texts
from benchmark.comparison.comparison import Comparison
from benchmark.comparison.document import Document
from benchmark.comparison.folder import DOMAINS
from benchmark.comparison.page.confusion import confusions
from benchmark.comparison.page.sections import Section
from benchmark.comparison.text import unescaped
from byola_hear.utils.html_file import html_file

#: The scripts, in order; they run as one.
SCRIPTS = ("common.js", "table.js", "advantage.js", "confusion.js", "map.js", "sections.js")


def page_bytes(
    comparison: Comparison,
    document: Document,
    maps: Mapping[str, Any] | None = None,
    sections: Sequence[Section] = (),
) -> bytes:
    """Build the page of a comparison.

    Args:
        comparison: the table.
        document: its summary.
        maps: from :func:`benchmark.comparison.command.embedding_maps`, by task; None for no maps.
        sections: additional sections at the end.

    Returns:
        A self-contained HTML file.
    """
    columns = [
        {**vars(column), "digits": of.digits, "scale": of.shown(1.0), "unit": of.unit}
        for column in document.columns
        for of in [column.shown_as]
    ]
    data = {
        **document.as_json(),
        "columns": columns,
        "domains": DOMAINS,
        "caption": [unescaped(line) for line in caption(document)],
        "texts": [cell_texts(document, row) for row in document.rows],
        "confusions": confusions(comparison),
        "maps": dict(maps or {}),
        "sections": [section.data() for section in sections],
    }
    return html_file("benchmark.comparison.page", f"Comparison: {document.suite} suite", data, scripts=SCRIPTS)
