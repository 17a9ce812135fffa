"""The HEAR API (https://hearbenchmark.com/hear-api.html): three functions, all that HEAR's tools use.

They accept more than HEAR asks for: lists of clips of different lengths, and clips of any length. The methods of
:class:`~byola_hear.models.model.ByolaModel` describe it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import overload

from torch import Tensor

from byola_hear.models.loading import resolve
from byola_hear.models.model import ByolaModel


def load_model(model_file_path: str | os.PathLike[str] = "", dimensions: int | None = None) -> ByolaModel:
    """Load a model by name, from a checkpoint or from the Hugging Face Hub.

    Args:
        model_file_path: a name from :func:`byola_hear.list_models`, the path of a checkpoint, or ``hf://`` and a
            repository (:mod:`byola_hear.hub`). The default is ``"both"``, the network trained on speech and non-speech.
        dimensions: size of short vectors: for the package's networks up to 1024, or up to half of a shorter embedding.
            Embeddings are projected on the first principal directions of pre-training audio; the order of the
            dimensions is by importance. None for whole embeddings, as HEAR's tools take them.

    Returns:
        The model, in evaluation mode, on the CPU, with the int attributes ``sample_rate`` (Hz),
        ``scene_embedding_size`` and ``timestamp_embedding_size``.

    Raises:
        TypeError: if ``model_file_path`` is neither a string nor a path.
        ValueError: if it is neither a name nor a path, there are fewer directions, or
            (:class:`byola_hear.CheckpointError`) the checkpoint or its directions cannot be used.
        FileNotFoundError: if there is no file at the path, or no directions for short vectors.
        HubError: if the repository is not available, or the ``huggingface_hub`` package is missing.

    Example:
        >>> model = load_model("speech")  # doctest: +SKIP
        >>> model.sample_rate, model.scene_embedding_size  # doctest: +SKIP
        (16000, 3072)
    """
    if not isinstance(model_file_path, (str, os.PathLike)):
        received = type(model_file_path).__name__
        raise TypeError(f"expected a model's name or a checkpoint's path, got {received}")
    return resolve(model_file_path, dimensions=dimensions)


def get_scene_embeddings(audio: Tensor | Sequence[Tensor], model: ByolaModel) -> Tensor:
    """Compute one embedding per clip.

    Args:
        audio: ``(n_sounds, n_samples)`` float32 in [-1, 1] at ``model.sample_rate``, or a list of clips
            ``(n_samples_i,)``; any length from one sample to many hours. Resampled or decoded audio may exceed [-1, 1]
            by up to 20 dB; larger values were not scaled and are an error.
        model: from :func:`load_model`.

    Returns:
        ``(n_sounds, model.scene_embedding_size)`` float32.

    Raises:
        TypeError: if ``audio`` is not a tensor or a list of tensors, or ``model`` did not come from :func:`load_model`.
        ValueError: if there is no clip, or a clip has the wrong dtype, shape or values.

    Example:
        >>> get_scene_embeddings(torch.zeros(2, 16000), model).shape  # doctest: +SKIP
        torch.Size([2, 3072])
    """
    return _checked(model).scene_embeddings(audio)


@overload
def get_timestamp_embeddings(audio: Tensor, model: ByolaModel) -> tuple[Tensor, Tensor]: ...


@overload
def get_timestamp_embeddings(audio: Sequence[Tensor], model: ByolaModel) -> tuple[list[Tensor], list[Tensor]]: ...


def get_timestamp_embeddings(
    audio: Tensor | Sequence[Tensor], model: ByolaModel
) -> tuple[Tensor, Tensor] | tuple[list[Tensor], list[Tensor]]:
    """Compute embeddings along time: every 40 ms with the package's own networks.

    Args:
        audio: as in :func:`get_scene_embeddings`.
        model: from :func:`load_model`.

    Returns:
        Embeddings ``(n_sounds, n_timestamps, model.timestamp_embedding_size)`` float32 and timestamps
        ``(n_sounds, n_timestamps)`` float32 in milliseconds. For a list of clips, two lists:
        ``(n_timestamps_i, model.timestamp_embedding_size)`` each and ``(n_timestamps_i,)`` each.

    Raises:
        TypeError: if ``audio`` is not a tensor or a list of tensors, or ``model`` did not come from :func:`load_model`.
        ValueError: if there is no clip, or a clip has the wrong dtype, shape or values.

    Example:
        >>> embeddings, timestamps = get_timestamp_embeddings(torch.zeros(2, 16000), model)  # doctest: +SKIP
        >>> embeddings.shape, timestamps[0, :3]  # doctest: +SKIP
        (torch.Size([2, 25, 3072]), tensor([15., 55., 95.]))
    """
    return _checked(model).timestamp_embeddings(audio)


def _checked(model: object) -> ByolaModel:
    if not isinstance(model, ByolaModel):
        raise TypeError(f"expected the model that load_model returned, got {type(model).__name__}")
    return model
