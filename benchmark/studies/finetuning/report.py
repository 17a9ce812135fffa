"""The report of the fine-tuning study, made from its numbers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchmark.probes.splits import TASKS
from benchmark.reporting.markdown import markdown
from benchmark.studies.figures import colours, new_figure
from benchmark.studies.findings import Report, listed, read_about, read_numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "finetuning"
TITLE = "Fine-tuned against frozen"
CAPTION = "Mean average precision of held-out clips after each epoch; epoch 0 is the frozen network. A line a fold."


def report(folder: Path) -> Report:
    """Make the report from ``finetuning.csv`` and ``finetuning.json``.

    Raises:
        FileNotFoundError: if one of them is not in ``folder``.
    """
    numbers, about = read_numbers(folder, NAME), read_about(folder, NAME)
    figures = {NAME: (partial(figure, numbers, about), CAPTION)}
    return Report(TITLE, sentences(numbers), [table(numbers), described(numbers, about)], figures)


def _percent(value: float) -> str:
    return f"{100 * value:.1f}"


def _difference(line: Any) -> str:
    more = 100 * (line.tuned - line.frozen)
    return f"{more:+.1f} ({100 * line.low:+.1f} to {100 * line.high:+.1f})"


def table(numbers: pd.DataFrame) -> str:
    """A row for each network and task."""
    lines = [
        [
            *(f"`{line.model}`", line.task, str(line.clips), str(line.groups), str(line.folds)),
            *(_percent(line.frozen), _percent(line.tuned), _difference(line)),
        ]
        for line in numbers.itertuples()
    ]
    header = ["network", "task", "clips", "groups", "folds", "frozen, %", "fine-tuned, %", "difference, points"]
    return markdown(header, lines)


def described(numbers: pd.DataFrame, about: dict[str, Any]) -> str:
    """What was measured, in a paragraph."""
    recipe = about["recipe"]
    groups = [f"{TASKS[task].group} ({task})" for task in dict.fromkeys(numbers["task"]) if TASKS[task].group]
    whole = f" Folds never split a {listed([each.replace('_', ' ') for each in groups])}." if groups else ""
    return (
        "Mean over the classes of the average precision of held-out clips. The frozen network is what `byola-hear "
        "learn` fits, the fine-tuned one what `byola-hear finetune` trains: at most "
        f"{recipe['epochs']} epochs, learning rate "
        f"{recipe['learning_rate']:g}, {recipe['batch_size']} clips a step. The number of epochs by which a fold is "
        f"judged is chosen by the other folds.{whole} Intervals of the difference are of 95 %, over groups drawn with "
        "replacement."
    )


def sentences(numbers: pd.DataFrame) -> list[str]:
    """What was found; a difference is named if its interval does not include 0."""
    found = []
    for line in numbers.itertuples():
        scores = f"{_percent(line.tuned)} % against {_percent(line.frozen)} %"
        if line.low > 0:
            verdict = "beats the frozen network"
        elif line.high < 0:
            verdict = "is worse than the frozen network"
        else:
            verdict = "does not beat the frozen network by more than chance"
        found.append(
            f"On {line.task}, fine-tuning `{line.model}` {verdict}: a mean average precision of {scores}, "
            f"difference {_difference(line)} points."
        )
    return found


def figure(numbers: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """A panel for each task: the held-out average precision of each fold by epochs."""
    tasks, models = list(dict.fromkeys(numbers["task"])), list(dict.fromkeys(numbers["model"]))
    colour = colours(models)
    drawn = new_figure(4 * len(tasks) + 1, 3.2)
    axes = drawn.subplots(1, len(tasks), squeeze=False)[0]
    for axis, task in zip(axes, tasks, strict=True):
        for model in models:
            for number, curve in enumerate(about["curves"].get(f"{model} {task}", [])):
                percent = [100 * value for value in curve]
                axis.plot(percent, "o-", markersize=3, color=colour[model], label=None if number else model)
        axis.set(title=task, xlabel="epochs")
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("mean average precision, %")
    drawn.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", frameon=False, fontsize=8)
    return drawn
