"""Additional sections of the page, from the Markdown that other commands write: text, figures and tables."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.comparison.text import unescaped
from byola_hear.utils.text import one_line

#: Media types of figures by suffix.
PICTURES = {".png": "image/png", ".svg": "image/svg+xml"}

_FIGURE = re.compile(r"!\[(?P<text>[^\]]*)\]\((?P<file>[^)\s]+)\)")
_HEADING = re.compile(r"#{1,6} +(?P<text>.+)")


@dataclass(frozen=True)
class Section:
    """A section of the page. It is shown as text, never interpreted as HTML.

    Attributes:
        title: its heading.
        markdown: paragraphs, headings, tables, lists and figures, separated by empty lines. Marks for bold, italic and
            code are removed.
        folder: folder of the figures, ``.png`` or ``.svg``.
    """

    title: str
    markdown: str
    folder: Path

    def data(self) -> dict[str, Any]:
        """The section for the page's script: ``title`` and ``blocks``, each with a ``kind``.

        Raises:
            ValueError: if a figure has another suffix or is outside the folder.
            FileNotFoundError: if a figure does not exist.
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
    """Remove the marks from a line of Markdown.

    Example:
        >>> plain("**84.7 ± 2.2** of `speech`, *in all* a\\\\|b &lt;c&gt;")
        '84.7 ± 2.2 of speech, in all a|b <c>'
    """
    line = one_line(text)
    line = re.sub(r"(?<!\\)(\*\*|`)(.+?)(?<!\\)\1", r"\2", line)
    line = re.sub(r"(?<![\\*\w])\*([^*\s][^*]*)\*(?![*\w])", r"\1", line)
    return unescaped(line)


def _picture(folder: Path, file: str) -> str:
    """A figure as a ``data:`` URI. In an image element, an SVG runs no scripts and loads nothing."""
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
    """Read a section from a Markdown file; its figures are in the same folder.

    Args:
        path: the file. A heading in its first line is the section's title, else the file's name.

    Raises:
        FileNotFoundError: if it does not exist.
        ValueError: if it is not UTF-8.
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
