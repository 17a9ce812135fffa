"""The kinds of encoders that the package knows, and what follows from a kind's name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from byola_hear.models.encoders.convolutional import Encoder, EncoderConfig
from byola_hear.models.encoders.folded import FoldedEncoder
from byola_hear.models.encoders.int8 import Int8Encoder
from byola_hear.models.encoders.protocol import EncoderShape, FrameEncoder, InferenceEncoder
from byola_hear.models.encoders.transformer import AVERAGE, FrozenTransformer, Transformer, TransformerConfig
from byola_hear.models.plain import checked_keys


@dataclass(frozen=True)
class EncoderKind:
    """The three parts of one kind of encoder.

    Attributes:
        config: the configuration's class.
        network: makes the network with random weights from a configuration.
        inference: makes the fast form from a network.
        int8: makes a fast form in 8-bit integers, for CPUs; None if there is none.
    """

    config: type
    network: Callable[[Any], FrameEncoder]
    inference: Callable[[Any], InferenceEncoder]
    int8: Callable[[Any], InferenceEncoder] | None = None


#: Every kind of encoder by the name that stands in checkpoints.
KINDS: dict[str, EncoderKind] = {
    EncoderConfig.kind: EncoderKind(EncoderConfig, Encoder, FoldedEncoder, Int8Encoder),
    TransformerConfig.kind: EncoderKind(TransformerConfig, Transformer, FrozenTransformer),
}
#: The kind where a configuration names none: all checkpoints were convolutional before kinds had names.
DEFAULT_KIND = EncoderConfig.kind


def is_encoder_config(config: object) -> bool:
    """Whether an object is the configuration of a known kind of encoder."""
    kind = KINDS.get(getattr(config, "kind", ""))
    return kind is not None and isinstance(config, kind.config)


def build_encoder(config: EncoderShape) -> FrameEncoder:
    """Make a network with random weights.

    Example:
        >>> build_encoder(EncoderConfig(channels=4, hidden_size=8)).config.feature_size
        72
    """
    return KINDS[config.kind].network(config)


def has_int8(config: EncoderShape) -> bool:
    """Whether this kind of encoder has a form in 8-bit integers."""
    return KINDS[config.kind].int8 is not None


def inference_form(encoder: FrameEncoder, precision: str = "float32") -> InferenceEncoder:
    """Make a network's fast form, with the weights that the network has now.

    Args:
        encoder: the network.
        precision: ``"int8"`` for the form in 8-bit integers. Otherwise the weights' type decides.

    Raises:
        ValueError: if there is no form in 8-bit integers for this kind of network, on its device, here.
    """
    kind = KINDS[encoder.config.kind]
    if precision != "int8":
        return kind.inference(encoder)
    if kind.int8 is None:
        raise ValueError(f"int8 is not available for networks of kind {encoder.config.kind!r}")
    return kind.int8(encoder)


def encoder_to_dict(config: EncoderShape) -> dict[str, Any]:
    """An encoder's configuration as plain JSON values, ``kind`` included."""
    return {"kind": config.kind, **config.to_dict()}


def encoder_from_dict(data: object) -> EncoderShape:
    """Read the configuration that :func:`encoder_to_dict` wrote.

    Args:
        data: a dictionary; without ``kind`` it describes a convolutional encoder.

    Returns:
        The configuration.

    Raises:
        ValueError: if the kind is unknown, a key is unknown or missing, or a value is not allowed.

    Example:
        >>> encoder_from_dict({"kind": "spiking"})
        Traceback (most recent call last):
        ValueError: expected an encoder of kind 'convolutional' or 'transformer', got 'spiking'
    """
    if not isinstance(data, dict):
        raise ValueError(f"expected encoder as a dictionary, got {type(data).__name__}")
    kind = data.get("kind", DEFAULT_KIND)
    if not isinstance(kind, str) or kind not in KINDS:
        known = " or ".join(map(repr, sorted(KINDS)))
        raise ValueError(f"expected an encoder of kind {known}, got {kind!r}")
    config = KINDS[kind].config
    values = {key: value for key, value in data.items() if key != "kind"}
    if kind == TransformerConfig.kind and "averaged" in values:
        # Before 0.8.0, layers could only be averaged.
        values = {"combine": AVERAGE, "taken": values.pop("averaged"), **values}
    made: EncoderShape = config(**checked_keys(config, values, "encoder"))
    return made
