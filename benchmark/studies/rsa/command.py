"""``python -m benchmark rsa``: models' similarity of sounds, compared with acoustics and listeners."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
from tqdm import tqdm

from benchmark.models.rows import Asked
from benchmark.reporting.command_line import command_line
from benchmark.studies.findings import save_numbers, write_text
from benchmark.studies.rsa import compare, descriptors, dissimilarity
from benchmark.studies.rsa.compare import Likeness, compared, noise_ceiling, to_listeners
from benchmark.studies.rsa.descriptors import DESCRIPTORS, describe
from benchmark.studies.rsa.dissimilarity import DISTANCES, category_matrix, embedding_matrix, rdms, reference_matrices
from benchmark.studies.rsa.ratings import Ratings, load_ratings
from benchmark.studies.rsa.report import NAME, SET, report
from benchmark.studies.stimuli import Stimuli, drawn, of_folder, sets_plan
from benchmark.studies.study import show_report, study_options
from benchmark.studies.study_setup import Setup, key_of, remembered
from byola_hear.utils.files import replacing

#: Descriptors whose matrices are drawn with the models'.
ALSO_SHOWN: tuple[str, ...] = ("level", "centroid", "pitch", "harmonicity")

#: What ``--ratings`` without a value stands for.
FETCHED = "fetched"

#: Smallest number of sounds for which a descriptor must be defined; all if there are fewer sounds.
LEAST_DEFINED = 10


@click.command(NAME)
@study_options()
@click.option(
    "--per-side",
    type=click.IntRange(8),
    default=100,
    show_default=True,
    help="Number of clips of speech, and of other sounds.",
)
@click.option(
    "--draws",
    type=click.IntRange(0),
    default=200,
    show_default=True,
    help="Number of bootstrap samples of the stimuli.",
)
@click.option(
    "--ratings",
    multiple=True,
    is_flag=False,
    flag_value=FETCHED,
    type=click.Path(path_type=Path),
    metavar="[FILE|FOLDER]",
    help="Listeners' dissimilarities. Without a value: those of the sets that `fetch ratings` builds, in the folder of "
    "labelled sets. Otherwise LISTENER.csv, a square table with names, or .npy with names in a .txt of the same name; "
    "can be given several times.",
)
@click.option(
    "--stimuli",
    "folder",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Folder of the rated sounds, audio files with the names in the ratings; replaces the labelled sets.",
)
@click.option(
    "--add",
    is_flag=True,
    help="With --ratings alone: add the models to the results in the output folder, whose other rows stay. Name the "
    "models that others are compared with, too: untrained,mfcc.",
)
def command(
    per_side: int, draws: int, ratings: tuple[Path, ...], folder: Path | None, add: bool, **options: Any
) -> None:
    """Compare models' dissimilarities of sounds with those of acoustic descriptors and of listeners.

    Writes rsa.csv, rsa.json, rsa.md, rsa_findings.md, rsa_descriptors.csv, rsa_matrices.npz and figures. With --ratings
    alone, writes rsa_listeners.csv, .json, .md and figures instead. The format of other ratings is described in
    benchmark/studies/rsa/ratings.py.

    Exit codes: 0, or 2 if something that you named is not available.
    """
    setup = Setup.of(**options)
    rdms([np.zeros((2, 2))], [""])  # report a missing rsatoolbox before hours of work
    if ratings == (Path(FETCHED),) and folder is None:
        from benchmark.studies.listeners.run import run_listeners

        run_listeners(setup, draws, add)
        return
    if add:
        raise ValueError("expected --add with --ratings alone, which has no value then")
    if bool(ratings) != (folder is not None):
        raise ValueError("expected --ratings and --stimuli together, got only one of them")
    rated = load_ratings(ratings) if ratings else None
    training_clips: Callable[[], list[np.ndarray]]
    if rated is not None and folder is not None:
        stimuli = of_folder(folder, list(rated.names))
        training_clips = partial(stimuli.clips, 16000)
    else:
        planned = sets_plan(setup)
        stimuli, training_clips = drawn(planned, per_side, setup.seed), planned.training_clips
    rows = setup.rows(training_clips)
    key = key_of(stimuli.identity, versions=[descriptors.MEASUREMENT_VERSION])
    described = remembered(setup.cache, "descriptors", key, lambda: stimuli.each("describe", setup.progress, describe))
    matrices = model_matrices(rows, stimuli, setup)
    numbers = similarities(matrices, described, stimuli, rated, draws, setup, rows)
    about = {
        "command": command_line(),
        "seed": setup.seed,
        "per_side": per_side if rated is None else None,
        "stimuli": len(stimuli),
        "draws": draws,
        "descriptors": DESCRIPTORS,
        "extractors": {row.name: [each.identity for each in row.extractors] for row in rows},
        "audio": {labelled.name: labelled.sha256 for labelled, _ in stimuli.parts},
        "listeners": [] if rated is None else list(rated.listeners),
    }
    _write(setup, numbers, matrices, described, stimuli, about)


def model_matrices(rows: Sequence[Asked], stimuli: Stimuli, setup: Setup) -> dict[tuple[str, str], list[np.ndarray]]:
    """Each model's matrices by name and distance, one for each seed."""
    result: dict[tuple[str, str], list[np.ndarray]] = {}
    for row in rows:
        several = [stimuli.embeddings(each, setup.cache, setup.progress) for each in row.extractors]
        for distance in DISTANCES:
            result[row.name, distance] = [embedding_matrix(embeddings, distance) for embeddings in several]
    return result


def similarities(
    matrices: dict[tuple[str, str], list[np.ndarray]],
    described: list[dict[str, list[float]]],
    stimuli: Stimuli,
    rated: Ratings | None,
    draws: int,
    setup: Setup,
    rows: Sequence[Asked],
) -> pd.DataFrame:
    """Compare all models with all references.

    Columns: ``stimuli``, ``model``, ``distance``, ``reference``, ``measure``, ``value``, ``low``, ``high`` and
    ``count``, the number of stimuli. The noise ceiling is a model of that name with its bounds as ``low`` and ``high``.
    """
    kinds = {"stimuli": np.arange(len(stimuli))}
    if rated is None:
        sides = {side: np.flatnonzero(stimuli.sides == side) for side in ("speech", "nonspeech")}
        kinds = {**sides, "together": np.arange(len(stimuli))}
    found: list[dict[str, Any]] = []

    def add(kind: str, model: str, distance: str, likenesses: Sequence[Likeness]) -> None:
        for each in likenesses:
            values = asdict(each)
            count = values.pop("stimuli")
            found.append({"stimuli": kind, "model": model, "distance": distance, **values, "count": count})

    def split(name: str) -> tuple[str, str]:
        model, _, distance = name.rpartition("|")
        return model, distance

    identities = [[row.name, *(each.identity for each in row.extractors)] for row in rows]
    with tqdm(total=len(kinds) * (draws + 1), desc="compare", disable=not setup.progress, leave=False) as bar:
        for kind, chosen in kinds.items():
            part = np.ix_(chosen, chosen)
            references = reference_matrices([described[index] for index in chosen])
            if rated is None:
                references[SET] = category_matrix(stimuli.sets[chosen])
            # Leave out descriptors that are undefined for almost all sounds, or equal for all.
            least = min(LEAST_DEFINED, len(chosen))
            references = {
                name: each
                for name, each in references.items()
                if dissimilarity.defined(each).sum() >= least and np.nanmax(each) > 0
            }
            models = {f"{name}|{distance}": [m[part] for m in each] for (name, distance), each in matrices.items()}

            def compute(
                models: dict[str, list[np.ndarray]] = models, references: dict[str, np.ndarray] = references
            ) -> dict[str, list[dict[str, Any]]]:
                result = compared(models, references, draws, setup.seed, bar)
                return {model: [asdict(each) for each in several] for model, several in result.items()}

            measured = [kind, stimuli.identity, chosen.tolist(), identities, draws, setup.seed, list(references)]
            key = key_of(measured, versions=[compare.MEASUREMENT_VERSION, descriptors.MEASUREMENT_VERSION])
            for model, several in remembered(setup.cache, NAME, key, compute).items():
                add(kind, *split(model), [Likeness(**each) for each in several])
    if rated is not None:
        models = {f"{name}|{distance}": each for (name, distance), each in matrices.items()}
        described_ones = {
            f"{name}|descriptor": [matrix]
            for name, matrix in reference_matrices(described).items()
            if dissimilarity.defined(matrix).all() and np.ptp(matrix) > 0
        }
        for model, several in to_listeners(
            {**models, **described_ones}, list(rated.matrices), draws, setup.seed
        ).items():
            add("stimuli", *split(model), several)
        if len(rated.listeners) > 1:
            for measure in compare.MEASURES:
                low, high = noise_ceiling(list(rated.matrices), measure)
                ceiling = Likeness("listeners", measure, (low + high) / 2, low, high, len(stimuli))
                add("stimuli", "noise ceiling", "ceiling", [ceiling])
    return pd.DataFrame(found)


def _write(
    setup: Setup,
    numbers: pd.DataFrame,
    matrices: dict[tuple[str, str], list[np.ndarray]],
    described: list[dict[str, list[float]]],
    stimuli: Stimuli,
    about: dict[str, Any],
) -> None:
    save_numbers(setup.output, NAME, numbers, about)
    values = {
        name if len(described[0][name]) == 1 else f"{name} {number + 1}": [one[name][number] for one in described]
        for name in DESCRIPTORS
        for number in range(len(described[0][name]))
    }
    columns = {"stimulus": stimuli.names, "side": stimuli.sides, "set": stimuli.sets, "label": stimuli.labels, **values}
    text = pd.DataFrame(columns).to_csv(index=False, lineterminator="\n", float_format="%.6g")
    write_text(setup.output / "rsa_descriptors.csv", text)
    shown = {
        model: np.mean(several, axis=0) for (model, distance), several in matrices.items() if distance == DISTANCES[0]
    }
    references = reference_matrices(described)
    shown |= {name: references[name] for name in ALSO_SHOWN}
    with replacing(setup.output / "rsa_matrices.npz") as stream:
        # Half precision is enough for a picture.
        drawn = np.stack([each.astype(np.float16) for each in shown.values()])
        np.savez_compressed(stream, stimuli=stimuli.names, titles=np.array(list(shown)), matrices=drawn)
    show_report(setup.output, NAME, report(setup.output))
