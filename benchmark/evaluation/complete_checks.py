"""Which models a completed table has, and what keeps a table from being completed."""

from __future__ import annotations

from pathlib import Path

import byola_hear
from benchmark.baselines import BASELINES, UNTRAINED
from benchmark.comparison.document import Document
from benchmark.evaluation.output import Output
from benchmark.evaluation.settings import ProbeSettings
from benchmark.models.loading import ModelName
from benchmark.models.rows import models_by_row
from benchmark.tasks.layout import Prepared
from benchmark.tasks.registry import SUITES


def rows_to_measure(kept: list[str], asked: list[str]) -> list[str]:
    """Names of the models of a completed table: those of the kept one, and those that are asked for.

    A baseline that is asked for with weights replaces the row of its default weights. An untrained network of another
    seed does not: the findings compare with the row ``untrained``.

    Args:
        kept: the rows of the kept table.
        asked: names of models, as ``--models`` of a run takes them.

    Example:
        >>> rows_to_measure(["both", "vggish", "wav2vec2"], ["wav2vec2=FOLDER", "logmel"])
        ['both', 'vggish', 'wav2vec2=FOLDER', 'logmel']
        >>> rows_to_measure(["both", "untrained"], ["untrained=1"])
        ['both', 'untrained', 'untrained=1']
    """
    with_weights = {ModelName.of(name).baseline: name for name in asked if "=" in name and not _is_seed(name)}
    rows = [with_weights.get(name, name) for name in kept]
    return list(dict.fromkeys([*rows, *asked]))


def check_tasks(kept: Document, prepared: list[Prepared], missing: dict[str, str], changed: bool = False) -> None:
    """Check that a completed table can keep the columns of the kept one.

    Args:
        kept: the kept table.
        prepared: the tasks of its suite.
        missing: reasons why other tasks of the suite can't be prepared, by name.
        changed: whether tasks may differ from those of the kept table.

    Raises:
        ValueError: if a task can't be prepared, or differs.
    """
    if missing:
        reasons = "; ".join(f"{name}: {why}" for name, why in missing.items())
        raise ValueError(f"expected every task of the suite {kept.suite}, {len(missing)} can't be prepared: {reasons}")
    hashes = {column.name: column.sha256 for column in kept.columns if column.metric}
    others = [task.name for task in prepared if hashes.get(task.name, task.sha256) != task.sha256]
    if others and not changed:
        raise ValueError(
            f"expected the clips and settings of the kept table, got others in {', '.join(others)}; --measure-changed "
            "measures these tasks again for all models"
        )


def check_folder(output: Path, suite: str, settings: ProbeSettings) -> None:
    """Check that a folder is new or has a run of a suite, so that its tables are of that suite.

    Args:
        output: the folder; created if necessary.
        suite: the suite.
        settings: settings of the probes.

    Raises:
        ValueError: if it has a run of other tasks or settings, or files that the benchmark did not write.
    """
    others = [name for name in Output(output, settings).tasks() if name not in SUITES[suite]]
    if others:
        raise ValueError(
            f"expected a new folder or one of the suite {suite}, found a run of {', '.join(others)} in {output}; "
            "choose another folder"
        )


def check_rows(kept: Document, rows: list[str]) -> None:
    """Check that no model with scores is left out of a completed table because nothing says where its weights are.

    Args:
        kept: the kept table.
        rows: names of the models of the completed table.

    Raises:
        ValueError: if one is left out.
    """
    found = models_by_row(rows)
    lost = [row.name for row in kept.rows if row.cells and not has_a_name(row.name) and row.name not in found]
    if lost:
        again = [f"{name.partition('=')[0]}=WEIGHTS" if "=" in name else f"FOLDER/{name}.safetensors" for name in lost]
        raise ValueError(
            f"expected the weights of {', '.join(lost)}, which the kept table has; name them again: "
            f"--models {','.join(again)}"
        )


def has_a_name(row: str) -> bool:
    """Whether the name of a row is enough to load its model. That of a checkpoint, or of a baseline with other weights
    than the default, ``NAME=WEIGHTS``, is not.
    """
    return row in (*byola_hear.list_models(), *BASELINES) or _is_seed(row)


def _is_seed(name: str) -> bool:
    """Whether a name is that of an untrained network with its seed, such as ``untrained=1``."""
    return ModelName.of(name).baseline in UNTRAINED and "=" in name
