"""Extractors of clip embeddings. A row of the table is the mean of one or more extractors, such as several seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch

import byola_hear
from benchmark.baselines import UNTRAINED, baseline
from benchmark.baselines.contract import Baseline
from benchmark.models.loading import ModelName
from byola_hear.models.frontend import log_mel
from byola_hear.models.model import EMBEDDING_VERSION, ByolaModel

#: Maps a list of clips to ``(n_clips, n_features)``.
Embed = Callable[[list[np.ndarray]], np.ndarray]


@dataclass(frozen=True)
class Extractor:
    """A method to embed clips.

    Attributes:
        row: the table's row that its scores are averaged into.
        identity: text that changes whenever the embeddings may change; the key of caches.
        sample_rate: rate of the clips that it expects, Hz.
        embed: maps a list of clips, each ``(n_samples,)`` float32 in [-1, 1], to ``(n_clips, n_features)``.
        note: what a reader of the table must know about it.
        model: its network; None if it is not one of the package's networks.
    """

    row: str
    identity: str
    sample_rate: int
    embed: Embed
    note: str
    model: ByolaModel | None = None


def identity_of(model: ByolaModel | Baseline, name: str = "") -> str:
    """The identity of a model's embeddings, under which results are kept.

    It does not depend on the code. A test compares embeddings with stored reference vectors, so that the version is
    raised when a change of the code changes the embeddings.

    Args:
        model: a network, or a baseline's model.
        name: name of the baseline; not used for a network.

    Returns:
        ``NAME-vVERSION-FINGERPRINT``: the name, the version of its embeddings, and a hash of weights and settings. The
        name is ``byola_hear`` for all networks, including the untrained one.
    """
    if isinstance(model, ByolaModel):
        return f"byola_hear-v{EMBEDDING_VERSION}-{model.fingerprint()}"
    return f"{name}-v{model.embedding_version}-{model.fingerprint()}"


def embed_with(model: ByolaModel) -> Embed:
    """The clip embeddings of a network through the HEAR API."""

    def embed(clips: list[np.ndarray]) -> np.ndarray:
        return byola_hear.get_scene_embeddings([torch.from_numpy(clip) for clip in clips], model).numpy()

    return embed


@contextmanager
def one_thread() -> Iterator[None]:
    """Use one thread: for small computations, several threads wait for each other longer than they work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def from_model(model: ByolaModel, row: str, note: str = "") -> Extractor:
    """An extractor of a network's clip embeddings."""
    return Extractor(row, identity_of(model), model.sample_rate, embed_with(model), note, model)


def extractor_of(name: ModelName) -> Extractor:
    """An extractor of the clip embeddings of a network or baseline.

    Raises:
        Unavailable: if it is a baseline that is not available here.
        ValueError: if the model can't be loaded.
        FileNotFoundError: if its file does not exist.
    """
    model = name.load()
    if isinstance(model, ByolaModel):
        return from_model(model, name.row, name.note(model))
    module = baseline(name.baseline)
    threads = one_thread if next(model.parameters(), None) is None else nullcontext

    def embed(clips: list[np.ndarray]) -> np.ndarray:
        with threads():
            given = [torch.from_numpy(clip) for clip in clips]
            embeddings: np.ndarray = module.get_scene_embeddings(given, model).numpy()
        return embeddings

    return Extractor(name.row, identity_of(model, name.baseline), model.sample_rate, embed, name.note(model))


def log_mel_moments(clips: Sequence[np.ndarray]) -> tuple[float, float]:
    """Mean and standard deviation of all values of the clips' log-mel spectrograms."""
    count, total, squares = 0, 0.0, 0.0
    with one_thread():
        for clip in clips:
            spectrum = log_mel(torch.from_numpy(clip)).double()
            count += spectrum.numel()
            total += float(spectrum.sum())
            squares += float(spectrum.square().sum())
    mean = total / count
    return mean, max(squares / count - mean**2, 1e-12) ** 0.5


def extractors_of(
    name: ModelName, training_clips: Callable[[], list[np.ndarray]], untrained_seeds: Sequence[int] = (0, 1, 2)
) -> list[Extractor]:
    """The extractors of one row of the table.

    Args:
        name: the model.
        training_clips: returns clips for the untrained network's statistics; used if there is no network "both" to
            copy them from.
        untrained_seeds: seeds of the untrained networks.

    Returns:
        One extractor; for an untrained network without a seed, one for each seed.

    Raises:
        FileNotFoundError: if the model's file does not exist.
        ValueError: if the model can't be loaded.
        Unavailable: if it is a baseline that is not available here.
    """
    if name.baseline not in UNTRAINED or name.weights:
        return [extractor_of(name)]
    if "both" in byola_hear.list_models():
        config = byola_hear.load_model("both").config
        mean, std, origin = config.mean, config.std, "statistics of the model both"
    else:
        mean, std = log_mel_moments(training_clips())
        origin = "statistics of the tasks' training clips"
    make = baseline(name.baseline).untrained_model
    note = f"{name.untrained_shape}, {origin}, mean of seeds {', '.join(map(str, untrained_seeds))}"
    return [from_model(make(seed, mean, std), name.row, note) for seed in untrained_seeds]
