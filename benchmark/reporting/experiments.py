"""The page on experiments with the training recipe: ``python -m benchmark experiments``.

Short runs differ from a base run of the same kind of network in one or two settings, and are compared on validation
parts alone.
``weights/experiments.json`` records them, and ``weights/EXPERIMENTS.md`` is made from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from benchmark.reporting.markdown import markdown
from benchmark.reporting.run_differences import NAMED, began_with, flat, named_settings, run_difference
from byola_hear.models.checkpoint import read_header
from byola_hear.models.encoders.transformer import AVERAGE
from byola_hear.models.zoo import zoo_folder
from byola_hear.pretraining.training.recipe import DISTIL
from byola_hear.utils.files import write_file
from byola_hear.utils.text import quantity

RECORDS, PAGE = "experiments.json", "EXPERIMENTS.md"


@dataclass(frozen=True)
class Kind:
    """A kind of runs, which has a section of its own.

    Attributes:
        base: the run that the others are compared with.
        reference: the row of a network without such a training.
        heading: of the section.
        what: what the reference is.
        short: the reference in the heading of the last column.
    """

    base: str
    reference: str
    heading: str
    what: str = "random weights"
    short: str = "untrained"


KINDS = {
    "convolutional": Kind("base", "untrained", "Convolutional networks"),
    "transformer": Kind("transformer-concatenated", "untrained_transformer", "Transformers"),
    "averaged": Kind(
        "transformer-base",
        "untrained_transformer_average",
        "Transformers whose layers are averaged while they are trained",
    ),
    "distillation": Kind("distilled", "both", "Distillation", "the network of the package", "both"),
}


def record_of(checkpoint: Path) -> tuple[str, dict[str, Any]]:
    """Read a short run from its checkpoint.

    Args:
        checkpoint: a file that ``python -m byola_hear.pretraining export`` wrote.

    Returns:
        The run's name; its recipe, hours, crops, minutes, and final loss and standard deviation of embeddings.

    Raises:
        ValueError: if the checkpoint does not describe its training.
    """
    config, _ = read_header(checkpoint)
    wanted = ("recipe", "hours", "crops", "minutes", "loss", "spread", "manifest_sha256")
    if missing := [key for key in wanted if key not in config.training]:
        raise ValueError(f"{checkpoint}: expected the checkpoint of a training run, but it lacks {', '.join(missing)}")
    began = {key: config.training[key] for key in ("began_with",) if key in config.training}
    return config.name, {key: config.training[key] for key in wanted} | began


def kind_of(recipe: Mapping[str, Any]) -> str:
    """The kind of a run, one of :data:`KINDS`: that of its network, or distillation."""
    if recipe.get("method") == DISTIL:
        return "distillation"
    encoder = recipe["encoder"]
    # Before 0.8.0, the layers of all transformers were averaged.
    averaged = "averaged" in encoder or encoder.get("combine") == AVERAGE
    return "averaged" if averaged else str(encoder.get("kind", "convolutional"))


def scores_of(probe: Path) -> dict[str, dict[str, Any]]:
    """Read a probe's results by model.

    Args:
        probe: a file that ``python -m benchmark probe --validation -o FILE.json`` wrote.

    Returns:
        By model: its mean with the 95 % interval, and its accuracies by task, %.

    Raises:
        ValueError: if the file is something else, or has results on test parts: recipes are chosen on validation parts.
    """
    try:
        content = json.loads(probe.read_text(encoding="utf-8"))
        parts, models = content["about"]["parts"], content["models"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{probe}: expected a result of `python -m benchmark probe`, got another file") from None
    if parts != "validation":
        raise ValueError(f"{probe}: expected results on validation parts, got {parts}")
    return {
        name.removeprefix("byola-"): {
            "mean": model["mean"],
            "mean_interval": model["mean_interval"],
            "tasks": {task: result["accuracy"] for task, result in model["tasks"].items()},
        }
        for name, model in models.items()
    }


def page(records: Mapping[str, Any]) -> str:
    """Write the page.

    Args:
        records: ``{"runs": {name: record}, "scores": {name: scores}}``.

    Returns:
        Markdown.

    Raises:
        ValueError: if there is no base run.
    """
    runs, scores = records["runs"], records["scores"]
    kinds: dict[str, dict[str, Any]] = {}
    for name, run in runs.items():
        kinds.setdefault(kind_of(run["recipe"]), {})[name] = run
    if not kinds:
        raise ValueError("expected at least one run, got no runs")
    sections = [_section(kind, kinds[kind], scores) for kind in KINDS if kind in kinds]
    return f"""# What was tried

Each short run differs from the base of its kind in the settings named. Scores are accuracies (%) of the linear probe
(`python -m benchmark probe --validation`) on validation parts; the test parts were not used. "Std. dev." is the
standard deviation of embeddings. "Minutes" are wall time, on a machine that was also busy with other work.
`python -m benchmark experiments` made this page from `{RECORDS}`.

{"".join(sections).rstrip()}
"""


def _section(kind: str, runs: Mapping[str, Any], scores: Mapping[str, Any]) -> str:
    """The runs of a kind."""
    of = KINDS[kind]
    if of.base not in runs:
        raise ValueError(f"expected a run called {of.base!r} to compare with, got {', '.join(sorted(runs))}")
    base = runs[of.base]
    tasks = _common_tasks({name: scores[name]["tasks"] for name in (*runs, of.reference) if name in scores})
    header = ["run", "difference", "crops", "minutes", "loss", "std. dev.", *tasks, "mean", f"above {of.short}"]
    floor = scores.get(of.reference, {}).get("mean")
    lines = []
    for name in sorted(runs, key=lambda name: -scores[name]["mean"] if name in scores else 0.0):
        run, score = runs[name], scores.get(name)
        cells = [name, run_difference(run, base), str(run["crops"]), f"{run['minutes']:.0f}"]
        cells += [f"{run['loss']:.3f}", f"{run['spread']:.3f}"]
        lines.append([*cells, *_scores(score, tasks, floor)])
    if of.reference in scores:
        trained = ["0", "0"] if of.short == "untrained" else ["–", "–"]
        known = _scores(scores[of.reference], tasks, floor)
        lines.append([of.reference, of.what, *trained, "–", "–", *known])
    sets = sorted({(run["manifest_sha256"][:12], run["hours"]) for run in runs.values()})
    audio = "; ".join(f"{hours:.1f} h of audio (manifest {digest})" for digest, hours in sets)
    settings = [
        f"{key} {value}" for key, value in flat(base["recipe"]) if key.partition(".")[0] not in ("encoder", *NAMED)
    ]
    settings += [text for text in named_settings(base["recipe"]).values() if not text.startswith("no ")]
    if began := began_with(base):
        settings.append(f"began with {began}")
    recipe = ", ".join(settings)
    return f"""## {of.heading}

Trained on {audio}.

{markdown(header, lines)}
The base: {recipe}.

"""


def _common_tasks(scored: Mapping[str, Iterable[str]]) -> list[str]:
    """The tasks of all runs of a kind, without which their means could not be compared."""
    tasks = list(dict.fromkeys(task for each in scored.values() for task in each))
    for name, found in scored.items():
        if lacking := [task for task in tasks if task not in set(found)]:
            raise ValueError(
                f"expected scores of all runs of a kind on the same tasks, but {name} has none on {', '.join(lacking)}"
            )
    return tasks


def _scores(score: Mapping[str, Any] | None, tasks: Sequence[str], floor: float | None) -> list[str]:
    if score is None:
        return ["–"] * (len(tasks) + 2)
    cells = [f"{score['tasks'][task]:.1f}" for task in tasks]
    low, high = score["mean_interval"]
    over = "–" if floor is None else f"{score['mean'] - floor:+.1f}"
    return [*cells, f"{score['mean']:.1f} ± {(high - low) / 2:.1f}", over]


@click.command("experiments")
@click.argument("checkpoints", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--probe",
    "probes",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Result of `python -m benchmark probe --validation`, .json; can be given several times.",
)
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the records and the page. Default: weights.",
)
def command(checkpoints: tuple[Path, ...], probes: tuple[Path, ...], folder: Path | None) -> None:
    """Record short training runs and their results on validation parts, and write weights/EXPERIMENTS.md.

    Without CHECKPOINTS, the page is written again from the records.
    """
    folder = zoo_folder() if folder is None else folder
    path = folder / RECORDS
    records = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"runs": {}, "scores": {}}
    for name, record in map(record_of, checkpoints):
        if records["runs"].get(name) != record:
            # The scores are of the run before.
            records["scores"].pop(name, None)
        records["runs"][name] = record
    for probe in probes:
        known = {*records["runs"], *(kind.reference for kind in KINDS.values())}
        records["scores"].update({name: score for name, score in scores_of(probe).items() if name in known})
    text = page(records)
    write_file(path, json.dumps(records, indent=1) + "\n")
    write_file(folder / PAGE, text)
    click.echo(f"written: {folder / PAGE}, {quantity(len(records['runs']), 'run')}")
