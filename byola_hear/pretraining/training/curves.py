"""The logs of runs as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure

from byola_hear.pretraining.training.run_log import read_log
from byola_hear.utils.files import replacing

#: Columns of the log and the labels of their axes.
PANELS = (
    ("loss", "loss"),
    ("spread", "standard deviation of\nembeddings (0: collapsed)"),
    ("learning_rate", "learning rate"),
    ("crops_per_second", "crops per second"),
)


def draw_curves(logs: Mapping[str, Path], output: Path) -> None:
    """Draw loss, standard deviation of embeddings, learning rate and speed over the crops, one line per run.

    Args:
        logs: the path of a log for each label.
        output: picture to write. Its ending chooses the format; without one, it is PNG.

    Raises:
        FileNotFoundError: if a log does not exist.
        ValueError: if the ending is not that of a format that can be drawn.
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
        axis.set_xlabel("crops trained on, thousands")
    axes[0].legend()
    with replacing(output) as stream:
        figure.savefig(stream, dpi=120, format=output.suffix[1:] or "png")
