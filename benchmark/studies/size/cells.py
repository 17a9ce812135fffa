"""A network of a size trained on a volume of audio: its audio, shape, training run and checkpoint."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from byola_hear.models.checkpoint import save_checkpoint
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.encoders.protocol import EncoderShape
from byola_hear.models.encoders.transformer import TransformerConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel
from byola_hear.pretraining.data.build_cache import build_cache
from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.data.manifest import ManifestClip, moved, read_manifest, write_manifest
from byola_hear.pretraining.data.matching import draw, segments
from byola_hear.pretraining.training.cost import operations_per_crop
from byola_hear.pretraining.training.distributed import Place
from byola_hear.pretraining.training.export import export_model
from byola_hear.pretraining.training.recipe import BYOL, COMBINED, Recipe
from byola_hear.pretraining.training.train import Trainer, TrainingProgress

#: Ratio of the linear layers' width to the convolutions' channels in the v2 shape; kept, so that all layers scale.
WIDTH_TO_CHANNEL = 32

#: Longest segment of a recording that is drawn, s.
LONGEST_S = 30.0


@dataclass(frozen=True)
class SizeCell:
    """A cell of the table.

    Attributes:
        width: width of a convolutional network's linear layers, or of a transformer.
        hours: hours of training audio.
        layers: layers of a transformer; 0 for a convolutional network.
    """

    width: int
    hours: float
    layers: int = 0

    @property
    def size(self) -> str:
        """Name of the network's size.

        Example:
            >>> SizeCell(512, 1).size, SizeCell(192, 1, layers=6).size
            ('width512', 'transformer192x6')
        """
        return f"transformer{self.width}x{self.layers}" if self.layers else f"width{self.width}"

    @property
    def name(self) -> str:
        """Name of its files.

        Example:
            >>> SizeCell(512, 2.5).name
            'width512-2.5h'
        """
        return f"{self.size}-{self.hours:g}h"

    def shape(self, crop_frames: int, method: str = BYOL) -> EncoderShape:
        """The network's shape as a method trains it; a transformer's context is a crop of this many log-mel frames.

        Raises:
            ValueError: if there is no such shape.
        """
        if not self.layers:
            return shape_of(self.width)
        n_heads, context = max(self.width // 64, 1), crop_frames // TransformerConfig.stride
        return TransformerConfig(
            width=self.width, n_layers=self.layers, n_heads=n_heads, context=context, combine=COMBINED[method]
        )


def recipe_of(cell: SizeCell, recipe: Recipe, operations: float = 0.0) -> Recipe:
    """The recipe of a cell.

    Args:
        cell: the cell.
        recipe: what all cells have in common.
        operations: floating-point operations to spend on training; 0 for the common recipe's number of steps.

    Raises:
        ValueError: if the operations do not suffice for a single step.
    """
    recipe = replace(recipe, encoder=cell.shape(recipe.crop_frames, recipe.method))
    if not operations:
        return recipe
    steps = int(operations / (operations_per_crop(recipe) * recipe.batch_size))
    if steps < 1:
        raise ValueError(f"{cell.name}: expected compute for at least one step, got {operations:g} operations")
    return replace(recipe, steps=steps, warm_up_steps=steps // 10)


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
        recipe: its recipe, from :func:`recipe_of`.
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
    trainer = Trainer(audio, recipe, run, place)
    trainer.train(progress=progress)
    save_checkpoint(path, export_model(run, cell.name, "1"))
    return path


def untrained(cell: SizeCell, audio: LogMelCache, recipe: Recipe) -> ByolaModel:
    """An untrained network of a cell's size, with a volume's statistics, as the reference for training."""
    seed, name = recipe.seed, f"{cell.size}-untrained"
    config = ModelConfig(name, "0", FrontendConfig(), recipe.encoder, audio.mean, audio.std, training={})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ByolaModel(config).eval()
