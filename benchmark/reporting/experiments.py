"""What was tried before the long runs, and what it did: ``python -m benchmark experiments``.

Short runs that differ from a base run in a setting or two, judged on validation parts alone. Records of them stand in
``weights/experiments.json``; ``weights/EXPERIMENTS.md`` is written from these.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from benchmark.reporting.markdown import markdown
from byola_hear.models.checkpoint import read_header
from byola_hear.models.zoo import zoo_folder
from byola_hear.utils.files import replacing

RECORDS, PAGE = "experiments.json", "EXPERIMENTS.md"
#: The run that the others are compared with, and the row of networks that were not trained.
BASE, UNTRAINED = "base", "untrained"
#: Settings that follow from others, or say nothing of the network.
_FOLLOWING = ("steps", "warm_up_steps")


def record_of(checkpoint: Path) -> tuple[str, dict[str, Any]]:
    """What a short run's checkpoint says of it.

    Args:
        checkpoint: as ``python -m byola_hear.pretraining export`` writes it.

    Returns:
        The run's name, and its recipe, hours, crops, minutes, last loss and spread.

    Raises:
        ValueError: if it says nothing of its training.
    """
    config, _ = read_header(checkpoint)
    wanted = ("recipe", "hours", "crops", "minutes", "loss", "spread", "manifest_sha256")
    if missing := [key for key in wanted if key not in config.training]:
        raise ValueError(f"{checkpoint}: expected a run's checkpoint; it does not say its {', '.join(missing)}")
    return config.name, {key: config.training[key] for key in wanted}


def scores_of(probe: Path) -> dict[str, dict[str, Any]]:
    """A probe's results by model, as far as the page needs them.

    Args:
        probe: written by ``python -m benchmark probe --validation -o FILE.json``.

    Returns:
        Model to its mean and accuracies by task, in percent, with 95 % intervals.

    Raises:
        ValueError: if it is no such file, or test parts were used: recipes are chosen on validation parts.
    """
    try:
        content = json.loads(probe.read_text(encoding="utf-8"))
        parts, models = content["about"]["parts"], content["models"]
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{probe}: expected results of `python -m benchmark probe`, got something else") from None
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


def flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings as ``("views.mixup_ratio", 0.2)`` and so on."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def difference(recipe: Mapping[str, Any], base: Mapping[str, Any]) -> str:
    """What one recipe has otherwise than another.

    Example:
        >>> difference({"batch_size": 32, "steps": 20, "views": {"mixup": 0.2}},
        ...            {"batch_size": 64, "steps": 10, "views": {"mixup": 0.2}})
        'batch size 32'
    """
    usual = dict(flat(base))
    changes = [
        f"{key.rpartition('.')[2].replace('_', ' ')} {value:g}" if isinstance(value, (int, float)) else f"{key} {value}"
        for key, value in flat(recipe)
        if value != usual.get(key) and key not in _FOLLOWING
    ]
    return ", ".join(changes) or "–"


def page(records: Mapping[str, Any]) -> str:
    """The page.

    Args:
        records: ``{"runs": {name: record}, "scores": {name: scores}}``.

    Returns:
        Markdown.

    Raises:
        ValueError: if there is no base run.
    """
    runs, scores = records["runs"], records["scores"]
    if BASE not in runs:
        raise ValueError(f"expected a run called {BASE!r} to compare with, got {', '.join(sorted(runs)) or 'none'}")
    base = runs[BASE]
    tasks = list(dict.fromkeys(task for each in scores.values() for task in each["tasks"]))
    header = ["run", "what is different", "crops", "minutes", "loss", "spread", *tasks, "mean", "over untrained"]
    floor = scores.get(UNTRAINED, {}).get("mean")
    order = sorted(runs, key=lambda name: -scores[name]["mean"] if name in scores else 0.0)
    lines = []
    for name in order:
        run, score = runs[name], scores.get(name)
        cells = [name, difference(run["recipe"], base["recipe"]), str(run["crops"]), f"{run['minutes']:.0f}"]
        cells += [f"{run['loss']:.3f}", f"{run['spread']:.3f}"]
        lines.append([*cells, *_scores(score, tasks, floor)])
    if UNTRAINED in scores:
        lines.append([UNTRAINED, "random weights", "0", "0", "–", "–", *_scores(scores[UNTRAINED], tasks, floor)])
    sets = sorted({(run["manifest_sha256"][:12], run["hours"]) for run in runs.values()})
    heard = "; ".join(f"{hours:.1f} h of audio (manifest {digest})" for digest, hours in sets)
    return f"""# What was tried

Short runs, each different from the base in what is named, on {heard}. Accuracy in %, of the linear probe of
`python -m benchmark probe --validation`: validation parts only, the test parts were not looked at. Written by
`python -m benchmark experiments` from `{RECORDS}`; "minutes" are by the clock, on a machine that did other things, too.

{markdown(header, lines)}
The base: {", ".join(f"{key} {value}" for key, value in flat(base["recipe"]) if not key.startswith("encoder."))}.
"""


def _scores(score: Mapping[str, Any] | None, tasks: Sequence[str], floor: float | None) -> list[str]:
    if score is None:
        return ["–"] * (len(tasks) + 2)
    cells = [f"{score['tasks'][task]:.1f}" if task in score["tasks"] else "–" for task in tasks]
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
    help="Results of `python -m benchmark probe --validation`, .json; may be given several times.",
)
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where records and page are. Default: weights.",
)
def experiments_command(checkpoints: tuple[Path, ...], probes: tuple[Path, ...], folder: Path | None) -> None:
    """Record short runs' checkpoints and their results on validation parts, and write weights/EXPERIMENTS.md.

    Without arguments, the page is written again of the records that are there.
    """
    folder = zoo_folder() if folder is None else folder
    path = folder / RECORDS
    records = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"runs": {}, "scores": {}}
    for name, record in map(record_of, checkpoints):
        if records["runs"].get(name) != record:
            # They are another run's.
            records["scores"].pop(name, None)
        records["runs"][name] = record
    for probe in probes:
        known = {*records["runs"], UNTRAINED}
        records["scores"].update({name: score for name, score in scores_of(probe).items() if name in known})
    text = page(records)
    with replacing(path) as stream:
        stream.write((json.dumps(records, indent=1) + "\n").encode())
    with replacing(folder / PAGE) as stream:
        stream.write(text.encode())
    click.echo(f"written: {folder / PAGE}, {len(records['runs'])} runs")
