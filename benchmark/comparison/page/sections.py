"""Further sections of the page, out of the Markdown that other commands left: text, figures and tables."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.comparison.text import unescaped

#: Figures that a page can show, by suffix.
PICTURES = {".png": "image/png", ".svg": "image/svg+xml"}

_FIGURE = re.compile(r"!\[(?P<text>[^\]]*)\]\((?P<file>[^)\s]+)\)")
_HEADING = re.compile(r"#{1,6} +(?P<text>.+)")


@dataclass(frozen=True)
class Section:
    """A section of the page; all of it is shown as text, none of it as HTML.

    Attributes:
        title: its heading.
        markdown: paragraphs, headings, tables, items of lists and figures, each with an empty line around it. Of marks
            within a line, bold, italic and code are taken away.
        folder: where the figures are, which end in ``.png`` or ``.svg``.
    """

    title: str
    markdown: str
    folder: Path

    def data(self) -> dict[str, Any]:
        """What the page's script draws: ``title`` and ``blocks``, each of a ``kind``.

        Raises:
            ValueError: if a figure is of another kind, or outside the folder.
            FileNotFoundError: if a figure is not there.
        """
        blocks = [block.strip() for block in re.split(r"\n\s*\n", self.markdown) if block.strip()]
        return {"title": self.title, "blocks": [self._block(block) for block in blocks]}

    def _block(self, block: str) -> dict[str, Any]:
        if found := _FIGURE.fullmatch(block):
            return {"kind": "figure", "source": _picture(self.folder, found["file"]), "text": plain(found["text"])}
        if found := _HEADING.fullmatch(block):
            return {"kind": "heading", "text": plain(found["text"])}
        lines = block.splitlines()
        if all(line.startswith("|") for line in lines) and len(lines) > 1:
            cells = [[plain(cell) for cell in re.split(r"(?<!\\)\|", line.strip()[1:-1])] for line in lines]
            return {"kind": "table", "header": cells[0], "rows": cells[2:]}
        if all(line.startswith("- ") for line in lines):
            return {"kind": "list", "items": [plain(line[2:]) for line in lines]}
        return {"kind": "text", "text": plain(block)}


def plain(text: str) -> str:
    """A line of Markdown without its marks.

    Example:
        >>> plain("**84.7 ± 2.2** of `speech`, *in all* a\\\\|b &lt;c&gt;")
        '84.7 ± 2.2 of speech, in all a|b <c>'
    """
    line = " ".join(text.split())
    line = re.sub(r"(?<!\\)(\*\*|`)(.+?)(?<!\\)\1", r"\2", line)
    line = re.sub(r"(?<![\\*\w])\*([^*\s][^*]*)\*(?![*\w])", r"\1", line)
    return unescaped(line)


def _picture(folder: Path, file: str) -> str:
    """A figure as a ``data:`` URI; in an image element, an SVG runs no script and fetches nothing."""
    path = folder / file
    if path.suffix not in PICTURES:
        raise ValueError(f"expected a figure that ends in {', '.join(PICTURES)}, got {file}")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"expected a figure in {folder}, got {file}")
    if not path.is_file():
        raise FileNotFoundError(f"no such figure: {path}")
    content = base64.b64encode(path.read_bytes()).decode("ascii")
    return f"data:{PICTURES[path.suffix]};base64,{content}"


def load_section(path: Path) -> Section:
    """A section out of a Markdown file, its figures beside it.

    Args:
        path: the file; a heading at its very beginning is the section's title, otherwise its name is.

    Raises:
        FileNotFoundError: if it is not there.
        ValueError: if it is no text.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no such section: {path}")
    try:
        text = path.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected Markdown in UTF-8: {error}") from error
    first, _, rest = text.partition("\n")
    heading = _HEADING.fullmatch(first.strip())
    title = plain(heading["text"]) if heading else path.stem.replace("_", " ").replace("-", " ").capitalize()
    return Section(title, rest if heading else text, path.parent)
