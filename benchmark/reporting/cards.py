"""Model cards: one Markdown page and one picture a network, beside its checkpoint.

``python -m benchmark cards`` writes them of what the checkpoints say about themselves, the runs' logs and the probe's
table in ``benchmark/results``; nothing in a card is typed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from benchmark.reporting.readme import REPOSITORY
from byola_hear import describe_model, list_models
from byola_hear.models.zoo import ModelCard, zoo_folder
from byola_hear.utils.files import replacing

#: The probe's table, as its command left it; it stands in every card.
PROBE_TABLE = REPOSITORY / "benchmark" / "results" / "probe.md"

HEARD = {
    "speech": "speech alone",
    "nonspeech": "everything but speech: effects, ambience, instruments and music",
    "both": "speech and non-speech, half of each",
}

INTENDED_USE = """\
A fixed feature extractor for research: clip and timestamp embeddings under simple classifiers, and comparisons between
the three networks, which differ in what they heard and in nothing else. Not meant for identifying people, nor for
decisions about them. The hours it heard are few beside the thousands of published models; games and volunteers'
readings make up much of them; nothing above 7.8 kHz is heard. Measure it on data like your own before relying on it."""


def sources_table(training: dict[str, Any]) -> str:
    """Hours by source, kind and licence, as Markdown."""
    rows = [
        f"| {row['source']} | {row['kind'] or '–'} | {row['licence'] or '–'} | {row['rows']} | {row['hours']:.3f} |"
        for row in training["sources"]
    ]
    return "\n".join(["| source | kind | licence | clips | hours |", "|---|---|---|--:|--:|", *rows])


def matching_text(training: dict[str, Any]) -> str:
    """One paragraph on how the set was matched with the others."""
    matching = training.get("matching")
    if not matching:
        return "The set was not matched with another."
    sets = "; ".join(
        f"{name}: " + ", ".join(f"{kind or 'other'} {hours:.2f} h" for kind, hours in kinds.items())
        for name, kinds in matching["sets"].items()
    )
    limits = ", ".join(f"{kind} at most {share:.0%} of its collection" for kind, share in matching["limits"].items())
    return (
        f"The volumes are matched: {matching['hours']:g} hours for each network, drawn with seed {matching['seed']}"
        f"{f' ({limits})' if limits else ''}. {sets}."
    )


def recipe_text(training: dict[str, Any]) -> str:
    """The recipe as a list."""
    recipe = training["recipe"]
    views = recipe["views"]
    lines = [
        f"BYOL-A, {training['step']} steps of {recipe['batch_size']} crops of {recipe['crop_frames'] / 100:g} s: "
        f"{training['crops']} crops seen, in {training['minutes']:.0f} minutes",
        f"AdamW, learning rate {recipe['learning_rate']:g} after {recipe['warm_up_steps']} steps of warming up, then "
        f"along a cosine to {recipe['final_learning_rate']:g}; weight decay {recipe['weight_decay']:g}",
        f"target network's decay from {recipe['ema_decay']:g} to {recipe['final_ema_decay']:g}",
        f"views: mixup up to {views['mixup_ratio']:g} with {views['memory_size']} past clips, random resize crop "
        f"{views['smallest']:g} to {views['largest']:g}, linear fader ±{views['fader_gain']:g}",
        f"seed {recipe['seed']}; at the end loss {training['loss']:.3f}, spread {training['spread']:.3f}",
    ]
    return "\n".join(f"- {line}" for line in lines)


def card_text(card: ModelCard, probe_table: str) -> str:
    """A model's card.

    Args:
        card: what :func:`byola_hear.describe_model` says.
        probe_table: Markdown, the same in every card.

    Returns:
        Markdown.
    """
    name, training = card["name"], card["training"]
    shape = "v2" if card["encoder"]["concatenate_local"] else "v1"
    size, frame = card["scene_embedding_size"], card["frame_ms"]
    return f"""# byola-{name} {card["version"]}

Heard {HEARD.get(name, "a collection of its own")}: {training["hours"]:.1f} hours. {card["parameters"] / 1e6:.2f} M
parameters, BYOL-A's {shape} shape, {size} numbers every {frame:g} ms or for a whole clip;
audio at {card["sample_rate"]} Hz. Licence of the weights: {card["licence"]}. SHA-256 `{card["sha256"]}`.

Matrices and kernels are stored in half precision: embeddings agree with those of the float32 weights to 1e-2, relative.

## Training

{recipe_text(training)}

![loss, spread, learning rate and speed](byola-{name}.png)

{matching_text(training)}

{sources_table(training)}

## How it does

Written by `python -m benchmark probe`; the untrained rows are the same shape with random weights.

{probe_table.rstrip()}

## Intended use and limits

{INTENDED_USE}
"""


def write_cards(folder: Path, probe_table: str) -> list[Path]:
    """Write every model's card and picture.

    Args:
        folder: a zoo with the runs' logs, ``byola-NAME.log.csv``.
        probe_table: Markdown.

    Returns:
        The cards.
    """
    # Matplotlib takes a second to import; the cards' text can be made without it.
    from byola_hear.pretraining.training.curves import draw_curves

    written = []
    for name in list_models(folder):
        draw_curves({name: folder / f"byola-{name}.log.csv"}, folder / f"byola-{name}.png")
        written.append(folder / f"byola-{name}.md")
        with replacing(written[-1]) as file:
            file.write(card_text(describe_model(name, folder), probe_table).encode())
    return written


@click.command()
def cards_command() -> None:
    """Write the networks' cards from their checkpoints, their logs and the probe's table."""
    for path in write_cards(zoo_folder(), PROBE_TABLE.read_text(encoding="utf-8")):
        click.echo(str(path))
