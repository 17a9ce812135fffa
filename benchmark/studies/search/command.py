"""``python -m benchmark search``: what a search finds by the standardised and by the plain cosine."""

from __future__ import annotations

from typing import Any

import click
import pandas as pd

from benchmark.models.extractors import Extractor
from benchmark.models.rows import shown
from benchmark.probes.command import without_esc10_option
from benchmark.probes.plan import Plan, plan
from benchmark.probes.splits import Task, groups_of
from benchmark.studies.findings import save_numbers
from benchmark.studies.measures import about_models, clips_tested
from benchmark.studies.search.measure import DRAWS, HITS, MEASUREMENT_VERSION, measured
from benchmark.studies.search.report import NAME, report
from benchmark.studies.study import show_report, study_options
from benchmark.studies.study_setup import Setup, features_of, key_of, remembered


@click.command(NAME)
@study_options(models="both,distilled,distilled-small")
@without_esc10_option
@click.option("--validation", is_flag=True, help="Use validation parts instead of test parts, to choose a cosine.")
def command(tasks: str, validation: bool, **options: Any) -> None:
    """Compare the two cosines of `byola-hear search`: which finds more sounds of the query's label?

    The clips of each task are a collection, and each is a query. Small collections are random parts of it. In a third
    measurement, the search stays away from the wrong clip that is most like the query.

    Writes search.csv, search.json, search.md, search_findings.md and search.png.

    Exit codes: 0, or 2 if something that you named is not available.
    """
    setup = Setup.of(**options)
    planned = plan(tasks, setup.audio, setup.cache, validation, seed=setup.seed, progress=setup.progress)
    rows = setup.rows(planned.training_clips)
    found: list[dict[str, Any]] = []
    for row in rows:
        for seed, extractor in enumerate(row.extractors):
            for task in planned.tasks:
                about = {"model": shown(row.name), "seed": seed, "task": task.name}
                found += [{**about, **each} for each in _measured_once(extractor, task, planned, setup)]
    about = {**about_models(rows, planned, validation, setup), "draws": DRAWS, "hits": HITS}
    save_numbers(setup.output, NAME, pd.DataFrame(found), about)
    show_report(setup.output, NAME, report(setup.output))


def _measured_once(extractor: Extractor, task: Task, planned: Plan, setup: Setup) -> list[dict[str, Any]]:
    """Measure a model on a task, or take the numbers from the cache."""
    labelled = planned.sets[task.source]
    rows = clips_tested(planned.folds[task.name], setup.seed)
    key = key_of(extractor.identity, labelled.sha256, task.name, rows, setup.seed, versions=[MEASUREMENT_VERSION])

    def compute() -> list[dict[str, Any]]:
        features = features_of(extractor, labelled, planned.rows[task.source], setup)[rows]
        labels, groups = labelled.manifest[task.label].to_numpy(str), groups_of(task, labelled.manifest)
        return measured(features, labels[rows], groups[rows], setup.seed)

    return remembered(setup.cache, NAME, key, compute)
