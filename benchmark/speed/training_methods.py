"""Training steps of both kinds of encoders by both methods, as methods of a race."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from benchmark.speed.race import Method
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.encoders.transformer import TransformerConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.training.distributed import Place
from byola_hear.pretraining.training.recipe import BYOL, COMBINED, Recipe
from byola_hear.pretraining.training.sampler import Sampler
from byola_hear.pretraining.training.train import Trainer

#: The row that the others are compared with.
REFERENCE = "convolutional, byol"


def recipes(batch_seconds: float, width: int, n_layers: int) -> dict[str, Recipe]:
    """The recipes that are timed, by name.

    Args:
        batch_seconds: audio in a step, s; the same for all.
        width: width of the transformer.
        n_layers: number of its layers.

    Example:
        >>> [(recipe.batch_size, recipe.encoder.kind) for recipe in recipes(32, 192, 6).values()]
        [(33, 'convolutional'), (33, 'transformer'), (8, 'transformer'), (8, 'convolutional')]
    """
    made = {}
    for usual, kinds in (
        (Recipe(), ("convolutional", "transformer")),
        (Recipe.masked(), ("transformer", "convolutional")),
    ):
        for kind in kinds:
            shape = TransformerConfig(
                width=width,
                n_layers=n_layers,
                n_heads=max(width // 64, 1),
                context=usual.crop_frames // TransformerConfig.stride,
                combine=COMBINED[usual.method],
            )
            made[f"{kind}, {usual.method}"] = replace(
                usual,
                batch_size=max(int(batch_seconds * 100 / usual.crop_frames), 2),
                encoder=shape if kind == TransformerConfig.kind else EncoderConfig(),
            )
    return made


def noise_cache() -> LogMelCache:
    """A log-mel cache of a quarter of an hour of noise, in clips of 9 s."""
    n_clips, n_frames, frontend = 100, 900, FrontendConfig()
    frames = torch.randn(n_clips * n_frames, frontend.n_mels, generator=torch.Generator().manual_seed(0)).half()
    starts = torch.arange(n_clips) * n_frames
    return LogMelCache(frames, starts, torch.full_like(starts, n_frames), frontend, 0.0, 1.0, {})


def training_methods(
    made: dict[str, Recipe], audio: LogMelCache, device: torch.device, precision: str, folder: Path
) -> dict[str, Method]:
    """Make a method of each recipe: one training step, crops and views included.

    Args:
        made: the recipes by name.
        audio: what to train on.
        device: device that trains.
        precision: as for ``python -m byola_hear.pretraining train``.
        folder: an empty folder.
    """
    place = Place(0, 1, device)
    audio = audio.to(device) if device.type == "cuda" else audio
    methods = {}
    for number, (name, recipe) in enumerate(made.items()):
        run = folder / str(number)
        run.mkdir()
        trainer, sampler = Trainer(audio, recipe, run, place, precision), Sampler(audio, recipe, place)
        sampler.start(0)
        if recipe.method == BYOL:
            # Mixup draws from a full memory, as for most of a run.
            sampler.memory = [sampler.crops(step) for step in range(4)]
        seconds = recipe.batch_size * recipe.crop_frames / 100
        methods[name] = Method(name, seconds, _timed_step(trainer, sampler, device))
    return methods


def _timed_step(trainer: Trainer, sampler: Sampler, device: torch.device) -> Callable[[], dict[str, float]]:
    def run() -> dict[str, float]:
        wall, cpu = time.perf_counter(), time.process_time()
        trainer.train_step(*sampler.next(trainer.step))
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}

    return run
