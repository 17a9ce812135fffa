"""Lay sounds over ambience: an augmentation of crops before they become views."""

from __future__ import annotations

import torch
from torch import Tensor

from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.data.crops import crops_of_rows, draw_rows, row_weights

#: Kinds that are laid over ambience, and the kind that lies below.
EVENTS, AMBIENCE = frozenset(("effects", "animals")), "ambience"
#: Smallest and largest level of an event above its ambience, in dB.
LEVELS_DB = (-5.0, 20.0)


class AmbienceMixer:
    """Mixes crops of events with crops of ambience, at random levels.

    Args:
        cache: the audio, with the kinds of its rows.
        crop_frames: length of a crop, in frames.

    Raises:
        ValueError: if the set has no ambience, or no events.
    """

    def __init__(self, cache: LogMelCache, crop_frames: int) -> None:
        device = cache.frames.device
        self.cache, self.crop_frames = cache, crop_frames
        self.is_event = torch.tensor([kind in EVENTS for kind in cache.kinds], dtype=torch.bool, device=device)
        below = torch.tensor([kind == AMBIENCE for kind in cache.kinds], dtype=torch.float64, device=device)
        if not below.any() or not self.is_event.any():
            kinds = ", ".join(sorted(set(cache.kinds) - {""})) or "none"
            raise ValueError(f"mixing with ambience needs a set with ambience and with effects or animals, got {kinds}")
        self.weights = row_weights(cache.lengths, crop_frames, below)

    def __call__(self, crops: Tensor, row: Tensor, probability: float, generator: torch.Generator) -> Tensor:
        """Mix some of the events among crops with ambience.

        Args:
            crops: ``(n_crops, 1, n_mels, crop_frames)`` log-mel, not normalised.
            row: ``(n_crops,)`` rows that they were cut from.
            probability: how often an event is mixed.
            generator: source of randomness, on the CPU.

        Returns:
            The same shape as ``crops``.
        """
        n, device = len(crops), crops.device
        chosen = (torch.rand(n, generator=generator) < probability).to(device) & self.is_event[row]
        low, high = LEVELS_DB
        level_db = low + (high - low) * torch.rand(n, generator=generator).to(device)
        below = crops_of_rows(self.cache, draw_rows(self.weights, n, generator), self.crop_frames, generator)
        # The ambience is scaled to the mean power of the event, then to its level below. Values are ln(power).
        power, power_below = (x.exp().mean(dim=(1, 2, 3)).log() for x in (crops, below))
        gain = power - power_below - level_db * (torch.log(torch.tensor(10.0)) / 10)
        mixed = torch.logaddexp(crops, below + gain[:, None, None, None])
        return torch.where(chosen[:, None, None, None], mixed, crops)
