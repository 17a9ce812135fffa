"""README's tables, written from the networks' cards and from ``benchmark/results``.

A table stands between ``<!-- table:NAME -->`` and ``<!-- /table:NAME -->``. ``models`` is made here, of what
the checkpoints say about themselves; any other is ``benchmark/results/NAME.md``, as NAME's command left it.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from byola_hear import describe_model, list_models
from byola_hear.models.zoo import ModelCard
from byola_hear.utils.files import replacing

REPOSITORY = Path(__file__).resolve().parents[2]

_TABLE = re.compile(r"(?P<start><!-- table:(?P<name>[\w-]+) -->\n).*?(?P<end><!-- /table:(?P=name) -->)", re.DOTALL)


def model_row(card: ModelCard) -> str:
    """One network's line of the table.

    Args:
        card: what :func:`byola_hear.describe_model` says.

    Returns:
        A line of Markdown.
    """
    kinds: dict[str, float] = {}
    for row in card["training"].get("sources", []):
        kinds[row["kind"]] = kinds.get(row["kind"], 0.0) + row["hours"]
    most_first = sorted(kinds.items(), key=lambda item: -item[1])
    listed = ", ".join(f"{kind or 'other'} {hours:.1f}" for kind, hours in most_first)
    cells = [
        f"`{card['name']}`",
        card["version"],
        "not stated" if card["hours"] is None else f"{card['hours']:.1f}" + (f" ({listed})" if listed else ""),
        f"{card['parameters'] / 1e6:.2f} M",
        str(card["scene_embedding_size"]),
        f"{card['frame_ms']:g} ms",
        f"{card['bytes'] / 1e6:.1f} MB",
        card["licence"],
    ]
    return f"| {' | '.join(cells)} |"


def models_table(folder: Path | None = None) -> str:
    """The table of the networks that come with the package.

    Args:
        folder: the zoo; the package's own if None.

    Returns:
        Markdown that ends in a line break.
    """
    columns = "name | version | trained on, hours | parameters | dimensions | frame | file | licence"
    rows = [model_row(describe_model(name, folder)) for name in list_models(folder)]
    return "\n".join([f"| {columns} |", "|---|---|---|--:|--:|--:|--:|---|", *rows]) + "\n"


def filled(text: str, results: Path) -> str:
    """A text with its tables made anew.

    Args:
        text: Markdown with tables between markers.
        results: folder of the tables that commands left.

    Returns:
        The text; what stands outside the markers is as it was.

    Raises:
        ValueError: if a marker is left open.
        FileNotFoundError: if there is no such result.
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
        raise ValueError(f"expected <!-- /table:{left_open} --> after <!-- table:{left_open} -->, found none")
    return _TABLE.sub(table, text)


def main() -> int:
    """Write README's tables; returns the exit status."""
    readme = REPOSITORY / "README.md"
    try:
        before = readme.read_text(encoding="utf-8")
        after = filled(before, REPOSITORY / "benchmark" / "results")
    except (OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if after != before:
        with replacing(readme) as file:
            file.write(after.encode())
    print(f"{readme.name}: {'tables written' if after != before else 'tables were up to date'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
