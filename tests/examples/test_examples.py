"""Every example runs from any folder, and shows what a page of the gallery needs."""

from __future__ import annotations

import ast
import runpy
import warnings
from pathlib import Path
from typing import Any

import matplotlib
import pytest
import torch
from matplotlib import pyplot as plt

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SCRIPTS = sorted(EXAMPLES.glob("*.py"))
#: Examples without a figure.
TEXT_ONLY = {"plot_hear_tools"}
#: Examples that take more than a few seconds. `make docs` executes them, too.
SLOW = {"plot_fine_tuning", "plot_hear_tools", "plot_scikit_learn", "plot_similarity_map"}


def marked(script: Path) -> Any:
    return pytest.param(script, marks=pytest.mark.slow if script.stem in SLOW else ())


@pytest.mark.parametrize("script", list(map(marked, SCRIPTS)), ids=lambda script: script.stem)
def test_runs(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process, as most of the time of a new one would go into importing torch."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(EXAMPLES))  # as for `python examples/NAME.py`
    matplotlib.use("Agg")
    plt.close("all")
    try:
        with torch.random.fork_rng(), warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # it would stand on the page
            warnings.filterwarnings("ignore", ".*non-interactive", UserWarning)  # plt.show(), on a desktop
            runpy.run_path(str(script), run_name="__main__")
        shown = [plt.figure(number) for number in plt.get_fignums()]
    finally:
        plt.close("all")
    printed = capsys.readouterr().out
    assert printed.strip()
    assert str(EXAMPLES.parent) not in printed  # a path of one machine is no use to readers
    assert bool(shown) != (script.stem in TEXT_ONLY)
    assert all(axes.has_data() for figure in shown for axes in figure.axes)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_is_a_page(script: Path) -> None:
    """The gallery executes ``plot_*.py`` and takes the title from the docstring."""
    assert script.name.startswith("plot_")
    title, underline, *_ = (ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or "").splitlines()
    assert title and underline == "=" * len(title)


def test_sources_are_listed() -> None:
    sounds = EXAMPLES / "sounds"
    listing = (sounds / "LICENCES.md").read_text(encoding="utf-8")
    files = [path.relative_to(sounds).as_posix() for path in sounds.rglob("*.flac")]
    assert files
    assert [file for file in files if f"| `{file}` |" not in listing] == []
