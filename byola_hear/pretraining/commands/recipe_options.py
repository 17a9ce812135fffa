"""The options of ``train`` that make up a recipe. Defaults depend on the method and the kind of encoder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any

import click

from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.encoders.protocol import EncoderShape
from byola_hear.models.encoders.transformer import COMBINATIONS, TransformerConfig
from byola_hear.pretraining.byol.views import ViewConfig
from byola_hear.pretraining.masked.masks import MaskConfig
from byola_hear.pretraining.training.recipe import BYOL, COMBINED, MASKED, Recipe

#: Adds an option to a command.
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
#: The usual recipe of each method.
DEFAULTS = {BYOL: Recipe(), MASKED: Recipe.masked()}
#: Help of the settings of every method.
SETTINGS = {
    "steps": "Total number of steps. The schedules end there.",
    "batch_size": "Crops per step on each device.",
    "crop_frames": "Length of a crop, in frames of 10 ms.",
    "learning_rate": "Learning rate after warm-up.",
    "final_learning_rate": "Learning rate at the last step. A cosine leads there.",
    "warm_up_steps": "Steps over which the learning rate rises from 0.",
    "weight_decay": "Weight decay of AdamW; 0 makes it Adam.",
    "ema_decay": "Decay of the target network's moving average at the first step.",
    "final_ema_decay": "Decay of the target network's moving average at the last step.",
    "reference_batch": "Crops in a step, over all devices, for which learning rate and decays are given. At other "
    "numbers both are scaled; 0 takes them as they are.",
    "crop_candidates": "Places drawn for each crop; the loudest is taken.",
    "ambience_mix": "How often a crop of effects or animals is mixed with ambience, from 0 to 1.",
    "batch_norm_momentum": "Share of a batch in the running statistics of batch norms.",
    "seed": "Seed of everything random.",
}
#: Help of the settings of one method, or of one kind of encoder.
BYOL_VIEWS = {
    "mixup_ratio": "Largest share of another crop that is mixed in; 0 turns mixup off.",
    "fader_gain": "Strength of the random fades, in standard deviations; 0 turns them off.",
}
BYOL_SETTINGS = {
    "projector_hidden": "Width inside the projector and the predictor.",
    "second_view": "What the second view is made of. same: the same crop. clip: another crop of the clip. note: as "
    "clip, but for a note of a SoundFont, the same note with another velocity.",
}
MASKING = {
    "masks": "Masks of each crop, which share one pass of the target network.",
    "visible": "Share of a crop that stays visible.",
    "span": "Length of a span that is visible or hidden, in frame features of 40 ms.",
    "decoder_width": "Width of the decoder.",
    "decoder_layers": "Number of layers of the decoder.",
}
CONVOLUTIONAL = {
    "hidden_size": "Width of the network's linear layers.",
    "channels": "Channels of each convolution.",
}
TRANSFORMER = {
    "width": "Width of the tokens.",
    "n_layers": "Number of layers.",
    "n_heads": "Heads of each attention. Default: one for each 64 of the width.",
    "combine": f"How the outputs of the layers make a frame feature: {' or '.join(COMBINATIONS)}.",
    "context": "Length of the context, in frame features of 40 ms. Default: the length of a crop.",
}


weights_option = click.option(
    "--weights",
    "kind_weights",
    metavar="KIND=WEIGHT,…",
    help="How often kinds of sound are drawn, relative to their hours, for instance effects=4,ambience=3. "
    "Speech keeps its share.",
)


def recipe_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a recipe to a command. :func:`recipe_of` reads their values."""
    kinds = {name: usual.encoder.kind for name, usual in DEFAULTS.items()}
    options: list[Decorator] = [
        click.option(
            "--method",
            type=click.Choice(list(DEFAULTS)),
            default=BYOL,
            show_default=True,
            help="byol: predict one view of a crop from another. masked: predict the hidden parts of a crop.",
        ),
        *kind_options(_default(kinds)),
        *setting_options(SETTINGS, "", DEFAULTS),
        weights_option,
        *shape_options(_default({method: COMBINED[method] for method in DEFAULTS})),
        *setting_options(BYOL_VIEWS, " Only for byol.", {BYOL: ViewConfig()}),
        *setting_options(BYOL_SETTINGS, " Only for byol.", {BYOL: Recipe()}),
        *setting_options(MASKING, " Only for masked.", {MASKED: MaskConfig()}),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def kind_options(default: str) -> list[Decorator]:
    """The options for the kind of network.

    Args:
        default: text on the default kind.
    """
    return [
        click.option(
            "--encoder",
            type=click.Choice([EncoderConfig.kind, TransformerConfig.kind]),
            help=f"Kind of network. Default: {default}.",
        ),
        click.option(
            "--shape",
            type=click.Choice(["v1", "v2"]),
            help="Shape of a convolutional network: that of BYOL-A v1 or v2. Default: v2.",
        ),
    ]


def shape_options(combine: str) -> list[Decorator]:
    """The options for the width and the depth of a network.

    Args:
        combine: text on how a transformer's layers are combined by default.
    """
    texts = {**TRANSFORMER, "combine": f"{TRANSFORMER['combine']} Default: {combine}."}
    return [
        *setting_options(CONVOLUTIONAL, " Only for convolutional networks.", {BYOL: EncoderConfig()}),
        *setting_options(texts, " Only for transformers.", {BYOL: TransformerConfig()}),
    ]


def setting_options(texts: Mapping[str, str], scope: str, usual: Mapping[str, object]) -> list[Decorator]:
    """Options of a group of settings.

    They have no defaults of their own: these are filled in when the method is known.

    Args:
        texts: help by name; a text that states a default is complete.
        scope: text on where the options count.
        usual: what has the defaults as attributes, by method.
    """
    options: list[Decorator] = []
    for name, text in texts.items():
        values = {method: getattr(each, name) for method, each in usual.items()}
        default = "" if "Default:" in text else f" Default: {_default(values)}."
        kind = type(next(iter(values.values())))
        options.append(click.option(_flag(name), name, type=kind, help=f"{text}{scope}{default}"))
    return options


def _flag(name: str) -> str:
    """The option of a setting: ``n_layers`` is ``--layers``."""
    return f"--{name.removeprefix('n_').replace('_', '-')}"


def _default(values: Mapping[str, Any]) -> str:
    """Text on defaults by method.

    Example:
        >>> _default({"byol": 96, "masked": 400}), _default({"byol": 1, "masked": 1})
        ('96; with --method masked 400', '1')
    """
    first, *others = [f"{value:g}" if isinstance(value, (int, float)) else str(value) for value in values.values()]
    return first if all(other == first for other in others) else f"{first}; with --method {MASKED} {others[0]}"


def recipe_of(options: Mapping[str, Any]) -> Recipe:
    """Make the recipe that the options describe.

    Args:
        options: values by name; None where the user gave none.

    Raises:
        click.UsageError: if an option of another method or of another kind of encoder was given.
        ValueError: if a value is not allowed.
    """
    given = {name: value for name, value in options.items() if value is not None}
    method = given["method"]
    usual = DEFAULTS[method]
    _refuse(given, (*BYOL_VIEWS, *BYOL_SETTINGS), method == BYOL, f"--method {BYOL}")
    _refuse(given, MASKING, method == MASKED, f"--method {MASKED}")
    settings = {name: given[name] for name in (*SETTINGS, *BYOL_SETTINGS) if name in given}
    settings["kind_weights"] = kind_weights_of(given.get("kind_weights", ""))
    crop_frames = settings.get("crop_frames", usual.crop_frames)
    return replace(
        usual,
        **settings,
        encoder=encoder_of(given, usual.encoder.kind, crop_frames),
        views=ViewConfig(**{name: given[name] for name in BYOL_VIEWS if name in given}),
        masking=MaskConfig(**{name: given[name] for name in MASKING if name in given}),
    )


def kind_weights_of(text: str) -> dict[str, float]:
    """Parse ``effects=4,ambience=3``."""
    weights = {}
    for part in filter(None, text.split(",")):
        kind, separator, weight = part.partition("=")
        try:
            weights[kind.strip()] = float(weight)
        except ValueError:
            separator = ""
        if not separator or not kind.strip():
            raise click.UsageError(f"expected --weights KIND=WEIGHT,…, for instance effects=4,ambience=3, got {text!r}")
    return weights


def _refuse(given: Mapping[str, Any], names: Any, fits: bool, where: str) -> None:
    """Refuse options that would have no effect."""
    wrong = [name for name in names if name in given and not fits]
    if wrong:
        raise click.UsageError(f"expected {_flag(wrong[0])} together with {where} only")


def encoder_of(given: Mapping[str, Any], default: str, crop_frames: int) -> EncoderShape:
    """Make the shape that the options describe.

    Args:
        given: values by name, without those that the user did not give.
        default: kind of network if none is named.
        crop_frames: length of a crop, in frames.

    Raises:
        click.UsageError: if an option of another kind of network was given.
        ValueError: if a value is not allowed.
    """
    kind = given.get("encoder", default)
    _refuse(given, ("shape", *CONVOLUTIONAL), kind == EncoderConfig.kind, f"--encoder {EncoderConfig.kind}")
    _refuse(given, TRANSFORMER, kind == TransformerConfig.kind, f"--encoder {TransformerConfig.kind}")
    return _transformer(given, crop_frames) if kind == TransformerConfig.kind else _convolutional(given)


def _convolutional(given: Mapping[str, Any]) -> EncoderShape:
    shape = EncoderConfig.v1() if given.get("shape") == "v1" else EncoderConfig.v2()
    # The options' defaults are those of v2, also for v1: its width is one of three that were published.
    values = {name: given.get(name, getattr(EncoderConfig.v2(), name)) for name in CONVOLUTIONAL}
    return replace(shape, **values)


def _transformer(given: Mapping[str, Any], crop_frames: int) -> EncoderShape:
    values = {field.name: given[field.name] for field in fields(TransformerConfig) if field.name in given}
    width = values.get("width", TransformerConfig.width)
    usual = {
        "n_heads": max(width // 64, 1),
        "context": max(crop_frames // TransformerConfig.stride, 1),
        "combine": COMBINED[given.get("method", BYOL)],
    }
    return TransformerConfig(**{**usual, **values})
