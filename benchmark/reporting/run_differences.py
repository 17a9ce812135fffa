"""How two training runs differ, in words: in the recipe, in the amount of audio, and in what they began with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from byola_hear.pretraining.training.recipe import completed

#: Settings that :func:`named_settings` describes.
NAMED = ("kind_weights", "teachers")
#: Settings that follow from others.
FOLLOWING = ("steps", "warm_up_steps")


def flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Flatten nested settings: ``("views.mixup_ratio", 0.2)`` and so on."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def difference(recipe: Mapping[str, Any], base: Mapping[str, Any]) -> str:
    """Describe how one recipe differs from another.

    Example:
        >>> difference({"batch_size": 32, "steps": 20, "views": {"mixup": 0.2}},
        ...            {"batch_size": 64, "steps": 10, "views": {"mixup": 0.2}})
        'batch size 32'
    """
    named, usually_named = named_settings(recipe), named_settings(base)
    usual = dict(flat(base))
    changes = [
        f"{key.rpartition('.')[2].replace('_', ' ')} {f'{value:g}' if isinstance(value, (int, float)) else value}"
        for key, value in flat(recipe)
        if value != usual.get(key) and key not in FOLLOWING and key.partition(".")[0] not in NAMED
    ]
    changes += [text for key, text in named.items() if text != usually_named[key]]
    return ", ".join(changes) or "–"


def named_settings(recipe: Mapping[str, Any]) -> dict[str, str]:
    """Describe the settings that have a text of their own: how often kinds of sound are drawn, and the teachers."""
    weights = " and ".join(f"{kind} {weight:g}" for kind, weight in recipe.get("kind_weights", {}).items())
    teachers = " and ".join(recipe.get("teachers", {}))
    return {
        "kind_weights": f"weights {weights}" if weights else "no weights of kinds",
        "teachers": f"teachers {teachers}" if teachers else "no teachers",
    }


def began_with(run: Mapping[str, Any]) -> str:
    """Name the network that a run began with; empty for random weights."""
    return str(run.get("began_with", {}).get("model", ""))


def run_difference(run: Mapping[str, Any], base: Mapping[str, Any]) -> str:
    """Describe how a run differs from the base of its kind: in its beginning, its recipe, and the amount of audio."""
    found = [f"began with {began_with(run) or 'random weights'}"] if began_with(run) != began_with(base) else []
    if (recipe := difference(completed(run["recipe"]), completed(base["recipe"]))) != "–":
        found.append(recipe)
    if round(run["hours"]) != round(base["hours"]):
        found.append(f"{run['hours']:.1f} h of audio")
    return ", ".join(found) or "–"
