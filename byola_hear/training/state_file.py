"""The state of a training as one safetensors file: tensors, and all else as JSON in the header.

A state is written under a temporary name first, so a run that is killed, or a machine that loses its power, leaves a
whole state. Reading runs no code.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

#: Name of the metadata entry that holds the header.
_ENTRY = "run"


def write_state(path: Path, tensors: Mapping[str, Tensor], header: dict[str, Any]) -> None:
    """Write a state.

    Args:
        path: the file; an existing one is replaced.
        tensors: by name, on any device.
        header: JSON values.

    Raises:
        OSError: if it can't be written, for instance on a full disk. The previous state stays.
    """
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    temporary = path.with_name(f"{path.name}.partial")
    try:
        save_file(plain, temporary, metadata={_ENTRY: json.dumps(header)})
    except SafetensorError as error:
        temporary.unlink(missing_ok=True)
        raise OSError(f"{path.parent}: can't write the state ({error})") from None
    with open(temporary, "rb+") as stream:
        os.fsync(stream.fileno())
    os.replace(temporary, path)


def read_header(path: Path) -> dict[str, Any]:
    """Read the header that :func:`write_state` wrote.

    Raises:
        ValueError: if the file is not a training state.
    """
    try:
        with safe_open(path, "pt") as file:
            return json.loads(file.metadata()[_ENTRY])
    except (SafetensorError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: not a training state ({error})") from None


def read_tensors(path: Path, prefix: str) -> dict[str, Tensor]:
    """The tensors of a state whose names begin with a prefix, under their names without it."""
    with safe_open(path, "pt") as file:
        # Copies: the library's tensors are the file, mapped into memory, and Windows replaces no file that is mapped.
        return {name[len(prefix) :]: file.get_tensor(name).clone() for name in file.keys() if name.startswith(prefix)}


def optimiser_tensors(optimiser: torch.optim.Optimizer, network: nn.Module) -> dict[str, Tensor]:
    """What an optimiser over a network's parameters remembers, by key and name of the parameter."""
    return {
        f"{key}.{name}": torch.as_tensor(value)
        for name, parameter in network.named_parameters()
        for key, value in optimiser.state[parameter].items()
    }


def fill_optimiser(optimiser: torch.optim.Optimizer, network: nn.Module, stored: Mapping[str, Tensor]) -> None:
    """Give an optimiser over a network's parameters what :func:`optimiser_tensors` took from another.

    Args:
        optimiser: Adam or AdamW.
        network: the network, on its device.
        stored: the tensors.
    """
    for name, parameter in network.named_parameters():
        suffix = f".{name}"
        entries = {key[: -len(suffix)]: value for key, value in stored.items() if key.endswith(suffix)}
        # A key with a dot belongs to another parameter, whose name ends like this one's.
        own = {key: value for key, value in entries.items() if "." not in key}
        # A fused optimiser reads memory in order, so moments need the memory layout of their parameter.
        optimiser.state[parameter] = {
            key: torch.empty_like(parameter).copy_(value)
            if value.shape == parameter.shape
            else value.to(parameter.device)
            for key, value in own.items()
        }
