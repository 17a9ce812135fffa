"""``python -m benchmark detection``: from a few labels to events in hours of recordings."""

from __future__ import annotations

from typing import Any

import click
import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmark.comparison.intervals import mirrored
from benchmark.datasets.labelled_set import audio_folder, load_set
from benchmark.models.rows import models_by_row
from benchmark.probes.plan import plan
from benchmark.reporting.command_line import command_line
from benchmark.studies.detection import composition, measuring
from benchmark.studies.detection.composition import PARTS, Composed, compose, kinds, sounds_of
from benchmark.studies.detection.measuring import Draw, draws_of, measured, window_of
from benchmark.studies.detection.report import NAME, report
from benchmark.studies.detection.scoring import MEASURES, sed_eval
from benchmark.studies.detection.windows import Embedder
from benchmark.studies.findings import save_numbers
from benchmark.studies.study import show_report, study_options
from benchmark.studies.study_setup import Setup, key_of, remembered


@click.command("detection")
@study_options("both,speech,nonspeech,untrained,distilled,mfcc,yamnet,whisper_tiny")
@click.option(
    "--labelled", type=click.IntRange(5), default=100, show_default=True, help="Number of labelled recordings."
)
@click.option(
    "--tested", type=click.IntRange(2), default=15, show_default=True, help="Number of test recordings of four minutes."
)
@click.option(
    "--draws", type=click.IntRange(1), default=3, show_default=True, help="Number of draws of labels of each count."
)
def command(labelled: int, tested: int, draws: int, **options: Any) -> None:
    """Learn classes from 5, 20 and 100 labels each, and find them in recordings of other speakers and sources.

    Learning, thresholds and detections are those of `byola-hear learn` and `byola-hear predict` with their defaults;
    sed_eval scores them. Writes detection.csv, detection.json, detection.md, detection_findings.md and detection.png.
    Finished models are cached: a command that was stopped continues when run again.

    Exit codes: 0, or 2 if something that you named is not available.
    """
    setup = Setup.of(**options)
    sed_eval()
    folder = audio_folder(setup.audio)
    sets = {name: load_set(folder / f"{name}.tar", setup.cache) for name in ("esc50", "speech_commands_12")}
    rows = setup.rows(lambda: plan("esc50", setup.audio, setup.cache).training_clips())
    sounds = sounds_of(sets)
    counts = dict(zip(PARTS, (labelled, tested), strict=True))
    parts = {part: compose(part, sounds[part], sets, counts[part], setup.seed) for part in PARTS}
    chosen = draws_of(labelled, draws)
    window = window_of(parts["learn"])
    names = models_by_row(setup.models)
    found: list[dict[str, Any]] = []
    for row in rows:
        for seed, extractor in enumerate(row.extractors):
            embedder = Embedder.of(extractor, names[row.name])
            for each in _remembered(embedder, parts, chosen, window, setup):
                found.append({"model": row.name, "seed": seed, **each})
    about = {
        "command": command_line(),
        "seed": setup.seed,
        "window": window,
        "hop": window / 2,
        "labelled_minutes": parts["learn"].seconds / 60,
        "test_minutes": parts["test"].seconds / 60,
        "test_recordings": tested,
        "test_events": len(parts["test"].events),
        "draws": {str(count): sum(draw.count == count for draw in chosen) for count in measuring.COUNTS},
        "clips": {part: _clips(parts[part]) for part in PARTS},
        "extractors": {row.name: [each.identity for each in row.extractors] for row in rows},
        "audio": {name: each.sha256 for name, each in sets.items()},
    }
    save_numbers(setup.output, NAME, numbers_of(found), about)
    show_report(setup.output, NAME, report(setup.output))


def _clips(composed: Composed) -> dict[str, int]:
    """The number of different clips of each class."""
    return {str(name): int(count) for name, count in composed.events.groupby("label")["clip"].nunique().items()}


def _remembered(
    embedder: Embedder, parts: dict[str, Composed], draws: list[Draw], window: float, setup: Setup
) -> list[dict[str, Any]]:
    key = key_of(
        embedder.identity,
        [parts[part].recordings.sha256 for part in PARTS],
        [[draw.count, draw.number, draw.rows.tolist()] for draw in draws],
        window,
        versions=[measuring.MEASUREMENT_VERSION, composition.VERSION],
    )
    both = parts["learn"], parts["test"]
    total = len(draws) + len(parts["test"].recordings)

    def compute() -> list[dict[str, Any]]:
        with tqdm(total=total, desc=embedder.row, disable=not setup.progress, leave=False) as bar:
            return measured(embedder, both, draws, window, window / 2, bar.update)

    results: list[dict[str, Any]] = remembered(setup.cache, NAME, key, compute)
    return results


def numbers_of(found: list[dict[str, Any]]) -> pd.DataFrame:
    """Means and intervals of the kinds of classes, and the mean of each class.

    Intervals are of 95 %, basic bootstrap limits for values and percentiles for differences. Test recordings and draws
    of labels are drawn with replacement, the same ones for all models, so that the difference to the first model has an
    interval, too. Several seeds are averaged.

    Args:
        found: ``model``, ``seed`` and what :func:`benchmark.studies.detection.measuring.measured` returns.

    Returns:
        Columns ``model``, ``count``, ``kind``, ``label`` (empty for the mean of a kind), ``measure``, ``value``,
        ``low``, ``high``, and ``more``, ``more_low``, ``more_high``: the difference to the first model.
    """
    table = pd.DataFrame(found)
    lines = []
    first: dict[tuple[int, str, str], tuple[float, np.ndarray]] = {}
    for (model, count), rows in table.groupby(["model", "count"], sort=False):
        by_draw = [part for _, part in rows.groupby("draw")]
        for kind in composition.CLASSES:
            labels = [name for name, its in kinds().items() if its == kind]
            for measure in MEASURES:
                means = {name: float(np.mean([each[name][measure] for each in rows["classes"]])) for name in labels}
                value = float(np.mean(list(means.values())))
                resampled = np.array(
                    [np.mean([each[kind][measure] for each in part["resampled"]], axis=0) for part in by_draw]
                )
                drawn = np.random.default_rng(count).integers(len(by_draw), size=(len(by_draw), resampled.shape[1]))
                spread = np.take_along_axis(resampled, drawn, 0).mean(0)
                start, others = first.setdefault((count, kind, measure), (value, spread))
                # Draws of average precision lie above the value. In the difference of two models, this cancels out.
                low, high = mirrored(value, np.quantile(spread, (0.025, 0.975)), 0, 1)
                more_low, more_high = np.quantile(spread - others, (0.025, 0.975))
                base = {"model": model, "count": count, "kind": kind, "measure": measure}
                interval = {"low": low, "high": high, "more": value - start}
                lines.append(
                    {**base, "label": "", "value": value, **interval, "more_low": more_low, "more_high": more_high}
                )
                lines += [{**base, "label": name, "value": mean} for name, mean in means.items()]
    columns = ["model", "count", "kind", "label", "measure", "value", "low", "high", "more", "more_low", "more_high"]
    return pd.DataFrame(lines)[columns]
