"""An encoder and its metadata for MAEB, the audio tasks of mteb.

::

    import mteb
    from byola_hear.leaderboards.maeb import model_meta

    model = model_meta("both").load_model()
    mteb.evaluate(model, mteb.get_tasks(["ESC50"]))

mteb downloads its data from the Hugging Face Hub.

Source:
    https://github.com/embeddings-benchmark/mteb
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from byola_hear.audio.mixing import at_rate
from byola_hear.models.loading import resolve
from byola_hear.models.model import ByolaModel
from byola_hear.utils.device import usable_device

if TYPE_CHECKING:
    from mteb.models import ModelMeta
    from mteb.models.abs_encoder import AbsEncoder
else:
    try:
        from mteb.models import ModelMeta
        from mteb.models.abs_encoder import AbsEncoder
    except ImportError:
        # The class can be looked at without mteb. Whatever makes a model says what is missing.
        ModelMeta, AbsEncoder = None, object

#: Organisation in the names of models that mteb lists.
ORGANISATION = "byola-hear"
#: Tasks of mteb with sounds of a collection that the networks were trained on. mteb marks them as not zero-shot.
TRAINING_DATASETS = frozenset(
    {
        "CommonVoiceMini17A2TRetrieval",
        "CommonVoiceMini17T2ARetrieval",
        "CommonVoiceMini21A2TRetrieval",
        "CommonVoiceMini21T2ARetrieval",
    }
)


class ByolaMaebEncoder(AbsEncoder):
    """Clip embeddings in the form that mteb asks for.

    Args:
        model: a network.
        device: where it computes; None for a GPU if there is one.
    """

    def __init__(self, model: ByolaModel, device: str | None = None) -> None:
        self.model = model.to(usable_device(device or ("cuda" if torch.cuda.is_available() else "cpu")))

    def get_audio_embeddings(
        self, inputs: Iterable[dict[str, Any]], show_progress_bar: bool = False, **kwargs: Any
    ) -> NDArray[np.float32]:
        """Embed the clips of mteb's batches.

        Args:
            inputs: batches; ``batch["audio"]`` is a list of dictionaries with ``array``, ``(n_samples,)`` or
                ``(n_channels, n_samples)``, and ``sampling_rate``, Hz.
            show_progress_bar: not used.
            **kwargs: not used.

        Returns:
            ``(n_clips, n_dimensions)`` float32, in the order of the clips.

        Raises:
            ValueError: if there are no clips, or a clip has no sampling rate, another shape or values that were never
                scaled.
        """
        found = [
            self.model.scene_embeddings([self._clip(each) for each in batch["audio"]]).cpu().numpy() for batch in inputs
        ]
        if not found:
            raise ValueError("expected at least one batch of clips, got none")
        return np.concatenate(found)

    def _clip(self, given: dict[str, Any]) -> Tensor:
        """A clip as ``(n_samples,)`` at the network's rate."""
        samples, rate = np.asarray(given["array"], np.float32), given.get("sampling_rate")
        if samples.ndim == 2 and len(samples) <= samples.shape[1]:
            samples = samples.mean(0)
        if samples.ndim != 1:
            raise ValueError(f"expected a clip (n_samples,) or (n_channels, n_samples), got {samples.shape}")
        if not rate:
            raise ValueError(f"expected the clip's sampling rate in Hz, got {rate!r}")
        pieces = list(at_rate([samples], int(rate), self.model.sample_rate))
        return torch.from_numpy(np.concatenate(pieces)).to(next(self.model.parameters()).device)

    def encode(self, inputs: Any, **kwargs: Any) -> NDArray[np.float32]:
        """mteb's entry: embeds audio, and nothing else.

        Raises:
            ValueError: if the data has no audio.
        """
        if "audio" not in inputs.dataset.features:
            raise ValueError(f"expected data with audio, got the columns {', '.join(inputs.dataset.features)}")
        kwargs.pop("show_progress_bar", None)
        return self.get_audio_embeddings(inputs)


def _load(
    model_name: str, revision: str | None = None, device: str | None = None, *, source: str, **_: Any
) -> ByolaMaebEncoder:
    """mteb's loader; ``source`` names the network."""
    return ByolaMaebEncoder(resolve(source), device)


def model_meta(model: str = "both", organisation: str = ORGANISATION) -> ModelMeta:
    """The metadata of a network, with which mteb loads and lists it.

    Args:
        model: name of a network, path of a checkpoint, or ``hf://`` and a repository.
        organisation: the first part of the name that mteb lists.

    Returns:
        mteb's metadata; its ``load_model()`` returns a :class:`ByolaMaebEncoder`. Whoever submits it adds addresses and
        the date: ``model_meta().model_copy(update={"reference": "https://..."})``.

    Raises:
        ValueError: if the model can't be loaded.
        FileNotFoundError: if there is no such file.
    """
    network = resolve(model)
    config, n_parameters = network.config, sum(each.numel() for each in network.parameters())
    if ModelMeta is None:
        raise ImportError("byola_hear.leaderboards.maeb needs mteb 2.8 or later: pip install 'mteb[audio]'")
    return ModelMeta(
        loader=partial(_load, source=str(model)),
        name=f"{organisation}/byola-{config.name.removeprefix('byola-')}",
        revision=config.version,
        release_date=None,
        languages=None,
        n_parameters=n_parameters,
        n_embedding_parameters=0,
        memory_usage_mb=round(4 * n_parameters / 2**20, 1),
        max_tokens=float("inf"),
        embed_dim=int(network.scene_embedding_size),
        license=config.licence.lower(),
        open_weights=True,
        public_training_code=None,
        public_training_data=None,
        framework=["PyTorch"],
        similarity_fn_name="cosine",
        use_instructions=False,
        training_datasets=set(TRAINING_DATASETS),
        modalities=["audio"],
    )
