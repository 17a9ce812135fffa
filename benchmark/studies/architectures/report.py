"""The report of the study of architectures, made from its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmark.comparison.advantage import ARCHITECTURES
from benchmark.probes.probe import INDEPENDENT
from benchmark.reporting.markdown import NOTHING
from benchmark.studies.figures import new_figure
from benchmark.studies.findings import Report, frame_table, listed, read_about, read_numbers
from benchmark.studies.scores import READOUTS, Estimate, Scores, complete, mean_over

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "architectures"
TITLE = "Domain and architecture"
CAPTION = (
    "Gain over the untrained network of the same architecture, points of the probe, on speech tasks and on the others; "
    "bars, 95 % intervals over the tested clips."
)
#: Names of the kinds of networks, by what stands before the names of theirs.
KINDS = {"": "convolutional network", "transformer-": "transformer"}
#: What a network was trained on; the domains of tasks.
TRAINED, DOMAINS = ("both", "speech", "nonspeech"), ("speech", "nonspeech")
SPOKEN = {"speech": "speech", "nonspeech": "non-speech"}


def report(folder: Path) -> Report:
    """Make the report from ``architectures.csv`` and ``architectures.json``.

    Raises:
        FileNotFoundError: if one of them is not in ``folder``.
    """
    numbers, about = read_numbers(folder, NAME), read_about(folder, NAME)
    tables = [score_table(numbers, about), gain_table(numbers), training_table(about["training"])]
    return Report(TITLE, sentences(numbers, about), tables, {NAME: (partial(draw_gains, numbers), CAPTION)})


def tasks_of(numbers: pd.DataFrame) -> dict[str, list[str]]:
    """Tasks by domain, in the order of the numbers."""
    return {
        domain: list(dict.fromkeys(numbers.loc[numbers["domain"] == domain, "task"].astype(str))) for domain in DOMAINS
    }


def kinds_of(numbers: pd.DataFrame) -> list[tuple[str, str]]:
    """Prefix and untrained network of the architectures that have all their networks in the numbers."""
    models = set(numbers["model"])
    return [
        (prefix, untrained)
        for prefix, untrained in ARCHITECTURES
        if models >= {untrained, *(f"{prefix}{name}" for name in TRAINED)}
    ]


def gains(numbers: pd.DataFrame, model: str, reference: str) -> list[Estimate]:
    """Mean difference of two models on the tasks of each of :data:`DOMAINS`."""
    difference, tasks = Scores.of(numbers, model).minus(Scores.of(numbers, reference)), tasks_of(numbers)
    return [difference.mean(mean_over(tasks[domain])) for domain in DOMAINS]


def domain_difference(numbers: pd.DataFrame, prefix: str) -> Scores:
    """The network trained on speech minus that trained on other sounds, task by task."""
    return Scores.of(numbers, f"{prefix}speech").minus(Scores.of(numbers, f"{prefix}nonspeech"))


def advantage_weights(numbers: pd.DataFrame) -> dict[str, float]:
    """Weights of the domain advantage: the mean over speech tasks minus the mean over the others."""
    tasks = tasks_of(numbers)
    return {**mean_over(tasks["speech"]), **mean_over(tasks["nonspeech"], -1.0)}


def score_table(numbers: pd.DataFrame, about: dict[str, Any]) -> str:
    """Accuracies of all models in Markdown, by measure and domain."""
    tasks, columns = tasks_of(numbers), {}
    labels = READOUTS["20 labels"][1]
    few = complete(numbers) if (numbers["count"] == labels).any() else []
    for column, (measure, count) in READOUTS.items():
        rows = numbers[(numbers["measure"] == measure) & (numbers["count"] == count)]
        rows = rows[rows["task"].isin(few)] if count else rows
        by_task = rows.groupby(["model", "domain", "task"], sort=False)["accuracy"].mean()
        means = by_task.groupby(["model", "domain"], sort=False).mean().unstack("domain")
        for domain in DOMAINS:
            # A domain may have no task with enough clips for 20 labels a class.
            columns[f"{column}, {SPOKEN[domain]}"] = means.get(domain, pd.Series(dtype=float))
    frame = pd.DataFrame(columns).loc[list(dict.fromkeys(numbers["model"]))]
    frame.index.name = "model"
    return (
        "Accuracy, %, of a probe with all labels, share of the five nearest neighbours by cosine with the same label, "
        f"%, and accuracy with 20 labels a class; means over the {len(tasks['speech'])} speech tasks "
        f"({listed(tasks['speech'])}) and the {len(tasks['nonspeech'])} others ({listed(tasks['nonspeech'])}), with 20 "
        f"labels over {listed(few) or 'none of them, which have too few clips'}; {about['parts']} parts:\n\n"
        f"{frame_table(frame.map(lambda value: f'{value:.1f}' if np.isfinite(value) else NOTHING))}"
    )


def gain_table(numbers: pd.DataFrame) -> str:
    """Gains over the untrained network, and domain advantages, in Markdown."""
    rows = {}
    for prefix, untrained in kinds_of(numbers):
        for name in TRAINED:
            rows[f"`{prefix}{name}` − `{untrained}`"] = [*map(str, gains(numbers, f"{prefix}{name}", untrained)), ""]
        difference = domain_difference(numbers, prefix)
        parts = [str(difference.mean(mean_over(tasks_of(numbers)[domain]))) for domain in DOMAINS]
        rows[f"`{prefix}speech` − `{prefix}nonspeech`"] = [*parts, str(difference.mean(advantage_weights(numbers)))]
    header = ["speech tasks", "non-speech tasks", "domain advantage"]
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=header)
    frame.index.name = "difference"
    return (
        f"Differences of the probe, points, with 95 % intervals over the tested clips. {INDEPENDENT} The domain "
        f"advantage is the difference on speech tasks minus that on the others:\n\n{frame_table(frame)}"
    )


def training_table(training: Mapping[str, Mapping[str, Any]]) -> str:
    """How the networks were trained, in Markdown."""
    rows = {}
    for name, of_network in training.items():
        parameters = f"{of_network['parameters'] / 1e6:.2f}"
        if (recipe := of_network.get("recipe")) is None:
            rows[name] = [NOTHING, parameters, NOTHING, NOTHING, NOTHING]
            continue
        values = of_network["hours"], of_network["crops"] / 1000, recipe["crop_frames"] / 100
        trained = (f"{value:.{digits}f}" for value, digits in zip(values, (1, 0, 2)))
        rows[name] = [recipe.get("method", "byol"), parameters, *trained]
    header = ["method", "parameters, M", "hours of audio", "crops, thousands", "length of a crop, s"]
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=header)
    frame.index.name = "model"
    return f"How they were trained:\n\n{frame_table(frame)}"


def sentences(numbers: pd.DataFrame, about: dict[str, Any]) -> list[str]:
    """Whether the domain matters, and whether it matters more for one architecture."""
    texts, kinds = [], kinds_of(numbers)
    weights = advantage_weights(numbers)
    for prefix, untrained in kinds:
        on_speech, on_others = gains(numbers, f"{prefix}both", untrained)
        found = domain_difference(numbers, prefix).mean(weights)
        own = "an advantage in" if found.value > 0 else "a disadvantage in"
        says = f"gives it {own} its own domain" if found.clear else "makes no clear difference"
        texts.append(
            f"For a {KINDS[prefix]}, the domain of the training data {says}: {found} points. Training on both gains "
            f"{on_speech} points on speech tasks and {on_others} on the others over the untrained network."
        )
    if len(kinds) == len(ARCHITECTURES):
        one, other = (domain_difference(numbers, prefix) for prefix, _ in kinds[::-1])
        found = one.minus(other).mean(weights)
        more = "more" if found.value > 0 else "less"
        says = f"matters {more} for the transformer" if found.clear else "matters no more and no less for either"
        texts.append(f"The domain {says}: the difference of the two advantages is {found} points.")
        everything = mean_over([task for tasks in tasks_of(numbers).values() for task in tasks])
        network = Scores.of(numbers, f"{kinds[1][0]}both")
        gaps = [network.minus(Scores.of(numbers, name)).mean(everything) for name in ("both", "untrained")]
        texts.append(
            f"Over all tasks, `transformer-both` differs from `both` by {gaps[0]} points, and from `untrained`, a "
            f"convolutional network with random weights, by {gaps[1]}."
        )
    texts.append(f"Numbers are of {about['parts']} parts; intervals are of 95 %.")
    return texts


def draw_gains(numbers: pd.DataFrame) -> Figure:
    """Gains over the untrained network: a panel for each architecture, a group of bars for each domain of tasks."""
    kinds = kinds_of(numbers)
    figure = new_figure(3.6 * max(len(kinds), 1), 3.6)
    axes = figure.subplots(1, max(len(kinds), 1), sharey=True, squeeze=False)[0]
    for axis, (prefix, untrained) in zip(axes, kinds):
        for place, name in enumerate(TRAINED):
            found = gains(numbers, f"{prefix}{name}", untrained)
            errors = [[each.value - each.low for each in found], [each.high - each.value for each in found]]
            where = [number + 0.26 * (place - 1) for number in range(len(DOMAINS))]
            values = [each.value for each in found]
            axis.bar(where, values, 0.24, yerr=errors, capsize=2, label=f"trained on {SPOKEN.get(name, name)}")
        axis.set_xticks(range(len(DOMAINS)), [f"{SPOKEN[domain]} tasks" for domain in DOMAINS])
        axis.axhline(0, color="black", linewidth=0.8)
        axis.grid(axis="y", alpha=0.3)
        axis.set_title(KINDS[prefix])
    axes[0].set_ylabel("gain over untrained, points")
    axes[-1].legend(fontsize=8, frameon=False)
    return figure
