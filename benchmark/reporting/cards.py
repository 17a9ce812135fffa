"""The cards in ``weights``: a Markdown page and a picture for each network.

``python -m benchmark cards`` makes them from the checkpoints' headers, the logs of the training runs and the probe's
table in ``benchmark/results``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from benchmark import RESULTS
from benchmark.reporting.overlap import network_overlap, overlap_page
from byola_hear import describe_model, list_models
from byola_hear.models.card import card_text, model_facts, sources_table
from byola_hear.models.checkpoint import read_header
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.encoders.transformer import TransformerConfig
from byola_hear.models.zoo import zoo_folder
from byola_hear.pretraining.training.recipe import BYOL, DISTIL, MASKED
from byola_hear.utils.files import write_file

#: The probe's table, which is part of every card.
PROBE_TABLE = RESULTS / "probe.md"

#: What the training sets share with evaluation sets.
OVERLAP_TABLE = RESULTS / "overlap.csv"
OVERLAP_PAGE = OVERLAP_TABLE.with_suffix(".md")

#: Channels and width of the linear layers of BYOL-A v2.
V2_WIDTH = (EncoderConfig.v2().channels, EncoderConfig.v2().hidden_size)

#: What a card calls each method of training.
METHODS = {BYOL: "BYOL-A", MASKED: "masked prediction", DISTIL: "distillation"}

#: The audio that each network was trained on.
TRAINED_ON = {
    "speech": "speech",
    "nonspeech": "everything but speech: effects, ambience, instruments and music",
    "both": "speech and non-speech, half of each",
    "distilled": "speech and non-speech, all that the corpora have",
    "distilled-small": "speech and non-speech, three quarters of it non-speech",
}

INTENDED_USE = """\
A fixed feature extractor for research: clip and timestamp embeddings for simple classifiers, and comparisons within a
kind of network: `both`, `speech` and `nonspeech` differ from each other only in the audio that they were trained on,
and so do the three transformers. It is not meant for identifying people or for decisions about them. Published models
were trained on thousands of hours; this one was trained on few, and games and recordings by volunteers are a large part
of them. Sound above 7.8 kHz is not used. Evaluate it on data like your own before you rely on it."""

#: The same for a network that others taught.
DISTILLED_USE = """\
A fixed feature extractor: clip and timestamp embeddings for simple classifiers. It learnt to predict what its teachers
make of audio, so it knows what they know, at most, and their training counts as its own. It is not meant for
identifying people or for decisions about them. Sound above 7.8 kHz is not used. Evaluate it on data like your own
before you rely on it."""


def matching_text(training: dict[str, Any]) -> str:
    """A paragraph on how the training set was matched with the others."""
    matching = training.get("matching")
    if not matching:
        return "The training set was not matched with another."
    sets = "; ".join(
        f"{name}: " + ", ".join(f"{kind or 'other'} {hours:.2f} h" for kind, hours in kinds.items())
        for name, kinds in matching["sets"].items()
    )
    limits = ", ".join(f"{kind} at most {share:.0%} of its collection" for kind, share in matching["limits"].items())
    return (
        f"The training sets are matched: {matching['hours']:g} hours for each network, drawn with seed "
        f"{matching['seed']}{f' ({limits})' if limits else ''}. {sets}."
    )


def recipe_text(training: dict[str, Any]) -> str:
    """The training recipe as a list."""
    recipe = training["recipe"]
    method = recipe.get("method", BYOL)  # recipes older than methods are of BYOL-A
    lines = [
        f"{METHODS[method]}, {training['step']} steps of {recipe['batch_size']} crops of "
        f"{recipe['crop_frames'] / 100:g} s: {training['crops']} crops, in {training['minutes']:.0f} minutes",
        f"AdamW, learning rate {recipe['learning_rate']:g} after {recipe['warm_up_steps']} warm-up steps, then a "
        f"cosine schedule to {recipe['final_learning_rate']:g}; weight decay {recipe['weight_decay']:g}",
    ]
    if weights := recipe.get("kind_weights"):
        kinds = ", ".join(f"{kind} {weight:g}" for kind, weight in weights.items())
        lines.append(f"how often kinds of sound are drawn, relative to their hours: {kinds}, others 1")
    if method == DISTIL:
        lines += [_teacher(name, facts) for name, facts in recipe["teachers"].items()]
        lines.append(f"seed {recipe['seed']}; final loss {training['loss']:.3f}")
    else:
        decays = f"from {recipe['ema_decay']:g} to {recipe['final_ema_decay']:g}"
        lines += [
            f"decay of the target network {decays}{_scaling(recipe)}",
            _masks(recipe["masking"]) if method == MASKED else _views(recipe["views"]),
            f"seed {recipe['seed']}; final loss {training['loss']:.3f}, final standard deviation of embeddings "
            f"{training['spread']:.3f}",
        ]
    return "\n".join(f"- {line}" for line in lines)


def _teacher(name: str, facts: dict[str, Any]) -> str:
    """What a card says about a teacher, whose name ends with the kinds of sound that it taught."""
    plain, _, kinds = name.partition("@")
    taught = f" on {kinds.replace('+', ', ')}" if kinds else ""
    return f"teacher {plain}{taught}, {facts['size']} dimensions{f': {note}' if (note := facts.get('note')) else ''}"


def _scaling(recipe: dict[str, Any]) -> str:
    reference = recipe.get("reference_batch", 0)
    return f"; it and the learning rate count for {reference} crops in a step, and are scaled" if reference else ""


def _views(views: dict[str, Any]) -> str:
    return (
        f"views: mixup up to {views['mixup_ratio']:g} with {views['memory_size']} previous clips, random resize crop "
        f"{views['smallest']:g} to {views['largest']:g}, linear fader ±{views['fader_gain']:g}"
    )


def _masks(masking: dict[str, Any]) -> str:
    return (
        f"{masking['masks']} masks for each crop, which leave {masking['visible']:.0%} visible, in spans of "
        f"{masking['span']} frame features; a decoder of {masking['decoder_layers']} layers, "
        f"{masking['decoder_width']} wide"
    )


def shape_text(encoder: dict[str, Any]) -> str:
    """What a network's shape is, for the first sentence of a card.

    Example:
        >>> shape_text({"kind": "transformer", "n_layers": 6, "width": 192})
        'A transformer of 6 layers, 192 wide'
    """
    if encoder["kind"] == TransformerConfig.kind:
        return f"A transformer of {encoder['n_layers']} layers, {encoder['width']} wide"
    shape = f"A network of the BYOL-A {'v2' if encoder['concatenate_local'] else 'v1'} shape"
    if encoder["concatenate_local"] and (encoder["channels"], encoder["hidden_size"]) != V2_WIDTH:
        return f"{shape} with {encoder['channels']} channels and linear layers of {encoder['hidden_size']}"
    return shape


def results_text(probe_table: str) -> str:
    """The section on results: the probe's table and what it is."""
    origin = (
        "`python -m benchmark probe` wrote this table. `untrained` has the shape of BYOL-A v2 and "
        "`untrained_transformer` that of the transformers, with random weights."
    )
    return f"{origin}\n\n{probe_table.rstrip()}"


def _headed(text: str) -> str:
    """The paragraph on overlap with its heading; empty if there is none."""
    return f"**Overlap with evaluation sets.** {text}" if text else ""


def weights_card(name: str, folder: Path | None, probe_table: str) -> str:
    """Write the card of a network of the zoo.

    Args:
        name: name of the network.
        folder: the zoo; the package's own if None.
        probe_table: Markdown, the same in every card.

    Returns:
        Markdown.
    """
    card = describe_model(name, folder)
    config, training = read_header(card["file"])[0], card["training"]
    audio = TRAINED_ON.get(name.removeprefix("transformer-"), "other audio")
    summary = (
        f"{shape_text(card['encoder'])}, trained on {training['hours']:.1f} hours of {audio}. Matrices and "
        "kernels are stored in half precision, which moves embeddings by up to 1 %."
    )
    details = [recipe_text(training), f"![loss, standard deviation, learning rate and speed](byola-{name}.png)"]
    overlap = network_overlap(name, folder, OVERLAP_TABLE)
    details += [matching_text(training), _headed(overlap), sources_table(training)]
    sections = {
        "Training": "\n\n".join(part.rstrip() for part in details if part),
        "Results": results_text(probe_table),
        "Intended use and limits": DISTILLED_USE if training["recipe"].get("method") == DISTIL else INTENDED_USE,
    }
    facts = model_facts(config, card["parameters"], card["sha256"])
    return card_text(f"byola-{name} {config.version}", summary, facts, sections)


def write_cards(folder: Path, probe_table: str) -> list[Path]:
    """Write the card and the picture of every network in a zoo.

    Args:
        folder: a zoo with the logs of the training runs, ``byola-NAME.log.csv``.
        probe_table: Markdown.

    Returns:
        The cards' paths.
    """
    # Importing matplotlib takes a second, and the text can be made without it.
    from byola_hear.pretraining.training.curves import draw_curves

    written = []
    for name in list_models(folder):
        draw_curves({name: folder / f"byola-{name}.log.csv"}, folder / f"byola-{name}.png")
        written.append(folder / f"byola-{name}.md")
        write_file(written[-1], weights_card(name, folder, probe_table))
    return written


@click.command("cards")
def command() -> None:
    """Write the networks' cards from their checkpoints, training logs and the probe's table."""
    for path in write_cards(zoo_folder(), PROBE_TABLE.read_text(encoding="utf-8")):
        click.echo(str(path))
    write_file(OVERLAP_PAGE, overlap_page(OVERLAP_TABLE))
    click.echo(str(OVERLAP_PAGE))
