"""Devices that torch can compute on."""

from __future__ import annotations

import torch
from torch import Tensor

from byola_hear.utils.text import one_line


def usable_device(device: str | torch.device) -> torch.device:
    """Check that a device works, by moving a number there and back. torch accepts the names of many that do not.

    Args:
        device: a torch device or its name, such as ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``.

    Returns:
        The device.

    Raises:
        ValueError: if there is no such device, or it can't be used here.

    Example:
        >>> usable_device("cpu")
        device(type='cpu')
        >>> usable_device("toaster")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        ValueError: device 'toaster' can't be used: Expected one of cpu, cuda, ...
    """
    try:
        target = torch.device(device)
        torch.zeros(1, device=target).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = one_line(error).partition(". ")[0]  # torch goes on with all that it would do elsewhere
        raise ValueError(f"device {str(device)!r} can't be used: {reason}") from error
    return target


def in_float64(tensor: Tensor) -> Tensor:
    """A tensor in float64: on its own device, or on the CPU if it is on an Apple GPU, which has no float64.

    Example:
        >>> in_float64(torch.tensor([0.5]))
        tensor([0.5000], dtype=torch.float64)
    """
    return (tensor.cpu() if tensor.device.type == "mps" else tensor).double()
