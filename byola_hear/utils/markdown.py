"""Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from byola_hear.utils.text import one_line


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """Write a table in Markdown.

    Args:
        header: headings of the columns.
        rows: the cells of each row, Markdown.
        left: number of columns that are aligned to the left; the others are aligned to the right.

    Returns:
        Lines, the last one with a line break.

    Example:
        >>> print(markdown_table(["model", "score"], [["both", "88.0"]]), end="")
        | model | score |
        |---|--:|
        | both | 88.0 |
    """
    ruler = [*["---"] * left, *["--:"] * (len(header) - left)]
    lines = [f"| {' | '.join(cells)} |\n" for cells in (header, *rows)]
    return "".join([lines[0], f"|{'|'.join(ruler)}|\n", *lines[1:]])


def table_cell(value: object) -> str:
    """Turn a value into the content of a table's cell.

    Example:
        >>> table_cell("a | b")
        'a \\\\| b'
    """
    return one_line(value).replace("|", r"\|")
