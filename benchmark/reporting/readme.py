"""Write README's tables: ``python -m benchmark.reporting.readme``.

A table is between ``<!-- table:NAME -->`` and ``<!-- /table:NAME -->``. ``models`` is made from the checkpoints'
headers; any other is ``benchmark/results/NAME.md``.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from benchmark import CHECKOUT, RESULTS
from benchmark.reporting.markdown import markdown
from byola_hear import describe_model, list_models
from byola_hear.models.zoo import ModelCard
from byola_hear.utils.files import write_file

_TABLE = re.compile(r"(?P<start><!-- table:(?P<name>[\w-]+) -->\n).*?(?P<end><!-- /table:(?P=name) -->)", re.DOTALL)


def model_row(card: ModelCard) -> list[str]:
    """A network's row of the table.

    Args:
        card: what :func:`byola_hear.describe_model` returns.

    Returns:
        Its cells, Markdown.
    """
    return [
        f"`{card['name']}`",
        "not stated" if card["hours"] is None else f"{card['hours']:.1f}",
        f"{card['parameters'] / 1e6:.2f} M",
        str(card["scene_embedding_size"]),
        f"{card['bytes'] / 1e6:.1f} MB",
    ]


def models_table(folder: Path | None = None) -> str:
    """Make the table of the networks that come with the package.

    Args:
        folder: the zoo; the package's own if None.

    Returns:
        Markdown with a line break at its end.
    """
    header = ["name", "hours of audio", "parameters", "dimensions", "file"]
    return markdown(header, [model_row(describe_model(name, folder)) for name in list_models(folder)], left=1)


def filled(text: str, results: Path) -> str:
    """Replace the tables in a text.

    Args:
        text: Markdown with tables between markers.
        results: folder of results.

    Returns:
        The text; everything outside the markers is unchanged.

    Raises:
        ValueError: if a marker is not closed.
        FileNotFoundError: if a result does not exist.
    """

    def table(match: re.Match[str]) -> str:
        name = match["name"]
        content = models_table() if name == "models" else (results / f"{name}.md").read_text(encoding="utf-8")
        return f"{match['start']}{content.rstrip()}\n{match['end']}"

    starts, tables = (
        re.findall(r"<!-- table:([\w-]+) -->", text),
        [match["name"] for match in _TABLE.finditer(text)],
    )
    if starts != tables:
        left_open = next((name for name in starts if name not in tables), "")
        raise ValueError(f"expected <!-- /table:{left_open} --> after <!-- table:{left_open} -->, but there is none")
    return _TABLE.sub(table, text)


def main() -> int:
    """Write README's tables and return the exit status."""
    readme = CHECKOUT / "README.md"
    try:
        before = readme.read_text(encoding="utf-8")
        after = filled(before, RESULTS)
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if after != before:
        write_file(readme, after)
    print(f"{readme.name}: {'tables written' if after != before else 'the tables are up to date'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
