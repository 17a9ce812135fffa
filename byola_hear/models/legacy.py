"""Reads published checkpoints of the BYOL-A family: state dicts (``.pth``), without running code from them."""

from __future__ import annotations

import os
import re
from pathlib import Path

import torch
from torch import Tensor

from byola_hear.models.checkpoint import COUNTER, CheckpointError, check_shapes, existing_file, listed
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel


def load_legacy(
    path: str | os.PathLike[str],
    *,
    frontend: FrontendConfig,
    mean: float,
    std: float,
    licence: str = "unknown",
) -> ByolaModel:
    """Read a published state dict of the BYOL-A family (``.pth``), which holds tensors and nothing else.

    The network's shape follows from the tensors. The front end and the statistics do not, and must be given: a wrong
    mel scale or wrong statistics would give wrong embeddings without any error.

    Args:
        path: a file written by ``torch.save(state_dict)``; read with ``weights_only=True``.
        frontend: the front end that the network was trained with.
        mean: mean of the log-mel that it was trained with.
        std: standard deviation of that log-mel.
        licence: the weights' licence, for the configuration.

    Returns:
        The model: float32, on the CPU, in evaluation mode. :func:`~byola_hear.models.checkpoint.save_checkpoint` writes
        it as a checkpoint of this package.

    Raises:
        CheckpointError: if the file holds anything except tensors, or the tensors are not those of a network of this
            family.
        ValueError: if front end and network disagree about the number of mel bands.
        FileNotFoundError: if there is no such file.
    """
    path = existing_file(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a hostile or damaged file may raise anything
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CheckpointError(f"{path}: not a file of tensors only, refused ({reason})") from error
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        got = type(content).__name__
        raise CheckpointError(f"{path}: expected tensors by name and nothing else, got {got}")
    tensors = {str(name): value for name, value in content.items() if not str(name).endswith(COUNTER)}
    encoder = _legacy_encoder_config(path, tensors)
    check_shapes(path, encoder, {name: tuple(tensor.shape) for name, tensor in tensors.items()})
    config = ModelConfig(
        name=path.stem,
        version="legacy",
        frontend=frontend,
        encoder=encoder,
        mean=mean,
        std=std,
        licence=licence,
        training={},
    )
    return ByolaModel.assemble(path, config, tensors)


def _legacy_encoder_config(path: Path, tensors: dict[str, Tensor]) -> EncoderConfig:
    """Derive the shape of a published network from its tensors: three blocks are v1, two are v2."""
    try:
        channels = tensors["features.0.weight"].shape[0]
        hidden_size, local_size = tensors["fc.0.weight"].shape
    except (KeyError, IndexError, ValueError) as error:
        raise CheckpointError(
            f"{path}: expected the tensors features.0.weight and fc.0.weight of a BYOL-A network, got {listed(tensors)}"
        ) from error
    n_blocks = sum(re.fullmatch(r"features\.\d+\.weight", name) is not None for name in tensors) // 2
    if n_blocks not in (2, 3):
        raise CheckpointError(f"{path}: expected two (v2) or three (v1) convolution blocks, got {n_blocks}")
    try:
        return EncoderConfig(
            n_mels=local_size // channels * 2**n_blocks,
            n_blocks=n_blocks,
            channels=channels,
            hidden_size=hidden_size,
            concatenate_local=n_blocks == 2,
        )
    except ValueError as error:
        raise CheckpointError(f"{path}: {error}") from error
