"""A kept table and new outcomes, in one summary."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmark.comparison.advantage import Advantage
from benchmark.comparison.comparison import compare
from benchmark.comparison.document import Document, DocumentRow
from benchmark.comparison.folder import load_run
from benchmark.comparison.joined import joined, valid_cells
from benchmark.comparison.markdown import markdown_tables
from benchmark.comparison.rows import OVERALL
from tests.benchmark.comparison.conftest import RunFolder, planted
from tests.benchmark.comparison.documents import document_of


def without(folder: Path, *names: str) -> Path:
    """Remove outcomes, as MODEL/TASK with wildcards."""
    for name in names:
        for path in (folder / "outcomes").glob(f"{name}.npz"):
            path.unlink()
    return folder


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Document, Document, Path]:
    """What ``kept_and_whole`` copies."""
    folders = (RunFolder(tmp_path_factory.mktemp("run")) for _ in range(3))
    whole, before, after = (planted(folder, 0.1, tasks=3, files=150) for folder in folders)
    provenance = {"commit": "abc", "time": "2026-01-02T03:04", "hardware": "a machine"}
    del before.tasks["speech2"]
    kept = document_of(without(before.write(provenance=provenance), "*/speech2"))
    later = {**provenance, "commit": "def", "time": "2026-02-03T04:05"}
    return kept, document_of(whole.write()), without(after.write(provenance=later), "*/speech[01]", "*/nonspeech*")


@pytest.fixture
def kept_and_whole(made_once: tuple[Document, Document, Path], tmp_path: Path) -> tuple[Document, Document, Path]:
    """A kept table without one task, the table of all outcomes, and a run's folder with that task's outcomes alone."""
    kept, whole, folder = made_once
    return deepcopy(kept), deepcopy(whole), Path(shutil.copytree(folder, tmp_path / "run"))


def test_joined_is_the_table_of_all_outcomes(kept_and_whole: tuple[Document, Document, Path]) -> None:
    kept, whole, folder = kept_and_whole
    found = joined(kept, compare(load_run(folder)))
    assert [row.name for row in found.rows] == [row.name for row in whole.rows]
    assert [column.name for column in found.columns] == [column.name for column in whole.columns]
    assert found.in_means == whole.in_means and found.best == whole.best
    assert found.hear.tasks == whole.hear.tasks and set(found.hear.rows) == set(whole.hear.rows)
    assert kept.notes == ["speech2: no column, because the task is not available"] and not found.notes
    for row, expected in zip(found.rows, whole.rows):
        assert row.cells == expected.cells and not row.missing
        assert row.means["nonspeech"] == expected.means["nonspeech"]
        for group in ("speech", OVERALL):
            one, other = row.means[group], expected.means[group]
            assert one.value == pytest.approx(other.value)
            assert one.low is not None and other.low is not None
            assert one.value - one.low == pytest.approx(other.value - other.low, rel=0.2)
        assert row.hear is not None and expected.hear is not None and row.hear.low is None
        assert row.hear.value == pytest.approx(expected.hear.value)
    for each, same in zip(found.advantages, whole.advantages, strict=True):
        assert each.differences == same.differences
        assert (each.value, each.p) == pytest.approx((same.value, same.p))
        assert each.low is not None and same.low is not None
        assert each.value - each.low == pytest.approx(same.value - same.low, rel=0.2)


def test_an_advantage_has_an_interval_if_two_networks_are_equal_in_every_draw(
    kept_and_whole: tuple[Document, Document, Path],
) -> None:
    kept, _, folder = kept_and_whole
    usual = joined(kept, compare(load_run(folder))).advantages[0]

    def changed(**values: Any) -> Advantage:
        for each in kept.advantages:
            each.differences[:] = [replace(one, low=None, high=None, **values) for one in each.differences]
        return joined(kept, compare(load_run(folder))).advantages[0]

    equal = changed()
    assert equal.low is not None and equal.high is not None and usual.low is not None and usual.high is not None
    assert 0 < equal.high - equal.low < usual.high - usual.low
    # Without draws, nothing is known.
    assert changed(test="none").low is None


def test_the_page_says_what_was_measured_when(kept_and_whole: tuple[Document, Document, Path]) -> None:
    kept, _, folder = kept_and_whole
    found = joined(kept, compare(load_run(folder)))
    text = markdown_tables(found)
    assert "Measured at commit abc on 2026-01-02, a machine." in text
    assert "Completed at commit def on 2026-02-03, a machine: speech 2 of all models." in text
    assert "approximate basic bootstrap interval" not in text
    again = joined(found, compare(load_run(folder)))
    assert again.about == found.about  # nothing is new the second time


def test_outcomes_that_a_run_took_over_keep_their_provenance(new_run: Callable[[], RunFolder]) -> None:
    first, second = ({"commit": name, "time": "2026-01-02T03:04", "hardware": "a machine"} for name in ("abc", "def"))
    before, after = (planted(new_run(), 0.1, tasks=2, files=150) for _ in range(2))
    del before.tasks["speech1"]
    kept = document_of(without(before.write(provenance=first), "*/speech1"))
    text = markdown_tables(joined(kept, compare(load_run(after.write(provenance=second)))))
    assert "Measured at commit abc on 2026-01-02, a machine." in text
    assert "Completed at commit def on 2026-01-02, a machine: speech 1 of all models." in text
    other = planted(new_run(), 0.3, tasks=2, files=170)
    text = markdown_tables(joined(kept, compare(load_run(other.write(provenance=second)))))
    assert "Measured at commit def on 2026-01-02, a machine." in text and "Completed" not in text


def test_a_model_that_changed_is_new_also_where_its_score_stayed(new_run: Callable[[], RunFolder]) -> None:
    first, second = ({"commit": name, "time": "2026-01-02T03:04", "hardware": "a machine"} for name in ("abc", "def"))
    before, after = (planted(new_run(), 0.1, tasks=1, files=50) for _ in range(2))
    kept = document_of(before.write(provenance=first))
    rows = [replace(row, identity="older") if row.name == "mfcc" else row for row in kept.rows]
    found = joined(replace(kept, rows=rows), compare(load_run(after.write(provenance=second))))
    assert "Completed at commit def on 2026-01-02, a machine: speech 0, nonspeech 0 of mfcc." in markdown_tables(found)


def test_an_interval_over_folds_is_no_part_of_a_mean(kept_and_whole: tuple[Document, Document, Path]) -> None:
    """As in a table that was measured at one time, whose means are over the tested files."""
    kept, _, folder = kept_and_whole

    def with_folds(row: DocumentRow) -> DocumentRow:
        return replace(row, cells={**row.cells, "speech0": replace(row.cells["speech0"], interval="folds")})

    found = joined(replace(kept, rows=[with_folds(row) for row in kept.rows]), compare(load_run(folder)))
    for row in found.rows:
        assert row.means["nonspeech"].low is not None
        assert row.means["speech"].low is None and row.means[OVERALL].low is None


def test_a_row_that_lacks_cells_has_no_mean(kept_and_whole: tuple[Document, Document, Path]) -> None:
    kept, _, folder = kept_and_whole
    found = joined(kept, compare(load_run(without(folder, "mfcc/*"))))
    row = next(row for row in found.rows if row.name == "mfcc")
    assert len(row.cells) == 5 and list(row.missing) == ["speech2"]
    assert list(row.means) == ["nonspeech"]
    assert found.hear.tasks == [column.name for column in found.columns if column.name != "speech2"]
    assert "mfcc: without speech 2: " in markdown_tables(found)


def test_a_new_row_lacks_what_was_not_measured(kept_and_whole: tuple[Document, Document, Path]) -> None:
    kept, _, folder = kept_and_whole
    known = replace(kept, rows=[row for row in kept.rows if row.name != "mfcc"])
    found = joined(known, compare(load_run(folder)))
    row = next(row for row in found.rows if row.name == "mfcc")
    assert list(row.cells) == ["speech2"] and not row.means and row.hear is None
    assert "mfcc: without speech 0, speech 1, nonspeech 0, nonspeech 1, nonspeech 2: not run" in markdown_tables(found)


def test_cells_of_other_models_and_tasks_do_not_stay(kept_and_whole: tuple[Document, Document, Path]) -> None:
    kept, _, folder = kept_and_whole
    tasks = {column.name: column.sha256 for column in kept.columns}
    models = {row.name: row.identity for row in kept.rows}
    assert len(valid_cells(kept, tasks, models)) == 5 * 5
    changed = valid_cells(kept, {**tasks, "speech0": "other"}, {**models, "both": "other", "mfcc": ""})
    assert len(changed) == 4 * 4 and not any(model == "both" or task == "speech0" for model, task in changed)
    with pytest.raises(ValueError, match="settings of the kept table, grid_points 2, got 8"):
        joined(replace(kept, settings={**kept.settings, "grid_points": 2}), compare(load_run(folder)))
