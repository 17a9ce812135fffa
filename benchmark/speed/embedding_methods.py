"""Methods that embed the same clips in memory: this package's, and plain ones for comparison."""

from __future__ import annotations

from collections.abc import Callable

import torch

import byola_hear
from benchmark.speed.race import Method, timed
from benchmark.speed.reference import PlainModel, windowed_embeddings
from byola_hear.models.model import ByolaModel

#: What each method is.
TITLES = {
    "scene": "scene embeddings",
    "plain": "plain network",
    "timestamps": "timestamp embeddings",
    "windows": "1 s windows every 50 ms, plain network",
    "own_windows": "1 s windows every 50 ms, this package",
}


def noise(n_clips: int, seconds: float, sample_rate: int) -> torch.Tensor:
    """Clips of noise with a changing level, ``(n_clips, n_samples)`` float32; always the same."""
    n_samples = round(seconds * sample_rate)
    steady = torch.randn(n_clips, n_samples, generator=torch.Generator().manual_seed(0))
    swell = torch.sin(torch.linspace(0, 3.0 * seconds, n_samples)).square()
    return 0.1 * steady * swell


def embedding_methods(model: ByolaModel, n_clips: int, clip_seconds: float) -> tuple[dict[str, Method], str]:
    """The methods of the race.

    Args:
        model: the network that all of them use.
        n_clips: number of clips.
        clip_seconds: length of each, s.

    Returns:
        The methods by name, and what the plain network's front end is.
    """
    clips = noise(n_clips, clip_seconds, model.sample_rate)
    plain, rate = PlainModel(model), model.sample_rate
    work: dict[str, Callable[[], object]] = {
        "scene": lambda: byola_hear.get_scene_embeddings(clips, model),
        "plain": lambda: plain.scene_embeddings(clips),
        "timestamps": lambda: byola_hear.get_timestamp_embeddings(clips, model),
        # One clip is enough: clips are processed one by one, and all are alike.
        "windows": lambda: windowed_embeddings(plain.scene_embeddings, clips[0], rate),
        "own_windows": lambda: windowed_embeddings(
            lambda each: byola_hear.get_scene_embeddings(each, model), clips[0], rate
        ),
    }
    methods = {
        name: Method(TITLES[name], clip_seconds * (1 if "windows" in name else n_clips), timed(each))
        for name, each in work.items()
    }
    return methods, plain.front_end
