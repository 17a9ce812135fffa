"""The state of a run on disk: both networks, the optimiser and the step. A run resumed from it continues exactly.

A state is a safetensors file. It is written under a temporary name first, so a run that is killed leaves a whole state.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

STATE_FILE = "state.safetensors"


def save_state(
    folder: Path,
    online: nn.Module,
    target: nn.Module,
    optimiser: torch.optim.Optimizer,
    header: dict[str, Any],
) -> None:
    """Write the state of a run.

    Args:
        folder: folder of the run.
        online: the online network.
        target: the target network.
        optimiser: Adam or AdamW over ``online.parameters()``.
        header: step, recipe and all else that resuming and exporting need, as JSON values.

    Raises:
        OSError: if it can't be written, for instance on a full disk. The previous state stays.
    """
    tensors = {f"online.{name}": tensor for name, tensor in online.state_dict().items()}
    tensors |= {f"target.{name}": tensor for name, tensor in target.state_dict().items()}
    for name, parameter in online.named_parameters():
        for key, value in optimiser.state[parameter].items():
            tensors[f"optimiser.{key}.{name}"] = torch.as_tensor(value)
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    temporary = folder / f"{STATE_FILE}.partial"
    try:
        save_file(plain, temporary, metadata={"run": json.dumps(header)})
    except SafetensorError as error:
        temporary.unlink(missing_ok=True)
        raise OSError(f"{folder}: can't write the state ({error})") from None
    os.replace(temporary, folder / STATE_FILE)


def read_header(folder: Path) -> dict[str, Any]:
    """Read the header that :func:`save_state` wrote.

    Raises:
        FileNotFoundError: if the folder holds no state.
        ValueError: if the file is not a training state.
    """
    path = folder / STATE_FILE
    if not path.exists():
        raise FileNotFoundError(f"{folder}: no training run in this folder ({STATE_FILE} is missing)")
    try:
        with safe_open(path, "pt") as file:
            return json.loads(file.metadata()["run"])
    except (SafetensorError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: not a training state ({error})") from None


def _tensors(folder: Path, prefix: str) -> dict[str, Tensor]:
    """The tensors of a state whose names begin with a prefix, under their names without it."""
    with safe_open(folder / STATE_FILE, "pt") as file:
        return {name[len(prefix) :]: file.get_tensor(name) for name in file.keys() if name.startswith(prefix)}


def load_network(folder: Path, network: nn.Module, part: str) -> None:
    """Load the ``online`` or the ``target`` network of a state into a network of the same shape."""
    network.load_state_dict(_tensors(folder, f"{part}."))


def load_encoder(folder: Path) -> dict[str, Tensor]:
    """Read the state dict of the online network's encoder."""
    return _tensors(folder, "online.encoder.")


def load_optimiser(folder: Path, optimiser: torch.optim.Optimizer, online: nn.Module) -> None:
    """Load the optimiser of a state into one over ``online.parameters()``."""
    stored = _tensors(folder, "optimiser.")
    for name, parameter in online.named_parameters():
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
