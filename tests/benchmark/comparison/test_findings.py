"""Sentences on a comparison."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from benchmark.comparison.findings import sentences
from tests.benchmark.comparison.documents import document_of


def test_the_best_means_and_the_untrained_network(planted_run: Callable[..., Path]) -> None:
    document = document_of(planted_run(0.1))
    advantage, best, untrained = sentences(document)
    assert advantage.startswith("On speech tasks `speech` is")
    assert "`speech` on speech tasks (" in best and "`nonspeech` on non-speech tasks (" in best and " ± " in best
    assert "`speech` is ahead of the untrained network on 5 of 10 tasks and behind it on none" in untrained
    each = next(each for each in document.advantages if (each.network, each.reference) == ("speech", "untrained"))
    worse = [replace(task, low=-0.2, high=-0.1) if task.task == "speech0" else task for task in each.differences]
    (_, _, text) = sentences(replace(document, advantages=[replace(each, differences=worse)]))
    assert text.endswith("`speech` is ahead of the untrained network on 4 of 10 tasks and behind it on speech 0.")


def test_no_sentence_without_intervals(planted_run: Callable[..., Path]) -> None:
    document = document_of(planted_run(0.1))
    means = [
        replace(row, means={name: replace(mean, low=None, high=None) for name, mean in row.means.items()})
        for row in document.rows
    ]
    assert sentences(replace(document, rows=means, advantages=[])) == []
