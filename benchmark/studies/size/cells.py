"""A network of a width trained on a volume of audio: its audio, shape, training run and checkpoint."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from byola_hear.models.checkpoint import save_checkpoint
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel
from byola_hear.pretraining.data.build_cache import build_cache
from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.data.manifest import ManifestClip, moved, read_manifest, write_manifest
from byola_hear.pretraining.data.matching import draw, segments
from byola_hear.pretraining.training.distributed import Place
from byola_hear.pretraining.training.export import export_model
from byola_hear.pretraining.training.recipe import Recipe
from byola_hear.pretraining.training.train import Trainer, TrainingProgress

#: Ratio of the linear layers' width to the convolutions' channels in the v2 shape; kept, so that all layers scale.
WIDTH_TO_CHANNEL = 32

#: Longest segment of a recording that is drawn, s.
LONGEST_S = 30.0


@dataclass(frozen=True)
class SizeCell:
    """A cell of the table.

    Attributes:
        width: width of the linear layers.
        hours: hours of training audio.
    """

    width: int
    hours: float

    @property
    def name(self) -> str:
        """Name of its files.

        Example:
            >>> SizeCell(512, 2.5).name
            'width512-2.5h'
        """
        return f"width{self.width}-{self.hours:g}h"


def shape_of(width: int) -> EncoderConfig:
    """The v2 shape with linear layers and convolutions scaled alike; 2048 is v2 itself.

    Raises:
        ValueError: if the width is not a positive multiple of ``WIDTH_TO_CHANNEL``.

    Example:
        >>> shape_of(512).channels, shape_of(512).feature_size, shape_of(2048) == EncoderConfig.v2()
        (16, 768, True)
    """
    if width < 1 or width % WIDTH_TO_CHANNEL:
        raise ValueError(f"expected a width that is a positive multiple of {WIDTH_TO_CHANNEL}, got {width}")
    return replace(EncoderConfig.v2(), hidden_size=width, channels=width // WIDTH_TO_CHANNEL)


def volume(manifests: Sequence[Path], wanted_hours: float, seed: int, to: Path) -> list[ManifestClip]:
    """Draw the clips of a volume, equally much of each manifest. Smaller volumes are parts of larger ones.

    Args:
        manifests: manifests to draw from.
        wanted_hours: hours in total.
        seed: seed of the draw.
        to: folder that the paths are relative to.

    Raises:
        ValueError: if a manifest is too short.
    """
    rows: list[ManifestClip] = []
    for path in manifests:
        clips = segments((moved(clip, path.parent, to) for clip in read_manifest(path)), LONGEST_S)
        # All volumes take the first clips of the same shuffle, so they are nested.
        rows += draw(clips, wanted_hours / len(manifests), seed)
    return rows


def drawn(manifests: Sequence[Path], hours: Sequence[float], seed: int, folder: Path) -> dict[float, Path]:
    """Draw volumes and write the manifest of each.

    Args:
        manifests: manifests to draw from.
        hours: hours of each volume.
        seed: seed of the draws.
        folder: folder of the study's audio; created if necessary.

    Returns:
        The manifest of each volume, by hours.

    Raises:
        ValueError: if a manifest is too short, or the folder has volumes of other manifests or another seed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {each: folder / f"{each:g}h.csv" for each in hours}
    for each, path in paths.items():
        new = path.with_suffix(".new")
        write_manifest(volume(manifests, each, seed, folder), new)
        if path.is_file() and path.read_bytes() != new.read_bytes():
            new.unlink()
            raise ValueError(f"{path}: drawn from other manifests or with another seed; choose another --runs folder")
        os.replace(new, path)
    return paths


def audio_of(manifest: Path, progress: Callable[[int, int], None] | None = None) -> LogMelCache:
    """Build, finish or open a volume's log-mel cache, next to its manifest.

    Args:
        manifest: the volume's manifest, from :func:`drawn`.
        progress: called with the number of finished rows and of all rows.
    """
    return build_cache(manifest, manifest.with_suffix(".cache"), progress=progress)


def trained(
    cell: SizeCell,
    audio: LogMelCache,
    recipe: Recipe,
    folder: Path,
    place: Place,
    progress: Callable[[TrainingProgress], None] | None = None,
) -> Path:
    """Train a cell's network to the recipe's last step, unless its checkpoint exists.

    Args:
        cell: the cell.
        audio: its volume.
        recipe: recipe of all cells; the shape is the cell's.
        folder: folder of the runs; an unfinished run is resumed.
        place: this process and its device.
        progress: called every few steps.

    Returns:
        ``folder/NAME.safetensors``, which :func:`byola_hear.load_model` loads.
    """
    path = folder / f"{cell.name}.safetensors"
    if path.is_file():
        return path
    run = folder / cell.name
    run.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(audio, replace(recipe, encoder=shape_of(cell.width)), run, place)
    trainer.train(progress=progress)
    save_checkpoint(path, export_model(run, cell.name, "1"))
    return path


def untrained(width: int, audio: LogMelCache, seed: int) -> ByolaModel:
    """An untrained network of a width, with a volume's statistics, as the reference for training."""
    config = ModelConfig(
        f"width{width}-untrained", "0", FrontendConfig(), shape_of(width), audio.mean, audio.std, training={}
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ByolaModel(config).eval()
