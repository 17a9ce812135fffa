"""Add tasks and models to a table of the probe that was written before, without measuring it again."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np

from benchmark.probes.probe import TaskResult, mean_interval


def merged(before: dict[str, Any], added: dict[str, Any]) -> dict[str, Any]:
    """Merge two documents of :func:`benchmark.probes.table.document_of`.

    Args:
        before: the earlier document, whose order of models and tasks stays.
        added: what was measured since; it replaces what the earlier one has of the same models and tasks.

    Returns:
        The merged document. A row that lacks a task has no mean.

    Raises:
        ValueError: if the two were measured in different ways or on different audio, or a model has changed and not all
            of its tasks were measured again.
    """
    check_settings(before, added["about"])
    check_audio(before, added["about"]["audio"])
    tasks = list(
        dict.fromkeys(name for each in (before, added) for row in each["models"].values() for name in row["tasks"])
    )
    models = {}
    for name in dict.fromkeys([*before["models"], *added["models"]]):
        old, new = before["models"].get(name), added["models"].get(name)
        if old is None or new is None or old["missing"]:
            models[name] = new if new is not None else old
        elif new["missing"]:
            models[name] = old
        else:
            _check_same(name, before, added, old, new)
            models[name] = {**new, "tasks": {**old["tasks"], **new["tasks"]}}
    seed = int(before["about"]["seed"])
    about = {
        **before["about"],
        "audio": {**before["about"]["audio"], **added["about"]["audio"]},
        "extractors": {
            **before["about"]["extractors"],
            **{name: each for name, each in added["about"]["extractors"].items() if each},
        },
        "added": [
            *before["about"].get("added", []),
            {key: added["about"][key] for key in ("commit", "time", "hardware")}
            | {
                "tasks": list(added["about"]["audio"]),
                "models": [name for name, model in added["models"].items() if not model["missing"]],
            },
        ],
    }
    return {"about": about, "models": {name: _with_mean(row, tasks, seed) for name, row in models.items()}}


def check_settings(before: dict[str, Any], about: dict[str, Any]) -> None:
    """Check that results of the probe were, or will be, measured like earlier ones.

    Args:
        before: the earlier document.
        about: ``parts``, ``seed`` and ``max_clips`` of the others.

    Raises:
        ValueError: if they differ.
    """
    for key in ("parts", "seed", "max_clips"):
        if before["about"].get(key) != about.get(key):
            raise ValueError(
                f"expected a table with the same {key}, got {before['about'].get(key)} and {about.get(key)}"
            )


def check_audio(before: dict[str, Any], audio: dict[str, str]) -> None:
    """Check that results of the probe were, or will be, measured on the audio of earlier ones.

    Args:
        before: the earlier document.
        audio: the hash of each labelled set of the others, by name.

    Raises:
        ValueError: if a set that both have differs.
    """
    earlier = before["about"]["audio"]
    others = [name for name, sha256 in audio.items() if earlier.get(name, sha256) != sha256]
    if others:
        raise ValueError(
            f"expected the audio that the table was measured on, got other files of {', '.join(others)}: measure all "
            "models on them, in a table of its own"
        )


def _check_same(
    name: str, before: dict[str, Any], added: dict[str, Any], old: dict[str, Any], new: dict[str, Any]
) -> None:
    identities = [each["about"]["extractors"].get(name) for each in (before, added)]
    left = [task for task in old["tasks"] if task not in new["tasks"]]
    if identities[0] != identities[1] and left:
        raise ValueError(f"{name} has changed since the table was written: measure {', '.join(left)} again, too")


def _with_mean(row: dict[str, Any], tasks: list[str], seed: int) -> dict[str, Any]:
    """A row with its tasks in order, and its mean over all of them, if it has all."""
    if row["missing"]:
        return row
    results = {name: row["tasks"][name] for name in tasks if name in row["tasks"]}
    if len(results) < len(tasks):
        return {**row, "tasks": results, "mean": None, "mean_interval": None}
    each = [
        TaskResult(name, list(result["folds"]), list(result["folds"].values()), [], result["clips"])
        for name, result in results.items()
    ]
    mean = float(np.mean([result["accuracy"] for result in results.values()]))
    return {**row, "tasks": results, "mean": mean, "mean_interval": mean_interval(each, seed)}


def merged_csv(before: str, added: str) -> str:
    """Merge two CSV files of :func:`benchmark.probes.table.csv_table` in the same way."""
    old, new = (list(csv.DictReader(io.StringIO(text))) for text in (before, added))
    measured = {(line["model"], line["task"]) for line in new if not line["missing"]}
    anew = {model for model, _ in measured} | {line["model"] for line in old if not line["missing"]}
    lines = [line for line in old if (line["model"], line["task"]) not in measured]
    lines = [line for line in [*lines, *new] if not line["missing"] or line["model"] not in anew]
    order = {name: place for place, name in enumerate(dict.fromkeys(line["model"] for line in [*old, *new]))}
    unique = list({tuple(line.items()): line for line in lines}.values())
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(old[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(sorted(unique, key=lambda line: (order[line["model"]], int(line["seed"] or 0))))
    return stream.getvalue()
