"""A study's findings as texts: three sentences for the README, and the Markdown that is a section of the page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pandas as pd

from benchmark.reporting.markdown import markdown
from benchmark.studies.study import measured_with, save_figure, save_results
from byola_hear.utils.files import replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Columns of names, which are texts even where they look like numbers: a checkpoint may be called ``01``.
NAMES = ("model", "task", "trained", "tested", "first", "second", "reference")


def save_study(
    folder: Path, name: str, numbers: pd.DataFrame, figures: Mapping[str, Figure], about: dict[str, Any]
) -> None:
    """Write a study's numbers, their origin and its figures, and say so.

    Args:
        folder: where to; made if need be.
        name: of the study.
        numbers: everything that was measured.
        figures: by file name without suffix; one is called as the study.
        about: how it was measured, JSON values, ``command`` among them.
    """
    paths = save_results(folder, name, numbers, figures[name], about)
    for other, figure in figures.items():
        if other != name:
            paths.append(folder / f"{other}.png")
            save_figure(figure, paths[-1])
    for path in paths:
        click.echo(f"written: {path}", err=True)


def save_findings(
    folder: Path, name: str, title: str, sentences: Sequence[str], tables: Sequence[str], captions: Mapping[str, str]
) -> None:
    """Write ``NAME_findings.md``, the sentences alone, and ``NAME.md``: a title, those, figures with captions, tables
    and where it all comes from, which ``python -m benchmark table --section`` takes into the page.

    Args:
        folder: that :func:`save_study` wrote to.
        name: the study's.
        title: its heading.
        sentences: what was found.
        tables: Markdown.
        captions: of the figures, by file name without suffix, in order.
    """
    found = " ".join(sentences)
    figures = [f"![{caption}]({figure}.png)" for figure, caption in captions.items()]
    parts = [
        f"# {title}",
        found,
        *figures,
        *(table.rstrip() for table in tables),
        measured_with(read_about(folder, name)),
    ]
    for path, text in ((f"{name}_findings.md", found), (f"{name}.md", "\n\n".join(parts))):
        with replacing(folder / path) as stream:
            stream.write((text + "\n").encode())


def read_about(folder: Path, name: str) -> dict[str, Any]:
    """What ``NAME.json`` says of how a study was measured.

    Raises:
        FileNotFoundError: if it is not there.
    """
    about: dict[str, Any] = json.loads(_there(folder, name, ".json").read_text(encoding="utf-8"))
    return about


def read_numbers(folder: Path, name: str) -> pd.DataFrame:
    """What ``NAME.csv`` holds.

    Raises:
        FileNotFoundError: if it is not there.
    """
    path = _there(folder, name, ".csv")
    return pd.read_csv(path, dtype=dict.fromkeys(NAMES, str), keep_default_na=False, na_values=[""])


def _there(folder: Path, name: str, suffix: str) -> Path:
    path = folder / f"{name}{suffix}"
    if not path.is_file():
        raise FileNotFoundError(f"expected {path}, found none: see python -m benchmark {name.replace('_', '-')} --help")
    return path


def frame_table(frame: pd.DataFrame) -> str:
    """A table in Markdown out of a frame of texts, its index first."""
    header = [str(frame.index.name or ""), *(str(column) for column in frame.columns)]
    return markdown(header, [[str(name), *map(str, row)] for name, row in zip(frame.index, frame.to_numpy())])


def listed(texts: Sequence[str]) -> str:
    """Texts as a sentence lists them.

    Example:
        >>> listed(["a"]), listed(["a", "b", "c"])
        ('a', 'a, b and c')
    """
    return " and ".join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else "".join(texts)
