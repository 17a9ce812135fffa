"""``python -m benchmark finetuning``: does fine-tuning beat frozen embeddings, on groups that were held out?"""

from __future__ import annotations

from functools import partial
from typing import Any

import click
import pandas as pd

from benchmark.datasets.labelled_set import audio_folder, load_set
from benchmark.models.rows import models_by_row
from benchmark.probes.splits import TASKS
from benchmark.reporting.command_line import command_line
from benchmark.studies.findings import save_numbers
from benchmark.studies.finetuning import measuring
from benchmark.studies.finetuning.measuring import measured
from benchmark.studies.finetuning.report import NAME, report
from benchmark.studies.study import show_report, study_options
from benchmark.studies.study_setup import Setup, key_of, remembered
from byola_hear.cli.finetune import Bar
from byola_hear.finetuning.recipe import Recipe
from byola_hear.models.loading import resolve

DEFAULTS = Recipe()


@click.command(NAME)
@study_options(models="both", baselines=False)
@click.option(
    "--tasks",
    default="esc10,emodb",
    show_default=True,
    metavar="NAME,…",
    help=f"Tasks: names out of {', '.join(TASKS)}.",
)
@click.option(
    "--epochs", type=click.IntRange(1), default=DEFAULTS.epochs, show_default=True, help="Passes through the clips."
)
@click.option("--folds", type=click.IntRange(2), default=DEFAULTS.folds, show_default=True, help="Folds held out.")
def command(tasks: str, epochs: int, folds: int, **options: Any) -> None:
    """Fine-tune networks as `byola-hear finetune` does by default, and compare them with frozen ones.

    Folds never split a source recording or a speaker. Writes finetuning.csv, finetuning.json, finetuning.md,
    finetuning_findings.md and finetuning.png. A command that was stopped continues when run again.

    Exit codes: 0, or 2 if something that you named is not available.
    """
    names = [name.strip() for name in tasks.split(",")]
    if unknown := [name for name in names if name not in TASKS]:
        raise click.UsageError(f"expected tasks out of {', '.join(TASKS)}, got {unknown[0]!r}")
    setup = Setup.of(**options)
    recipe = Recipe(epochs=epochs, folds=folds, seed=setup.seed)
    folder = audio_folder(setup.audio)
    sets = {name: load_set(folder / f"{name}.tar", setup.cache) for name in {TASKS[each].source for each in names}}
    models = models_by_row(setup.models)
    if baselines := [row for row, model in models.items() if model.baseline]:
        raise click.UsageError(f"expected networks, got the baseline {baselines[0]}: only networks are fine-tuned")
    if precise := [row for row, model in models.items() if model.precision]:
        raise click.UsageError(f"expected networks in float32, from which fine-tuning starts, got {precise[0]}")
    networks = {row: resolve(model.weights).fingerprint() for row, model in models.items()}
    found: list[dict[str, Any]] = []
    for row, model in models.items():
        for name in names:
            labelled = sets[TASKS[name].source]
            parts = networks[row], labelled.sha256, name, recipe.to_dict()
            key = key_of(*parts, versions=[measuring.MEASUREMENT_VERSION])
            work = setup.cache / "studies" / f"{NAME}-{key}"
            with Bar(setup.progress) as bar:
                compute = partial(measured, model.weights, TASKS[name], labelled, recipe, work, bar)
                found.append({"model": row, "task": name, **remembered(setup.cache, NAME, key, compute)})
    about = {
        "command": command_line(),
        "recipe": recipe.to_dict(),
        "curves": {f"{each['model']} {each['task']}": each["curves"] for each in found},
        "networks": networks,
        "audio": {name: labelled.sha256 for name, labelled in sets.items()},
    }
    numbers = pd.DataFrame(found).drop(columns="curves")
    save_numbers(setup.output, NAME, numbers, about)
    show_report(setup.output, NAME, report(setup.output))
