"""A run's log as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure

from byola_hear.pretraining.training.run_log import read_log

PANELS = (
    ("loss", "loss"),
    ("spread", "spread of projections\n(0: collapsed)"),
    ("learning_rate", "learning rate"),
    ("crops_per_second", "crops a second"),
)


def draw_curves(logs: Mapping[str, Path], output: Path) -> None:
    """Draw loss, spread, learning rate and speed over the crops seen, a line a run.

    Args:
        logs: label → a run's log.
        output: picture to write; its ending chooses the format.

    Raises:
        FileNotFoundError: if a log is not there.
        ValueError: if the ending is not one that can be drawn.
    """
    figure = Figure(figsize=(9, 6), layout="constrained")
    axes = figure.subplots(2, 2, sharex=True).flatten()
    runs = {label: read_log(path) for label, path in logs.items()}
    for axis, (column, title) in zip(axes, PANELS):
        for label, rows in runs.items():
            axis.plot([row["crops"] / 1000 for row in rows], [row[column] for row in rows], label=label, linewidth=1)
        axis.set_ylabel(title)
        axis.grid(alpha=0.3)
    for axis in axes[2:]:
        axis.set_xlabel("crops seen, thousands")
    axes[0].legend()
    figure.savefig(output, dpi=120)
