"""The state of a run on disk: both networks, the optimiser and the step. A run resumed from it continues exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from byola_hear.training import state_file

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
    tensors |= {f"optimiser.{name}": tensor for name, tensor in state_file.optimiser_tensors(optimiser, online).items()}
    state_file.write_state(folder / STATE_FILE, tensors, header)


def read_header(folder: Path) -> dict[str, Any]:
    """Read the header that :func:`save_state` wrote.

    Raises:
        FileNotFoundError: if the folder holds no state.
        ValueError: if the file is not a training state.
    """
    path = folder / STATE_FILE
    if not path.exists():
        raise FileNotFoundError(f"{folder}: no training run in this folder ({STATE_FILE} is missing)")
    return state_file.read_header(path)


def load_network(folder: Path, network: nn.Module, part: str) -> None:
    """Load the ``online`` or the ``target`` network of a state into a network of the same shape."""
    network.load_state_dict(state_file.read_tensors(folder / STATE_FILE, f"{part}."))


def load_encoder(folder: Path) -> dict[str, Tensor]:
    """Read the state dict of the online network's encoder."""
    return state_file.read_tensors(folder / STATE_FILE, "online.encoder.")


def load_optimiser(folder: Path, optimiser: torch.optim.Optimizer, online: nn.Module) -> None:
    """Load the optimiser of a state into one over ``online.parameters()``."""
    state_file.fill_optimiser(optimiser, online, state_file.read_tensors(folder / STATE_FILE, "optimiser."))
