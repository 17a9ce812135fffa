"""A race of ways to embed the same clips, turn by turn, the package's beside the plain ones."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

import torch
from tqdm import tqdm

import byola_hear
from benchmark.speed.reference import PlainModel, windowed_embeddings
from byola_hear.models.model import ByolaModel

#: What is embedded to measure the speed.
N_CLIPS, CLIP_SECONDS = 8, 10.0


@dataclass
class Contestant:
    """Something to time.

    Attributes:
        name: what it is.
        work: does it once.
        seconds: of audio that it goes through.
        cpu: seconds of processor time, one a turn.
        wall: seconds by the clock, one a turn.
    """

    name: str
    work: Callable[[], object]
    seconds: float
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    def turn(self) -> None:
        """Do the work once and keep its times."""
        wall, cpu = time.perf_counter(), time.process_time()
        self.work()
        self.cpu.append(time.process_time() - cpu)
        self.wall.append(time.perf_counter() - wall)

    def speeds(self, kind: str) -> list[float]:
        """Seconds of audio per second of ``"cpu"`` or ``"wall"`` time, one a turn."""
        return [self.seconds / max(each, 1e-9) for each in getattr(self, kind)]


def ratio(faster: Contestant, slower: Contestant, kind: str = "cpu") -> float:
    """How many times as fast, the median over turns that ran side by side.

    Example:
        >>> a, b = Contestant("a", int, 10.0, cpu=[1.0, 2.0, 9.0]), Contestant("b", int, 10.0, cpu=[2.0, 4.0, 9.0])
        >>> ratio(a, b)
        2.0
    """
    return median(a / b for a, b in zip(faster.speeds(kind), slower.speeds(kind), strict=True))


def sound(n_clips: int, seconds: float, sample_rate: int) -> torch.Tensor:
    """Clips of noise that comes and goes, ``(n_clips, n_samples)`` float32; the same every time."""
    n_samples = round(seconds * sample_rate)
    noise = torch.randn(n_clips, n_samples, generator=torch.Generator().manual_seed(0))
    swell = torch.sin(torch.linspace(0, 3.0 * seconds, n_samples)).square()
    return 0.1 * noise * swell


def race(model: ByolaModel, turns: int, progress: bool = True) -> tuple[dict[str, Contestant], str]:
    """Time the package beside the plain way, in turns.

    Args:
        model: whose network all of them use.
        turns: how often each one runs, after once to warm up.
        progress: show a bar on stderr.

    Returns:
        The contestants by name, and what the plain front end is.
    """
    clips = sound(N_CLIPS, CLIP_SECONDS, model.sample_rate)
    plain, total = PlainModel(model), N_CLIPS * CLIP_SECONDS
    rate = model.sample_rate
    contestants = {
        "scene": Contestant("scene embeddings", lambda: byola_hear.get_scene_embeddings(clips, model), total),
        "plain": Contestant("plain network", lambda: plain.scene_embeddings(clips), total),
        "timestamps": Contestant(
            "timestamp embeddings", lambda: byola_hear.get_timestamp_embeddings(clips, model), total
        ),
        # One clip will do: each clip is done by itself, and all are alike.
        "windows": Contestant(
            "1 s windows every 50 ms, plain network",
            lambda: windowed_embeddings(plain.scene_embeddings, clips[0], rate),
            CLIP_SECONDS,
        ),
        "own_windows": Contestant(
            "1 s windows every 50 ms, this package",
            lambda: windowed_embeddings(lambda each: byola_hear.get_scene_embeddings(each, model), clips[0], rate),
            CLIP_SECONDS,
        ),
    }
    for number in tqdm(range(turns + 1), "speed", unit="turn", disable=not progress, leave=False):
        for contestant in contestants.values():
            contestant.turn()
            if number == 0:
                contestant.cpu.clear()
                contestant.wall.clear()
    return contestants, plain.front_end
