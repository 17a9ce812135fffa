"""Small audio, recipes and corpora for the tests of pre-training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.encoders.transformer import TransformerConfig
from byola_hear.pretraining.byol.views import ViewConfig
from byola_hear.pretraining.commands import corpora as commands
from byola_hear.pretraining.corpora import build as building
from byola_hear.pretraining.corpora import collection as collections
from byola_hear.pretraining.corpora.catalogue import lookup as catalogues
from byola_hear.pretraining.corpora.catalogue.corpus import Corpus
from byola_hear.pretraining.data import build_cache as building_caches
from byola_hear.pretraining.data.build_cache import build_cache
from byola_hear.pretraining.data.cache import LogMelCache, open_cache
from byola_hear.pretraining.data.collect import build_manifest
from byola_hear.pretraining.data.crops import crop_statistics
from byola_hear.pretraining.masked.masks import MaskConfig
from byola_hear.pretraining.training.recipe import Recipe
from tests.pretraining.corpora.known import KNOWN, PACKAGES, constant_is_speech
from tests.pretraining.corpora.samples import Mirror, running_mirror, write_package


@pytest.fixture(autouse=True)
def few_crops(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mean and the standard deviation of clips of seconds need no ten thousand crops."""

    def of_few(cache: LogMelCache, n_crops: int, *others: Any) -> tuple[float, float]:
        return crop_statistics(cache, min(n_crops, 500), *others)

    monkeypatch.setattr(building_caches, "crop_statistics", of_few)


@pytest.fixture(scope="session")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of twelve clips: tones with noise, 0.2 to 2.4 s, some of them stereo or at another rate."""
    folder = tmp_path_factory.mktemp("tones")
    random = np.random.default_rng(0)
    for index in range(12):
        rate = (16000, 22050, 44100)[index % 3]
        time = np.arange(int(rate * 0.2 * (index + 1))) / rate
        audio = 0.3 * np.sin(2 * np.pi * 200 * (index + 1) * time) + 0.01 * random.standard_normal(len(time))
        channels = np.stack([audio, audio], axis=1) if index % 4 == 3 else audio
        soundfile.write(folder / f"tone{index:02d}.wav", channels, rate)
    return folder


@pytest.fixture(scope="session")
def tone_manifest(tones: Path) -> Path:
    """The manifest of ``tones``, next to its clips."""
    build_manifest([tones], tones / "manifest.csv", kind="tones", licence="CC0-1.0")
    return tones / "manifest.csv"


@pytest.fixture(scope="session")
def tone_cache_folder(tone_manifest: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the log-mel cache of ``tones``."""
    folder = tmp_path_factory.mktemp("cache") / "tones"
    build_cache(tone_manifest, folder, statistics_crops=2000)
    return folder


@pytest.fixture(scope="session")
def tone_cache(tone_cache_folder: Path) -> LogMelCache:
    """The log-mel cache of ``tones``."""
    return open_cache(tone_cache_folder)


@pytest.fixture(scope="session")
def tiny_recipe() -> Recipe:
    """A small network and a short run."""
    return Recipe(
        steps=20,
        batch_size=6,
        crop_frames=32,
        warm_up_steps=4,
        learning_rate=1e-3,
        projector_hidden=32,
        projector_output=16,
        views=ViewConfig(memory_size=15),
        encoder=EncoderConfig(channels=4, hidden_size=24),
    )


@pytest.fixture(scope="session")
def tiny_recipes(tiny_recipe: Recipe) -> dict[str, Recipe]:
    """Small networks and short runs of every method with every kind of encoder."""
    transformer = TransformerConfig(width=16, n_layers=2, n_heads=2, context=8)
    masked: dict[str, Any] = {
        "method": "masked",
        "masking": MaskConfig(masks=2, visible=0.5, span=2, decoder_width=16, decoder_layers=1),
    }
    return {
        "byol": tiny_recipe,
        "byol-transformer": replace(tiny_recipe, encoder=transformer),
        "masked": replace(tiny_recipe, encoder=transformer, **masked),
        "masked-convolutional": replace(tiny_recipe, **masked),
    }


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the catalogue and the speech detector by those of ``corpora.known``."""

    def catalogue(set_name: str | None = None) -> list[Corpus]:
        return [corpus for corpus in KNOWN if set_name in (None, corpus.set_name)]

    for module in (catalogues, collections, commands):
        monkeypatch.setattr(module, "catalogue", catalogue)
    monkeypatch.setattr(building, "_detector", lambda: constant_is_speech)


@pytest.fixture(scope="session")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of ``corpora.known``, as if they had been fetched."""
    folder = tmp_path_factory.mktemp("downloads")
    for name, files in PACKAGES.items():
        write_package(folder, name, files)
    return folder


@pytest.fixture
def mirror(downloads: Path) -> Iterator[Mirror]:
    """A mirror with the packages of ``corpora.known``."""
    with running_mirror() as running:
        running.add_packages({path.name.partition("_")[0]: path.read_bytes() for path in downloads.glob("*.deb")})
        yield running
