"""``python -m benchmark rsa``: what makes two sounds alike to a model, in terms of acoustics and listeners."""

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

from benchmark.findings import frame_table, listed, read_about, read_numbers, save_findings, save_study
from benchmark.probe_command import Asked
from benchmark.rsa import compare, descriptors, dissimilarity
from benchmark.rsa.compare import Likeness, compared, noise_ceiling, to_listeners
from benchmark.rsa.descriptors import DESCRIPTORS, describe
from benchmark.rsa.dissimilarity import DISTANCES, category_matrix, embedding_matrix, reference_matrices
from benchmark.rsa.figures import STIMULI_TITLES, draw_bars, draw_matrices
from benchmark.rsa.ratings import Ratings, load_ratings
from benchmark.stimuli import Stimuli, drawn, of_folder, sets_plan
from benchmark.study import study_options
from benchmark.study_setup import Setup, key_of, remembered

NAME = "rsa"
TITLE = "What makes two sounds alike to a network"

#: The category that is held constant in partial correlations: sets differ in how they were recorded.
SET = "same set"

#: Descriptors whose matrices are drawn beside the models'.
ALSO_SHOWN: tuple[str, ...] = ("level", "centroid", "pitch", "harmonicity")


@click.command(NAME)
@study_options()
@click.option(
    "--per-side", type=click.IntRange(8), default=100, show_default=True, help="Clips of speech, and of others."
)
@click.option(
    "--draws", type=click.IntRange(0), default=200, show_default=True, help="Bootstrap samples of the stimuli."
)
@click.option(
    "--ratings",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE|FOLDER",
    help="Listeners' dissimilarities: LISTENER.csv, a square table with names, or .npy with names in a .txt beside it; "
    "may be given several times.",
)
@click.option(
    "--stimuli",
    "folder",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="The rated sounds, audio files called as the ratings call them; the labelled sets are then left alone.",
)
def rsa_command(per_side: int, draws: int, ratings: tuple[Path, ...], folder: Path | None, **options: Any) -> None:
    """Representational similarity analysis: models' dissimilarity matrices beside those of acoustic descriptors and
    of listeners.

    Writes rsa.csv, rsa.json, rsa.md, rsa_findings.md, rsa_descriptors.csv, rsa_matrices.npz and figures. Published
    ratings that fit, and their form, are described in benchmark/rsa/ratings.py.

    Exit codes: 0, or 2 where something that was asked for can't be had.
    """
    setup = Setup.of(**options)
    if bool(ratings) != (folder is not None):
        raise ValueError("expected --ratings and --stimuli together, got one of them")
    rated = load_ratings(ratings) if ratings else None
    training_clips: Callable[[], list[np.ndarray]]
    if rated is not None and folder is not None:
        stimuli = of_folder(folder, list(rated.names))
        training_clips = partial(stimuli.clips, 16000)
    else:
        planned = sets_plan(setup)
        stimuli, training_clips = drawn(planned, per_side, setup.seed), planned.training_clips
    rows = setup.rows(training_clips)
    key = key_of(stimuli.identity, code=[descriptors.__file__])
    described = remembered(setup.cache, "descriptors", key, lambda: stimuli.each("describe", setup.progress, describe))
    matrices = model_matrices(rows, stimuli, setup)
    numbers = similarities(matrices, described, stimuli, rated, draws, setup, rows)
    about = {
        "command": "python -m benchmark rsa",
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
    """Each model's matrices by name and distance, one a seed."""
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
    """Every likeness, with columns ``stimuli``, ``model``, ``distance``, ``reference``, ``measure``, ``value``,
    ``low``, ``high`` and ``count``, the number of stimuli; the ceiling is a model called ``noise ceiling``, whose
    bounds are ``low`` and ``high``."""
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

    code = [compare.__file__, dissimilarity.__file__, descriptors.__file__]
    identities = [[row.name, *(each.identity for each in row.extractors)] for row in rows]
    with tqdm(total=len(kinds) * (draws + 1), desc="compare", disable=not setup.progress, leave=False) as bar:
        for kind, chosen in kinds.items():
            part = np.ix_(chosen, chosen)
            references = reference_matrices([described[index] for index in chosen])
            if rated is None:
                references[SET] = category_matrix(stimuli.sets[chosen])
            # A descriptor that is undefined for almost all, or the same for all, says nothing here.
            references = {name: each for name, each in references.items() if np.nanmax(each, initial=0) > 0}
            models = {f"{name}|{distance}": [m[part] for m in each] for (name, distance), each in matrices.items()}

            def compute(
                models: dict[str, list[np.ndarray]] = models, references: dict[str, np.ndarray] = references
            ) -> dict[str, list[dict[str, Any]]]:
                result = compared(models, references, draws, setup.seed, bar)
                return {model: [asdict(each) for each in several] for model, several in result.items()}

            key = key_of(kind, stimuli.identity, chosen, identities, draws, setup.seed, code=code)
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
    from byola_hear.files import replacing

    shown = {
        model: np.mean(several, axis=0) for (model, distance), several in matrices.items() if distance == DISTANCES[0]
    }
    references = reference_matrices(described)
    also = {name: references[name] for name in ALSO_SHOWN}
    figures = {
        "rsa": draw_bars(numbers[numbers["model"] != "noise ceiling"], "spearman", DISTANCES[0]),
        "rsa_partial": draw_bars(numbers, "partial", DISTANCES[0]),
        "rsa_matrices": draw_matrices({**shown, **also}, stimuli.sets),
    }
    if (numbers["reference"] == "listeners").any():
        figures["rsa_listeners"] = draw_listeners(numbers)
    save_study(setup.output, NAME, numbers, figures, about)
    values = {
        name if len(described[0][name]) == 1 else f"{name} {number + 1}": [one[name][number] for one in described]
        for name in DESCRIPTORS
        for number in range(len(described[0][name]))
    }
    columns = {"stimulus": stimuli.names, "side": stimuli.sides, "set": stimuli.sets, "label": stimuli.labels, **values}
    with replacing(setup.output / "rsa_descriptors.csv") as stream:
        text = pd.DataFrame(columns).to_csv(index=False, lineterminator="\n", float_format="%.6g")
        stream.write(text.encode())
    with replacing(setup.output / "rsa_matrices.npz") as stream:
        # Half precision does for a picture.
        matrices_shown = np.stack([each.astype(np.float16) for each in (*shown.values(), *also.values())])
        np.savez_compressed(stream, stimuli=stimuli.names, titles=np.array([*shown, *also]), matrices=matrices_shown)
    captions = {
        "rsa": "Spearman's correlation of the models' dissimilarities (one minus correlation) with those of acoustic "
        "descriptors, 95 % bootstrap intervals over the stimuli.",
        "rsa_partial": "The same given all the other descriptors and whether two sounds are of one set.",
        "rsa_matrices": "Dissimilarities of all pairs of sounds, dark where they are alike.",
        "rsa_listeners": "Correlation with listeners' ratings; grey, the noise ceiling.",
    }
    save_findings(
        setup.output,
        NAME,
        TITLE,
        sentences(setup.output),
        [_table(numbers)],
        {name: captions[name] for name in figures},
    )
    click.echo(_table(numbers))


def draw_listeners(numbers: pd.DataFrame) -> Any:
    """Models' and descriptors' correlations with the listeners' ratings, and the noise ceiling where there is one."""
    from benchmark.study import colours, new_figure

    chosen = numbers[(numbers["reference"] == "listeners") & (numbers["measure"] == "spearman")]
    bars = chosen[chosen["distance"].isin((DISTANCES[0], "descriptor"))]
    figure = new_figure(max(6.0, 0.5 * len(bars) + 1.5), 4.0)
    axis = figure.subplots()
    colour = colours(list(bars["model"]))
    places = np.arange(len(bars))
    filled = [colour[m] if d != "descriptor" else "#d9d9d9" for m, d in zip(bars["model"], bars["distance"])]
    axis.bar(places, bars["value"], color=filled)
    axis.vlines(places, bars["low"], bars["high"], color="black", linewidth=0.8)
    ceiling = chosen[chosen["distance"] == "ceiling"]
    for low, high in zip(ceiling["low"], ceiling["high"]):
        axis.axhspan(low, high, color="0.8", zorder=0)
    axis.set_xticks(places)
    axis.set_xticklabels(bars["model"], rotation=40, ha="right")
    axis.set_ylabel("Spearman's correlation with listeners")
    axis.axhline(0, color="black", linewidth=0.6)
    return figure


def _table(numbers: pd.DataFrame) -> str:
    """Spearman's correlations in Markdown, rows models, columns descriptors, for the stimuli together."""
    chosen = numbers[(numbers["measure"] == "spearman") & (numbers["distance"] == DISTANCES[0])]
    kind = list(chosen["stimuli"])[-1]
    wide = chosen[chosen["stimuli"] == kind].pivot_table(index="model", columns="reference", values="value", sort=False)
    heading = f"Spearman's correlation of dissimilarities, {STIMULI_TITLES[kind]}:\n\n"
    return heading + frame_table(wide.rename_axis(index="model").map(lambda value: f"{value:.2f}"))


def sentences(folder: Path) -> list[str]:
    """Three sentences on what was found, every number out of ``rsa.csv`` in ``folder``.

    Raises:
        FileNotFoundError: if it is not there.
    """
    numbers, about = read_numbers(folder, NAME), read_about(folder, NAME)
    plain = numbers[(numbers["distance"] == DISTANCES[0]) & numbers["reference"].isin(DESCRIPTORS)]
    model = numbers["model"].iloc[0]
    kinds = list(dict.fromkeys(plain["stimuli"]))

    def strongest(measure: str, kind: str, of: str, count: int) -> list[str]:
        rows = plain[(plain["measure"] == measure) & (plain["stimuli"] == kind) & (plain["model"] == of)]
        best = rows.sort_values("value", ascending=False, kind="stable").head(count)
        return [f"{name} ({value:.2f})" for name, value in zip(best["reference"], best["value"])]

    by_kind = [f"{listed(strongest('spearman', kind, model, 3))} over {STIMULI_TITLES[kind]}" for kind in kinds]
    first = (
        f"Over {about['stimuli']} sounds, `{model}`'s dissimilarities follow most those of {'; of '.join(by_kind)} "
        "(Spearman's correlation)."
    )
    kind = kinds[-1]
    second = (
        f"Given all the other descriptors and the set that a sound is from, what is left is "
        f"{listed(strongest('partial', kind, model, 3))}, over {STIMULI_TITLES[kind]}."
    )
    others = [name for name in dict.fromkeys(plain["model"]) if name != model]
    third = "What the other models follow most, over the same: " + "; ".join(
        f"`{name}` {strongest('spearman', kind, name, 1)[0]}" for name in others
    )
    return [first, second, *([third + "."] if others else [])]
