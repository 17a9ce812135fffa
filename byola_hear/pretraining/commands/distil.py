"""``python -m byola_hear.pretraining distil``: train a network to predict what other networks make of audio."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import torch

from byola_hear.pretraining.commands.options import FOLDER, progress_bar, workers_option
from byola_hear.pretraining.commands.recipe_options import (
    SETTINGS,
    encoder_of,
    kind_options,
    kind_weights_of,
    setting_options,
    shape_options,
    weights_option,
)
from byola_hear.pretraining.commands.running import cache_for, run_arguments, running_options, train_in_folder
from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.distillation.sampler import SegmentSampler
from byola_hear.pretraining.distillation.teachers import Teacher, load_teacher
from byola_hear.pretraining.distillation.vectors import TeacherVectors, teacher_vectors
from byola_hear.pretraining.training.distributed import Place, launched
from byola_hear.pretraining.training.recipe import COMBINED, DISTIL, Recipe
from byola_hear.pretraining.training.start import Start
from byola_hear.pretraining.training.train import Trainer

#: Settings of a recipe that count here.
OWN = ("steps", "batch_size", "crop_frames", "learning_rate", "warm_up_steps", "weight_decay", "seed")
#: Any teacher, as the defaults do not depend on it.
USUAL = Recipe.distil({"": {"size": 1}})


def recipe_settings(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a recipe of distillation to a command."""
    options = [
        *setting_options({name: SETTINGS[name] for name in OWN}, "", {DISTIL: USUAL}),
        *kind_options(USUAL.encoder.kind),
        *shape_options(COMBINED[DISTIL]),
    ]
    for option in reversed(options):
        function = option(function)
    return function


@click.command(short_help="Train a network to predict what other networks make of audio.")
@run_arguments
@click.option(
    "--teacher",
    "teachers",
    multiple=True,
    required=True,
    metavar="MODULE[=WEIGHTS][@KIND+KIND]",
    help="A module with HEAR's functions, its weights, and the kinds of sound that it teaches. Default: its own "
    "weights, all kinds. Can be given several times.",
)
@click.option(
    "--vectors",
    "vectors_folder",
    type=FOLDER,
    help="Folder of the teachers' vectors. Default: MANIFEST with the ending .teachers.",
)
@recipe_settings
@weights_option
@running_options
@workers_option
def distil(
    manifest: Path,
    output: Path,
    teachers: tuple[str, ...],
    cache_folder: Path | None,
    vectors_folder: Path | None,
    start: str | None,
    kind_weights: str | None,
    minutes: float | None,
    **options: Any,
) -> None:
    """Train a network on the audio of MANIFEST to predict the embeddings of teachers: other networks, of any size.

    A teacher is a Python module with HEAR's functions, for instance byola_hear=both. Its vectors are computed first,
    one for each segment of audio, and kept. Then the network learns to predict the directions of all teachers' vectors
    by a linear layer each. The same command resumes a killed run.

    With --from, training begins with the weights, the front end and the statistics of a network that exists.

    Exit codes: 0: finished, or stopped by --minutes; 1: training diverged, the last saved state is kept; 2: wrong
    usage, or a file or a teacher that can't be used; 130: interrupted.
    """
    if len({*teachers}) < len(teachers):
        raise click.UsageError(f"expected each --teacher once, got {', '.join(teachers)}")
    loaded = [load_teacher(text) for text in teachers]
    if len({each.name for each in loaded}) < len(loaded):
        raise click.UsageError(
            f"expected teachers with names of their own, got {', '.join(each.name for each in loaded)}"
        )
    begin = None if start is None else Start.of(start)
    recipe = _recipe(loaded, {**options, "kind_weights": kind_weights or ""})
    if begin is not None:
        recipe = begin.continued(recipe, options)
    if options["threads"]:
        torch.set_num_threads(options["threads"])
    with launched(options["device"]) as place:
        folder = cache_folder or manifest.with_suffix(".cache")
        audio = cache_for(place, manifest, folder, options["workers"], begin.model.config.frontend if begin else None)
        audio = audio if begin is None else begin.normalised_as_before(audio)
        made = vectors_folder or manifest.with_suffix(".teachers")
        vectors = [_vectors_of(place, teacher, manifest, audio, folder, made, recipe) for teacher in loaded]
        sampler = SegmentSampler(audio, recipe, place, vectors)
        train_in_folder(
            output,
            place,
            lambda: Trainer(audio, recipe, output, place, options["precision"], begin, sampler),
            minutes,
            options["save_every"],
        )


def _recipe(teachers: list[Teacher], options: dict[str, Any]) -> Recipe:
    """The recipe that the options describe."""
    given = {name: value for name, value in options.items() if value is not None}
    settings = {name: given[name] for name in OWN if name in given}
    return replace(
        Recipe.distil({each.name: each.facts() for each in teachers}),
        **settings,
        kind_weights=kind_weights_of(options["kind_weights"]),
        encoder=encoder_of(given, USUAL.encoder.kind, settings.get("crop_frames", USUAL.crop_frames)),
    )


def _vectors_of(
    place: Place,
    teacher: Teacher,
    manifest: Path,
    audio: LogMelCache,
    cache_folder: Path,
    output: Path,
    recipe: Recipe,
) -> TeacherVectors:
    """Compute a teacher's vectors in the first process, which reports the rows left out, and open them in all."""
    arguments = (teacher, manifest, audio, cache_folder, output, recipe.crop_frames)
    if place.is_first:
        with progress_bar(f"teacher {teacher.name}", "row", leave=False) as bar:

            def report(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            vectors = teacher_vectors(*arguments, progress=report)
        if failed := vectors.failed:
            n_rows = len(audio.starts)
            click.echo(
                f"teacher {teacher.name}: {len(failed)} of {n_rows} rows left out; the first: {failed[0]}", err=True
            )
        place.wait()
        return vectors
    place.wait()
    return teacher_vectors(*arguments)
