"""What is compared: embeddings of clips by name. A row of the table is one or more extractors (seeds)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

import byola_hear
from benchmark.baselines import baseline
from benchmark.loading import baseline_asked_for, baseline_note, load_baseline, load_network, row_name
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig, log_mel
from byola_hear.models.model import ByolaModel

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


@lru_cache(maxsize=1)
def _code_hash() -> str:
    """Hash of the code that embeddings come from, so that a change of it outdates what is cached."""
    folder = Path(byola_hear.__file__).parent
    digest = hashlib.sha256()
    for name in ("frontend.py", "encoder.py", "fold.py", "segments.py", "pooling.py", "model.py"):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:16]


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
    return Extractor(row, f"{_code_hash()}-{model.fingerprint()}", model.sample_rate, embed_with(model), note, model)


def from_baseline(name: str, weights: str = "") -> Extractor:
    """An extractor of a baseline's clip embeddings.

    Args:
        name: out of :data:`benchmark.baselines.BASELINES`.
        weights: what its ``load_model`` is given.

    Returns:
        The extractor; its row is called by the baseline's name, and by the weights' where they were named.

    Raises:
        Unavailable: if the baseline can't be had here.
        ValueError: if the weights can't be used.
        FileNotFoundError: if they are not there.
    """
    module, model = baseline(name), load_baseline(name, weights)
    row = row_name(name, weights)
    if isinstance(model, ByolaModel):
        return from_model(model, row, f"v2 shape as PyTorch initialises it, seed {weights or 0}")
    threads = one_thread if next(model.parameters(), None) is None else nullcontext

    def embed(clips: list[np.ndarray]) -> np.ndarray:
        with threads():
            given = [torch.from_numpy(clip) for clip in clips]
            embeddings: np.ndarray = module.get_scene_embeddings(given, model).numpy()
        return embeddings

    return Extractor(row, f"{name}-{model.fingerprint()}", model.sample_rate, embed, baseline_note(model, weights))


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


def untrained_model(seed: int, mean: float, std: float) -> ByolaModel:
    """A network of the v2 shape as PyTorch initialises it, with given statistics."""
    config = ModelConfig(
        name="untrained",
        version=byola_hear.__version__,
        frontend=FrontendConfig(),
        encoder=EncoderConfig.v2(),
        mean=mean,
        std=std,
        training={},
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ByolaModel(config).eval()


def extractors_of(
    name: str, training_clips: Callable[[], list[np.ndarray]], untrained_seeds: Sequence[int] = (0, 1, 2)
) -> list[Extractor]:
    """The extractors behind one row of the table.

    Args:
        name: a baseline's (see :data:`benchmark.baselines.BASELINES`), ``NAME=WEIGHTS`` for one with weights of one's
            own, or a model's name or checkpoint's path.
        training_clips: gives clips to take the untrained network's statistics from, where there is no "both" model
            to borrow them from.
        untrained_seeds: one untrained network for each.

    Returns:
        One extractor, or for ``untrained`` one a seed.

    Raises:
        FileNotFoundError: if there is no such model.
        ValueError: if it can't be loaded.
        Unavailable: if a baseline can't be had here.
    """
    asked = baseline_asked_for(name)
    if asked and name != "untrained":
        return [from_baseline(*asked)]
    if not asked:
        model = load_network(name)
        return [from_model(model, name, f"{model.config.name} {model.config.version}")]
    if "both" in byola_hear.list_models():
        config = byola_hear.load_model("both").config
        mean, std, origin = config.mean, config.std, "statistics of the model both"
    else:
        mean, std = log_mel_moments(training_clips())
        origin = "statistics of the tasks' training clips"
    note = f"v2 shape as PyTorch initialises it, {origin}, mean of seeds {', '.join(map(str, untrained_seeds))}"
    return [from_model(untrained_model(seed, mean, std), "untrained", note) for seed in untrained_seeds]
