"""Sentences on a comparison."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmark.comparison.document import Document
from benchmark.comparison.findings import sentences
from benchmark.comparison.text import signed
from tests.benchmark.comparison.conftest import RunFolder, planted
from tests.benchmark.comparison.documents import document_of


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Document:
    """A comparison in which networks are better in their own domains."""
    return document_of(planted(RunFolder(tmp_path_factory.mktemp("run")), 0.1).write())


def test_the_best_means_and_the_untrained_network(document: Document) -> None:
    advantage, best, untrained = sentences(document)
    assert advantage.startswith("`speech` is ")
    assert "`speech` on speech tasks (" in best and "`nonspeech` on non-speech tasks (" in best and " ± " in best
    assert "`speech` is ahead of the untrained network on 5 of 10 tasks and behind it on none" in untrained
    each = next(each for each in document.advantages if (each.network, each.reference) == ("speech", "untrained"))
    worse = [replace(task, low=-0.2, high=-0.1) if task.task == "speech0" else task for task in each.differences]
    (_, _, text) = sentences(replace(document, advantages=[replace(each, differences=worse)]))
    assert text.endswith("`speech` is ahead of the untrained network on 4 of 10 tasks and behind it on speech 0.")


@pytest.mark.parametrize(
    ("inside", "outside", "half", "p", "expected"),
    [
        (0.004, -0.014, 0.021, 0.05, "0.4 points better than `nonspeech` on speech tasks, and 1.4 points worse"),
        (-0.033, 0.016, 0.01, 0.01, "3.3 points worse than `nonspeech` on speech tasks, and 1.6 points better"),
        (0.05, 0.02, 0.01, 0.3, "5.0 points better than `nonspeech` on speech tasks, and 2.0 points better"),
        (-0.05, -0.02, 0.04, 0.01, "5.0 points worse than `nonspeech` on speech tasks, and 2.0 points worse"),
    ],
)
def test_the_advantage_in_words(
    document: Document, inside: float, outside: float, half: float, p: float, expected: str
) -> None:
    value = inside - outside
    each = replace(
        document.advantages[0], inside=inside, outside=outside, value=value, low=value - half, high=value + half, p=p
    )
    text = sentences(replace(document, advantages=[each]))[0]
    assert text.startswith(f"`speech` is {expected} on non-speech tasks. The first minus the second")
    assert f"is {signed(value, value - half, value + half)} points" in text
    assert ("may be chance" in text) == (abs(value) <= half or p > 0.05)


def test_no_sentence_without_intervals(document: Document) -> None:
    means = [
        replace(row, means={name: replace(mean, low=None, high=None) for name, mean in row.means.items()})
        for row in document.rows
    ]
    assert sentences(replace(document, rows=means, advantages=[])) == []
