"""What a study writes: its numbers, and a report made from them.

A study NAME writes ``NAME.csv`` (every number), ``NAME.json`` (how they were measured), and from these two alone
``NAME.md`` (findings, figures, tables), ``NAME_findings.md`` (the findings) and ``NAME.png``. So a report can be
written again, with other words or colours, without measuring anything: ``python -m benchmark report NAME``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchmark.reporting.markdown import markdown
from benchmark.reporting.provenance import completed_with, measured_with, provenance
from byola_hear.utils.files import replacing, write_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Columns of names. They are text even where they look like numbers: a checkpoint may be called ``01``.
NAMES = ("model", "task", "trained", "tested", "first", "second", "reference")


@dataclass(frozen=True)
class Report:
    """A study's report, made from its numbers.

    Attributes:
        title: the heading.
        sentences: the findings, one or a few sentences each; they are written as a list.
        tables: Markdown.
        figures: a function that draws and the caption, by file name without suffix, in order; None in place of the
            function where the picture that is there stays.
    """

    title: str
    sentences: Sequence[str]
    tables: Sequence[str]
    figures: Mapping[str, tuple[Callable[[], Figure] | None, str]]

    def texts(self, folder: Path, name: str) -> dict[str, str]:
        """The Markdown files of study ``name`` by file name.

        ``NAME.md`` is also what ``python -m benchmark table --section`` adds to the page.

        Raises:
            FileNotFoundError: if ``NAME.json`` is not in ``folder``.
        """
        found = "\n".join(f"- {each}" for each in self.sentences)
        pictures = [f"![{caption}]({figure}.png)" for figure, (_, caption) in self.figures.items()]
        tables = [table.rstrip() for table in self.tables]
        about = read_about(folder, name)
        later = [completed_with(each, ", ".join(each["models"])) for each in about.get("added", [])]
        parts = [f"# {self.title}", found, *pictures, *tables, " ".join([measured_with(about), *later])]
        return {f"{name}_findings.md": f"{found}\n", f"{name}.md": "\n\n".join(parts) + "\n"}


def save_numbers(folder: Path, name: str, numbers: pd.DataFrame, about: Mapping[str, Any]) -> list[Path]:
    """Write a study's numbers and how they were measured.

    Args:
        folder: the folder; created if it does not exist.
        name: name of the study.
        numbers: everything that was measured.
        about: how it was measured, JSON values, ``command`` among them.
            :func:`benchmark.reporting.provenance.provenance` is added.

    Returns:
        The files, ``.csv`` and ``.json``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        f"{name}.csv": numbers.to_csv(index=False, lineterminator="\n", float_format="%.6g"),
        f"{name}.json": json.dumps({**provenance(), **about}, indent=1) + "\n",
    }
    return [write_text(folder / file, text) for file, text in texts.items()]


def save_report(folder: Path, name: str, report: Report) -> list[Path]:
    """Write a study's figures and Markdown files.

    Args:
        folder: the folder that :func:`save_numbers` wrote to.
        name: name of the study.
        report: made from the numbers there.

    Returns:
        The files.
    """
    written = []
    for figure, (draw, _) in report.figures.items():
        if draw is not None:
            written.append(folder / f"{figure}.png")
            with replacing(written[-1]) as stream:
                draw().savefig(stream, format="png", dpi=110)
    return [*written, *(write_text(folder / file, text) for file, text in report.texts(folder, name).items())]


def write_text(path: Path, text: str) -> Path:
    """Write a text as UTF-8, completely or not at all; returns the path."""
    write_file(path, text)
    return path


def read_about(folder: Path, name: str) -> dict[str, Any]:
    """Read how a study was measured, from ``NAME.json``.

    Raises:
        FileNotFoundError: if there is no such file.
    """
    about: dict[str, Any] = json.loads(_existing(folder, name, ".json").read_text(encoding="utf-8"))
    return about


def read_numbers(folder: Path, name: str) -> pd.DataFrame:
    """Read a study's numbers from ``NAME.csv``.

    Raises:
        FileNotFoundError: if there is no such file.
    """
    path = _existing(folder, name, ".csv")
    return pd.read_csv(path, dtype=dict.fromkeys(NAMES, str), keep_default_na=False, na_values=[""])


def _existing(folder: Path, name: str, suffix: str) -> Path:
    path = folder / f"{name}{suffix}"
    if not path.is_file():
        raise FileNotFoundError(f"no such file: {path}; python -m benchmark {name.replace('_', '-')} writes it")
    return path


def frame_table(frame: pd.DataFrame) -> str:
    """Turn a frame of texts into a Markdown table, its index first."""
    header = [str(frame.index.name or ""), *(str(column) for column in frame.columns)]
    return markdown(header, [[str(name), *map(str, row)] for name, row in zip(frame.index, frame.to_numpy())])


def listed(texts: Sequence[str]) -> str:
    """List texts as in a sentence.

    Example:
        >>> listed(["a"]), listed(["a", "b", "c"])
        ('a', 'a, b and c')
    """
    return " and ".join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else "".join(texts)
