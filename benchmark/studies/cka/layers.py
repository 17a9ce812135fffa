"""A network's activations by layer, one vector for each clip: the mean over time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from benchmark.models.extractors import Extractor
from byola_hear.models.encoders.convolutional import Encoder
from byola_hear.models.encoders.transformer import Transformer
from byola_hear.models.frontend import log_mel
from byola_hear.models.model import ByolaModel
from byola_hear.models.pooling.combination import pooled

#: Raise it when a change to the layers or the Gram matrices changes a value: cached results are then out of date.
MEASUREMENT_VERSION = 1


def layer_names(model: ByolaModel) -> list[str]:
    """The layers in order, then frame feature and clip embedding.

    A convolutional network has blocks and two fully connected layers; a transformer has its layers, up to the last that
    counts for an embedding.
    """
    return [*_modules(model), "frame", "clip"]


def _modules(model: ByolaModel) -> dict[str, nn.Module]:
    """The modules whose outputs are compared, by the name of their layer."""
    encoder = model.encoder
    if model.precision != "float32":
        raise ValueError(f"expected networks in float32, whose layers can be read, got one in {model.precision}")
    if isinstance(encoder, Transformer):
        computed = list(encoder.layers)[: encoder.config.layers[-1]]
        return {f"layer {number}": layer for number, layer in enumerate(computed, 1)}
    if not isinstance(encoder, Encoder):
        raise ValueError(f"expected a convolutional network or a transformer, got one of kind {encoder.config.kind!r}")
    blocks = [layer for layer in encoder.features if isinstance(layer, nn.MaxPool2d)]
    rectified = [layer for layer in encoder.fc if isinstance(layer, nn.ReLU)]
    return {
        **{f"block {number + 1}": layer for number, layer in enumerate(blocks)},
        "fc1": rectified[0],
        "fc2": rectified[1],
    }


@torch.no_grad()
def activations(model: ByolaModel, clips: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Compute the activations of clips.

    Args:
        model: a network, in eval mode.
        clips: ``(n_samples_i,)`` float32 at the model's rate.

    Returns:
        By layer ``(n_clips, n_features)`` float32: means over the clip's frames of every layer (of convolutional blocks
        channels by frequencies, after ReLU and pooling) and of the frame feature; and the clip embedding.
    """
    kept: dict[str, list[np.ndarray]] = {name: [] for name in layer_names(model)}
    seen: dict[str, list[Tensor]] = {}

    def keep(name: str, output: Tensor) -> None:
        # (batch, channels, frequency, time), or (blocks, tokens, width) in one or two calls.
        rows = output[0].flatten(0, 1).T if output.ndim == 4 else output.flatten(0, 1)
        seen.setdefault(name, []).append(rows)

    hooks = [
        module.register_forward_hook(lambda _module, _inputs, output, name=name: keep(name, output))
        for name, module in _modules(model).items()
    ]
    try:
        for clip in clips:
            waveform = torch.from_numpy(clip)[None]
            normalised = (log_mel(waveform, model.config.frontend) - model.config.mean) / model.config.std
            frames = model.encoder(normalised[:, None])[0]
            for name, pieces in seen.items():
                kept[name].append(torch.cat(pieces).mean(0).numpy())
            seen.clear()
            kept["frame"].append(frames.mean(0).numpy())
            kept["clip"].append(pooled(frames, model.config.pooling).numpy())
    finally:
        for hook in hooks:
            hook.remove()
    return {name: np.stack(rows).astype(np.float32) for name, rows in kept.items()}


def network_of(extractor: Extractor) -> ByolaModel:
    """The network behind an extractor.

    Raises:
        ValueError: if the model is not one of the package's networks.
    """
    if extractor.model is None:
        raise ValueError(f"expected networks, which have layers to compare, got {extractor.row}")
    return extractor.model
