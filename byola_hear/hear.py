"""The HEAR API: what https://hearbenchmark.com/hear-api.html asks of a module.

The three functions are all that HEAR's tools use; whatever they take and give beyond that (lists of clips of
different lengths, any length) is described in :class:`~byola_hear.models.model.ByolaModel`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import overload

from torch import Tensor

from byola_hear.models.loading import resolve
from byola_hear.models.model import ByolaModel


def load_model(model_file_path: str | os.PathLike[str] = "") -> ByolaModel:
    """Load a model.

    Args:
        model_file_path: a name out of :func:`~byola_hear.list_models`, or the path of a checkpoint;
            nothing gives ``"both"``, the network trained on speech and non-speech.

    Returns:
        The model, in evaluation mode, on the CPU, with the int attributes ``sample_rate`` (Hz),
        ``scene_embedding_size`` and ``timestamp_embedding_size``.

    Raises:
        TypeError: if it is neither a string nor a path.
        ValueError: if it is neither a name nor a path, or the checkpoint can't be used.
        FileNotFoundError: if it is the path of no file.
    """
    if not isinstance(model_file_path, (str, os.PathLike)):
        received = type(model_file_path).__name__
        raise TypeError(f"expected a model's name or a checkpoint's path, got {received}")
    return resolve(model_file_path)


def get_scene_embeddings(audio: Tensor | Sequence[Tensor], model: ByolaModel) -> Tensor:
    """One embedding a clip.

    Args:
        audio: ``(n_sounds, n_samples)`` float32 in [-1, 1] at ``model.sample_rate``, or a list of clips
            ``(n_samples_i,)``; any length from one sample to many hours. What overshoots by up to 20 dB, as
            resampled or decoded audio may, is taken as it is; what lies beyond was not scaled and is an error.
        model: from :func:`load_model`.

    Returns:
        ``(n_sounds, model.scene_embedding_size)`` float32.

    Raises:
        TypeError: if the audio is no tensors or the model is none of :func:`load_model`'s.
        ValueError: if there is no clip, or one has the wrong dtype, shape or values.
    """
    return _checked(model).scene_embeddings(audio)


@overload
def get_timestamp_embeddings(audio: Tensor, model: ByolaModel) -> tuple[Tensor, Tensor]: ...


@overload
def get_timestamp_embeddings(audio: Sequence[Tensor], model: ByolaModel) -> tuple[list[Tensor], list[Tensor]]: ...


def get_timestamp_embeddings(
    audio: Tensor | Sequence[Tensor], model: ByolaModel
) -> tuple[Tensor, Tensor] | tuple[list[Tensor], list[Tensor]]:
    """Embeddings along time, every 40 ms in the v2 shape.

    Args:
        audio: as in :func:`get_scene_embeddings`.
        model: from :func:`load_model`.

    Returns:
        embeddings ``(n_sounds, n_timestamps, model.timestamp_embedding_size)`` float32 and timestamps
        ``(n_sounds, n_timestamps)`` float32, milliseconds. Of a list of clips, two lists:
        ``(n_timestamps_i, model.timestamp_embedding_size)`` each and ``(n_timestamps_i,)`` each.

    Raises:
        TypeError: if the audio is no tensors or the model is none of :func:`load_model`'s.
        ValueError: if there is no clip, or one has the wrong dtype, shape or values.
    """
    return _checked(model).timestamp_embeddings(audio)


def _checked(model: object) -> ByolaModel:
    if not isinstance(model, ByolaModel):
        raise TypeError(f"expected the model that load_model returned, got {type(model).__name__}")
    return model
