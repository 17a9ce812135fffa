"""The report of the study of scales, made from its numbers."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from benchmark.probes.probe import INDEPENDENT
from benchmark.probes.splits import TASKS
from benchmark.studies.findings import Report, read_numbers
from benchmark.studies.scales.changes import change_sentences, draw, summarised, table, tasks_of
from benchmark.studies.scales.twins import twins

NAME = "scales"
TITLE = "What standardising embeddings changes"
MARKS = (
    "on embeddings as they are (circle) and on embeddings standardised by the training part (dot); the lines are 95 % "
    "bootstrap intervals over the tested"
)
TRUST = (
    "Trust a table of embeddings as they are for a comparison with HEAR's published scores, and for what a user gets "
    "who does not standardise; trust its standardised twin for what is in the embeddings, because it does not depend "
    "on the units of their dimensions."
)


def report(folder: Path) -> Report:
    """Make the report from ``scales.csv``, and from the tables of HEAR's probes that have a standardised twin.

    Raises:
        FileNotFoundError: if ``scales.csv`` is not in ``folder``.
    """
    summary = summarised(read_numbers(folder, NAME).astype({"fold": str}))
    titles = {name: task.title for name, task in TASKS.items()}
    found = change_sentences(summary, len(tasks_of(summary)), "In a linear probe")
    text = "Accuracy, %, of the linear probe on embeddings as they are → standardised:\n\n"
    tables = [text + table(summary, titles)]
    caption = f"Accuracy, %, of the same linear probe {MARKS} clips. {INDEPENDENT}"
    figures = {NAME: (partial(draw, summary, titles), caption)}
    for twin in twins(folder):
        suite = f"the suite {twin.suite}"
        found += change_sentences(twin.summary, len(twin.in_mean), f"In HEAR's own probes on {suite}")
        text = f"Scores, %, of HEAR's own probes on {suite}, on embeddings as they are → standardised"
        if len(twin.in_mean) < len(tasks_of(twin.summary)):
            text += f"; not all were measured both ways, and the mean is over: {'; '.join(twin.in_mean)}"
        if twin.machines[0] != twin.machines[1]:
            text += f" (measured on {' and on '.join(twin.machines)}, whose processors round differently)"
        tables.append(f"{text}:\n\n{table(twin.summary, twin.titles)}")
        caption = f"Scores, %, of HEAR's own probes on {suite}, {MARKS} files."
        figures[f"{NAME}_{twin.suite}"] = (partial(draw, twin.summary, twin.titles, "score, %"), caption)
    return Report(TITLE, [*found, TRUST], tables, figures)
