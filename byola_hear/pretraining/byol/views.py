"""Augmented views of log-mel crops, computed for a whole batch at once.

Two views are made of each normalised crop, by mixup, a random resize crop and a random linear fader. Each crop gets its
own random values. Both views together are then normalised again.

Source:
    Niizumi et al., BYOL for Audio (arXiv 2103.06695, 2204.07402).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from byola_hear.models.frontend import LOG_OFFSET
from byola_hear.training.mixing import mixup


@dataclass(frozen=True)
class ViewConfig:
    """Strengths of the augmentations. The defaults are those of BYOL-A v2.

    Attributes:
        mixup_ratio: largest share of a past crop that is mixed in: 0.4 in v1, 0.2 in v2; 0 turns mixup off.
        memory_size: number of past crops to choose from.
        canvas_time: length of the virtual canvas, as a multiple of the crop's length.
        smallest: smallest side of the resized box, as a multiple of the crop's side.
        largest: largest side of the resized box, as a multiple of the crop's side.
        fader_gain: largest absolute value at either end of the linear fader, in standard deviations; 0 turns it off
            (v1).
    """

    mixup_ratio: float = 0.2
    memory_size: int = 2048
    canvas_time: float = 1.5
    smallest: float = 0.6
    largest: float = 1.5
    fader_gain: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.mixup_ratio <= 1:
            raise ValueError(f"mixup_ratio must be in [0, 1], got {self.mixup_ratio}")
        if self.memory_size < 1:
            raise ValueError(f"memory_size must be at least 1, got {self.memory_size}")
        if self.canvas_time < 1:
            raise ValueError(f"canvas_time must be at least 1, got {self.canvas_time}")
        if not 0 < self.smallest <= self.largest:
            raise ValueError(f"expected 0 < smallest <= largest, got {self.smallest} and {self.largest}")
        if not self.fader_gain >= 0:
            raise ValueError(f"fader_gain must not be negative, got {self.fader_gain}")


def draw_boxes(n_boxes: int, height: int, width: int, config: ViewConfig, generator: torch.Generator) -> Tensor:
    """Draw the boxes of random resize crops.

    Args:
        n_boxes: number of boxes.
        height: height of the input, in bands.
        width: width of the input, in frames.
        config: ranges of the sizes.
        generator: source of randomness. The boxes are on its device.

    Returns:
        ``(n_boxes, 4)`` top, left, height and width of each box, in whole bands and frames from the input's corner.
        ``left`` is negative if a box begins in the empty canvas before the input.
    """
    canvas_width = int(width * config.canvas_time)
    random = torch.rand(n_boxes, 4, generator=generator, device=generator.device, dtype=torch.float64)
    scale = config.smallest + random[:, :2] * (config.largest - config.smallest)
    box_height = (scale[:, 0] * height).floor().clamp(1, height)
    box_width = (scale[:, 1] * width).floor().clamp(1, canvas_width)
    top = (random[:, 2] * (height - box_height + 1)).floor()
    left = (random[:, 3] * (canvas_width - box_width + 1)).floor() - (canvas_width - width) // 2
    return torch.stack([top, left, box_height, box_width], dim=1)


def resize_crop(x: Tensor, boxes: Tensor) -> Tensor:
    """Cut a box out of each crop and resize it to the crop's size, bicubic with aligned corners.

    Args:
        x: ``(batch, 1, height, width)``. Beyond its edges the value is zero, the mean of a normalised log-mel.
        boxes: ``(batch, 4)`` boxes from :func:`draw_boxes`.

    Returns:
        The same shape as ``x``.
    """
    height, width = x.shape[-2:]
    top, left, box_height, box_width = boxes.to(x.dtype).unbind(1)
    rows = torch.linspace(0, 1, height, device=x.device, dtype=x.dtype)
    columns = torch.linspace(0, 1, width, device=x.device, dtype=x.dtype)
    # In grid_sample's coordinates, -1 and 1 are the centres of the first and last band or frame.
    y = (top[:, None] + rows * (box_height[:, None] - 1)) * (2 / max(height - 1, 1)) - 1
    t = (left[:, None] + columns * (box_width[:, None] - 1)) * (2 / max(width - 1, 1)) - 1
    grid = torch.stack([t[:, None, :].expand(-1, height, -1), y[:, :, None].expand(-1, -1, width)], dim=-1)
    return functional.grid_sample(x, grid, mode="bicubic", padding_mode="zeros", align_corners=True)


def fade(x: Tensor, ends: Tensor) -> Tensor:
    """Add a linear ramp over time to each crop: a fade in or out in the log domain.

    Args:
        x: ``(batch, 1, n_mels, time)``.
        ends: ``(batch, 2)`` first and last value of the ramp.

    Returns:
        The same shape as ``x``.
    """
    ramp = torch.linspace(0, 1, x.shape[-1], device=x.device, dtype=x.dtype)
    values = ends[:, :1] + (ends[:, 1:] - ends[:, :1]) * ramp
    return x + values[:, None, None, :].to(x.dtype)


def make_view(x: Tensor, memory: Tensor, config: ViewConfig, generator: torch.Generator) -> Tensor:
    """Make one augmented view of every crop, before the second normalisation.

    Args:
        x: ``(batch, 1, n_mels, time)`` normalised log-mel crops.
        memory: ``(n_past, 1, n_mels, time)`` normalised past crops. If there are none, nothing is mixed in.
        config: strengths of the augmentations.
        generator: source of randomness, on the device of ``x``.

    Returns:
        The same shape as ``x``.
    """
    n, device = len(x), x.device
    share = config.mixup_ratio * torch.rand(n, generator=generator, device=device)
    choice = torch.rand(n, generator=generator, device=device)
    boxes = draw_boxes(n, x.shape[-2], x.shape[-1], config, generator)
    ends = config.fader_gain * (2 * torch.rand(n, 2, generator=generator, device=device) - 1)
    if len(memory) and config.mixup_ratio > 0:
        x = mixup(x, memory[(choice * len(memory)).long()], share)
    x = resize_crop(x, boxes)
    return fade(x, ends) if config.fader_gain > 0 else x


def make_views(
    x: Tensor, memory: Tensor, config: ViewConfig, generator: torch.Generator, second: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Make two views of every crop, normalised by the mean and standard deviation of both together.

    Args:
        x: see :func:`make_view`, like the other arguments.
        memory: past crops.
        config: strengths of the augmentations.
        generator: source of randomness.
        second: crops that the second views are made of. None takes ``x``.

    Returns:
        Two tensors of the shape of ``x``.
    """
    views = torch.stack([make_view(crops, memory, config, generator) for crops in (x, x if second is None else second)])
    views = (views - views.mean()) / views.std().clamp(min=LOG_OFFSET)
    return views[0], views[1]
