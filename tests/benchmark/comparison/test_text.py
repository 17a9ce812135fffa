"""Text in Markdown tables."""

from __future__ import annotations

import math

from benchmark.comparison.text import escaped


def test_text_is_escaped() -> None:
    assert escaped("a\n|b| `c` *d* <e>&[f](g)") == "a \\|b\\| \\`c\\` \\*d\\* &lt;e&gt;&amp;\\[f\\](g)"
    assert not math.isnan(len(escaped("")))
