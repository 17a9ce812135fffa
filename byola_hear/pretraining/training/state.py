"""A training run's state on disk: both networks, the optimiser, the step. Resuming from it continues exactly.

Written as safetensors, to a temporary name first, so that a run killed at any moment leaves a whole state behind.
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

from byola_hear.pretraining.byol.networks import OnlineNetwork, TargetNetwork

STATE_FILE = "state.safetensors"


def save_state(
    folder: Path,
    online: OnlineNetwork,
    target: TargetNetwork,
    optimiser: torch.optim.Optimizer,
    header: dict[str, Any],
) -> None:
    """Write the state of a run.

    Args:
        folder: of the run.
        online: the online network.
        target: the target network.
        optimiser: Adam or AdamW over ``online.parameters()``.
        header: step, recipe and whatever else must be known again; JSON values.

    Raises:
        OSError: if it can't be written, as on a full disk; the state before it stays.
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
        raise OSError(f"{folder}: the state can't be written ({error})") from None
    os.replace(temporary, folder / STATE_FILE)


def read_header(folder: Path) -> dict[str, Any]:
    """What :func:`save_state` was given as header.

    Raises:
        FileNotFoundError: if the folder holds no state.
        ValueError: if the file is not a state.
    """
    path = folder / STATE_FILE
    if not path.exists():
        raise FileNotFoundError(f"{folder}: no training state there ({STATE_FILE} is missing)")
    try:
        with safe_open(path, "pt") as file:
            return json.loads(file.metadata()["run"])
    except (SafetensorError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: not a training state ({error})") from None


def _tensors(folder: Path, prefix: str) -> dict[str, Tensor]:
    """All tensors of a state whose names begin with a prefix, without it."""
    with safe_open(folder / STATE_FILE, "pt") as file:
        return {name[len(prefix) :]: file.get_tensor(name) for name in file.keys() if name.startswith(prefix)}


def load_network(folder: Path, network: nn.Module, part: str) -> None:
    """Load ``online`` or ``target`` of a state into a network of the same shape."""
    network.load_state_dict(_tensors(folder, f"{part}."))


def load_encoder(folder: Path) -> dict[str, Tensor]:
    """State dict of the online network's encoder."""
    return _tensors(folder, "online.encoder.")


def load_optimiser(folder: Path, optimiser: torch.optim.Optimizer, online: OnlineNetwork) -> None:
    """Load the optimiser's part of a state; the optimiser must be over ``online.parameters()``."""
    stored = _tensors(folder, "optimiser.")
    for name, parameter in online.named_parameters():
        suffix = f".{name}"
        entries = {key[: -len(suffix)]: value for key, value in stored.items() if key.endswith(suffix)}
        # A dot in the key: the name of another parameter that ends like this one's.
        own = {key: value for key, value in entries.items() if "." not in key}
        # A fused optimiser goes through memory as it lies: moments must lie there as their parameter does.
        optimiser.state[parameter] = {
            key: torch.empty_like(parameter).copy_(value)
            if value.shape == parameter.shape
            else value.to(parameter.device)
            for key, value in own.items()
        }
