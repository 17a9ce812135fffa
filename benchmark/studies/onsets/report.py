"""The report of the time study, made from its numbers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmark.reporting.markdown import markdown
from benchmark.studies.figures import new_figure
from benchmark.studies.findings import Report, listed, read_about, read_numbers
from benchmark.studies.onsets.grid import chosen_setting

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME, TITLE = "time", "Windows and hops of timestamp embeddings"
CAPTION = (
    "Onset F1 within 200 ms (top) and median error of the matched onsets (bottom) by window and hop, on validation "
    "recordings, mean over the networks."
)


def report(folder: Path) -> Report:
    """Make the report from ``time.csv`` and ``time.json``.

    Raises:
        FileNotFoundError: if one of them is not in ``folder``.
    """
    numbers = read_numbers(folder, NAME)
    window_ms, hop_ms = read_about(folder, NAME)["default"]
    default = (window_ms, hop_ms)
    figures = {NAME: (partial(figure, numbers, default), CAPTION)}
    return Report(TITLE, sentences(numbers, default), tables(numbers, default), figures)


def shown(numbers: pd.DataFrame, default_window_ms: float, default_hop_ms: float) -> pd.DataFrame:
    """Select the numbers to report: all of validation, and of test those of the chosen setting and the default."""
    settings = {chosen_setting(numbers), (default_window_ms, default_hop_ms)}
    allowed = np.array([pair in settings for pair in zip(numbers["window_ms"], numbers["hop_ms"])])
    return numbers[(numbers["split"] == "valid") | allowed].reset_index(drop=True)


def _valid(numbers: pd.DataFrame) -> pd.DataFrame:
    return numbers[numbers["split"] == "valid"]


def figure(numbers: pd.DataFrame, default: tuple[float, float]) -> Figure:
    """A column for each task: above, F1 against the window, a line for each hop; below, the onsets' median error."""
    valid = _valid(numbers)
    tasks = list(dict.fromkeys(valid["task"]))
    hops, windows = sorted(valid["hop_ms"].unique()), sorted(valid["window_ms"].unique())
    drawn = new_figure(4.6 * len(tasks) + 1.2, 6)
    axes = drawn.subplots(2, len(tasks), squeeze=False, sharex=True)
    for column, task in enumerate(tasks):
        means = valid[valid["task"] == task].groupby(["hop_ms", "window_ms"])[["f1_200", "error_ms"]].mean()
        for row, (score, title) in enumerate((("f1_200", "onset F1 within 200 ms"), ("error_ms", "median error, ms"))):
            axis = axes[row, column]
            for place, hop in enumerate(hops):
                line = means.loc[hop][score]
                shade = str(0.75 * place / max(len(hops) - 1, 1))
                axis.plot(line.index, line.to_numpy(), "o-", color=shade, markersize=3, label=f"hop {hop:g} ms")
            axis.axvline(
                default[0], color="#c44e52", linewidth=1, linestyle="--", label=f"default window {default[0]:g} ms"
            )
            axis.set_xscale("log")
            axis.set_xticks(windows, [f"{window:g}" for window in windows])
            axis.minorticks_off()
            axis.set_ylim(bottom=0)
            axis.grid(alpha=0.3)
            if column == 0:
                axis.set_ylabel(title)
        axes[0, column].set_title(task.replace("_", " "), fontsize=10)
        axes[1, column].set_xlabel("window, ms (the shortest: a single frame feature)")
    axes[0, -1].legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return drawn


def tables(numbers: pd.DataFrame, default: tuple[float, float]) -> list[str]:
    """F1 by window and hop on validation recordings; the chosen setting and the default on test recordings."""
    valid = _valid(numbers)
    best = chosen_setting(numbers)
    parts = []
    hops = sorted(valid["hop_ms"].unique())
    for task, each in valid.groupby("task", sort=False):
        means = each.pivot_table(index="window_ms", columns="hop_ms", values="f1_200", aggfunc="mean")
        lines = [
            [f"{window:g} ms", *(_marked(means.loc[window, hop], (window, hop), best, default) for hop in hops)]
            for window in means.index
        ]
        header = [f"{str(task).replace('_', ' ')}: window", *(f"hop {hop:g} ms" for hop in hops)]
        parts.append(markdown(header, lines))
    parts.append(
        "Onset F1 within 200 ms, %, on validation recordings, mean over "
        f"{listed(list(dict.fromkeys(valid['model'])))}. Bold: the best setting over all tasks; asterisk: the default. "
        "Onsets come from a frame-wise ridge regression; its regularisation, thresholds (one a label), median filter "
        "and shortest event were chosen on the same recordings. The same two settings on test recordings:\n"
    )
    test = numbers[numbers["split"] == "test"]
    lines = [
        [
            str(row["model"]),
            str(row["task"]).replace("_", " "),
            f"{row['window_ms']:g} ms",
            f"{row['hop_ms']:g} ms",
            f"{100 * row['f1_200']:.1f}",
            f"{100 * row['f1_50']:.1f}",
            f"{row['error_ms']:.0f}",
        ]
        for _, row in test.iterrows()
    ]
    header = ["model", "task", "window", "hop", "F1 within 200 ms", "F1 within 50 ms", "median error, ms"]
    return [*parts, markdown(header, lines)]


def _marked(value: float, setting: tuple[float, float], best: tuple[float, float], default: tuple[float, float]) -> str:
    text = f"{100 * value:.1f}" + ("\\*" if setting == default else "")
    return f"**{text}**" if setting == best else text


def sentences(numbers: pd.DataFrame, default: tuple[float, float]) -> list[str]:
    """Three sentences on what was found, and a fourth that compares the networks if there are several.

    Args:
        numbers: what ``time.csv`` holds.
        default: the networks' own window and hop, ms.
    """
    valid = _valid(numbers)
    best = chosen_setting(numbers)
    means = valid.groupby(["window_ms", "hop_ms"])[["f1_200", "error_ms"]].mean()
    is_default = best == default
    found = [
        f"On validation recordings, a window of {best[0]:g} ms every {best[1]:g} ms"
        f"{' (the default)' * is_default} is best for onsets: F1 within 200 ms is "
        f"{100 * means.loc[best, 'f1_200']:.1f} % and the median error of matched onsets "
        f"{means.loc[best, 'error_ms']:.0f} ms, means over networks and event tasks"
    ]
    if not is_default:
        found[0] += (
            f"; the default, {default[0]:g} ms every {default[1]:g} ms, reaches "
            f"{100 * means.loc[default, 'f1_200']:.1f} %"
        )
    found[0] += "."
    frame, widest = float(valid["window_ms"].min()), float(valid["window_ms"].max())
    coarse = float(valid["hop_ms"].max())

    def reached(window: float, hop: float) -> str:
        return f"{100 * means.loc[(window, hop), 'f1_200']:.1f} %"

    found.append(
        f"Single frame features reach {reached(frame, best[1])}, windows of {widest:g} ms {reached(widest, best[1])}, "
        f"and a hop of {coarse:g} ms {reached(best[0], coarse)}."
    )
    test = numbers[numbers["split"] == "test"].groupby(["window_ms", "hop_ms"])["f1_200"].mean()
    if is_default:
        found.append(f"On test recordings, this setting reaches {100 * test[best]:.1f} %.")
    else:
        scores = f"{100 * test[best]:.1f} % and {100 * test[default]:.1f} %"
        found.append(f"On test recordings, the two settings reach {scores}.")
    chosen = numbers[(numbers["split"] == "test") & (numbers["window_ms"] == best[0]) & (numbers["hop_ms"] == best[1])]
    by_model = 100 * chosen.groupby("model", sort=False)[["f1_200", "f1_50"]].mean()
    if len(by_model) > 1:
        shown = [f"`{model}` {row['f1_200']:.1f} and {row['f1_50']:.1f} %" for model, row in by_model.iterrows()]
        found.append(f"On test recordings with the best setting, F1 within 200 and 50 ms is: {listed(shown)}.")
    return found
