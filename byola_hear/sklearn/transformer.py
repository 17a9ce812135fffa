"""Embeddings as a step in pipelines of scikit-learn."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from byola_hear.models.model import ByolaModel
from byola_hear.sklearn.embeds import Embeds


class ByolaTransformer(Embeds, TransformerMixin, BaseEstimator):
    """Transforms sounds to scene embeddings, one per clip.

    ``fit`` learns nothing, because a clip's embedding depends on the clip alone; a transformer works without it. The
    model is loaded when it is first needed and shared by all transformers of the process that name the same model. A
    pickle contains the parameters but not the weights, unless ``model`` is itself a model.

    A pipeline's ``memory`` recognises files by their names only, so empty it after files have changed.

    Args:
        model: a name, a checkpoint's path, or a model.
        sample_rate: sampling rate of the waveforms, Hz. They are resampled to the model's rate. Files know their rates.
        device: where to compute; None for the CPU, or for the current device of a model that was given.
        workers: number of threads that decode files.
        precision: as in :meth:`~byola_hear.models.model.ByolaModel.in_precision`; None for the model's own.
        dimensions: length of short vectors, see :func:`byola_hear.load_model`; None for whole embeddings.

    Attributes:
        n_features_in_: number of columns that ``fit`` saw: 1 for a column of paths, the number of samples for a 2-D
            array of waveforms. Not set for lists, whose waveforms may differ in length.
        feature_names_in_: names of the columns that ``fit`` saw, if they had names.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> transformer = ByolaTransformer("speech", sample_rate=22050)
        >>> transformer.fit_transform([rng.normal(0, 0.1, 22050), rng.normal(0, 0.1, 9000)]).shape
        (2, 3072)
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | ByolaModel = "both",
        *,
        sample_rate: int = 16000,
        device: str | torch.device | None = None,
        workers: int = 2,
        precision: str | None = None,
        dimensions: int | None = None,
    ) -> None:
        self.model = model
        self.sample_rate = sample_rate
        self.device = device
        self.workers = workers
        self.precision = precision
        self.dimensions = dimensions

    def fit(self, X: Any, y: Any = None) -> ByolaTransformer:
        """Check the parameters and the form of the input. No file is opened.

        Args:
            X: as in :meth:`transform`.
            y: ignored.

        Returns:
            The transformer itself.

        Raises:
            TypeError: if ``X`` has another form.
            ValueError: if a parameter or a value is not as described.
        """
        self._loaded()
        self._checked(X, reset=True)
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Embed clips.

        Args:
            X: paths or waveforms.

                - Paths of audio files: a list, array or series, or a table with one column, as a
                  ``ColumnTransformer`` passes it.
                - Waveforms at ``sample_rate``: a list of 1-D arrays or tensors ``(n_samples_i,)``, or a 2-D array
                  ``(n_clips, n_samples)``, of any real type, with values in [-1, 1]. An overshoot of up to 20 dB is
                  accepted. Larger values are refused, not rescaled: divide 16-bit integers by 32768 first. An array
                  that looks like ``(n_samples, n_channels)`` causes a warning.

        Returns:
            ``(n_clips, scene_embedding_size)`` float32, or a table if ``set_output`` asked for one.

        Raises:
            TypeError: if ``X`` has another form.
            FileNotFoundError: if a file does not exist. Nothing was computed then.
            ValueError: if a parameter or a waveform is not as described, or a file can't be read.
        """
        return self._embedded(self._checked(X, reset=False))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Name the columns ``e0``, ``e1`` and so on.

        Args:
            input_features: ignored.

        Returns:
            ``(scene_embedding_size,)`` strings.
        """
        return np.array([f"e{index}" for index in range(self._loaded().scene_embedding_size)], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.string = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
