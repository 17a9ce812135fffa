"""What is compared: embeddings of clips by name. A row of the table is one or more extractors (seeds)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch

import byola_hear
from benchmark.baselines import baseline
from benchmark.baselines.contract import Baseline
from benchmark.baselines.untrained import untrained_model
from benchmark.models.loading import ModelName
from byola_hear.models.frontend import log_mel
from byola_hear.models.model import EMBEDDING_VERSION, ByolaModel

#: Clips in, ``(n_clips, n_features)`` out.
Embed = Callable[[list[np.ndarray]], np.ndarray]


@dataclass(frozen=True)
class Extractor:
    """A way to embed clips.

    Attributes:
        row: the table's row that its scores are averaged into.
        identity: text that changes whenever the embeddings may change; the cache's key.
        sample_rate: Hz, of the clips that it wants.
        embed: a list of clips, each ``(n_samples,)`` float32 in [-1, 1], to ``(n_clips, n_features)``.
        note: what a reader of the table must know about it.
        model: the network behind it; None if it is none of the package's.
    """

    row: str
    identity: str
    sample_rate: int
    embed: Embed
    note: str
    model: ByolaModel | None = None


def identity_of(model: ByolaModel | Baseline, name: str = "") -> str:
    """What decides a model's embeddings, as text; results are kept under it.

    Nothing of it depends on where the code lies or how it is written. That the version is raised when a change of
    code moves the embeddings is what the test of the reference vectors is for.

    Args:
        model: a network, or a baseline's model.
        name: the baseline's; without meaning for a network.

    Returns:
        ``NAME-vVERSION-FINGERPRINT``: whose code, the version of its embeddings, and a hash of weights and settings.
        The name is ``byola_hear`` for every network, the untrained one included.
    """
    if isinstance(model, ByolaModel):
        return f"byola_hear-v{EMBEDDING_VERSION}-{model.fingerprint()}"
    return f"{name}-v{model.embedding_version}-{model.fingerprint()}"


def embed_with(model: ByolaModel) -> Embed:
    """Clip embeddings by a model, through the HEAR API."""

    def embed(clips: list[np.ndarray]) -> np.ndarray:
        return byola_hear.get_scene_embeddings([torch.from_numpy(clip) for clip in clips], model).numpy()

    return embed


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for what is too small to share: several wait for each other longer than they work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def from_model(model: ByolaModel, row: str, note: str = "") -> Extractor:
    """An extractor of a model's clip embeddings."""
    return Extractor(row, identity_of(model), model.sample_rate, embed_with(model), note, model)


def extractor_of(name: ModelName) -> Extractor:
    """An extractor of the clip embeddings of a network, or of a baseline.

    Raises:
        Unavailable: if it is a baseline that can't be had here.
        ValueError: if it can't be used.
        FileNotFoundError: if its file is not there.
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
    """Mean and standard deviation of all the values of the clips' log-mels."""
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
    """The extractors behind one row of the table.

    Args:
        name: the model.
        training_clips: gives clips to take the untrained network's statistics from, where there is no "both" model
            to borrow them from.
        untrained_seeds: one untrained network for each.

    Returns:
        One extractor, or for ``untrained`` without a seed one a seed.

    Raises:
        FileNotFoundError: if there is no such model.
        ValueError: if it can't be loaded.
        Unavailable: if a baseline can't be had here.
    """
    if name.baseline != "untrained" or name.weights:
        return [extractor_of(name)]
    if "both" in byola_hear.list_models():
        config = byola_hear.load_model("both").config
        mean, std, origin = config.mean, config.std, "statistics of the model both"
    else:
        mean, std = log_mel_moments(training_clips())
        origin = "statistics of the tasks' training clips"
    note = f"v2 shape as PyTorch initialises it, {origin}, mean of seeds {', '.join(map(str, untrained_seeds))}"
    return [from_model(untrained_model(seed, mean, std), "untrained", note) for seed in untrained_seeds]
