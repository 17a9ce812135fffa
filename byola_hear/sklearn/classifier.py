"""A classifier of sounds with the interface of scikit-learn."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d
from torch import Tensor

from byola_hear.classification.classifier import Network
from byola_hear.classification.examples import Examples
from byola_hear.classification.file import save_classifier
from byola_hear.classification.labelled import components, duration
from byola_hear.classification.training import chosen_method, learn
from byola_hear.models.model import ByolaModel
from byola_hear.sklearn.embeds import Embeds


class ByolaClassifier(Embeds, ClassifierMixin, BaseEstimator):
    """Classifies sounds: embeddings, scaling and logistic regression, one class against the rest.

    ``fit`` chooses the strength of regularisation by cross-validation, as ``byola-hear learn`` does. What it learned
    can be saved for ``byola-hear predict``, which finds the classes in long recordings.

    Args:
        model: a name, a checkpoint's path, or a model.
        sample_rate: sampling rate of the waveforms, Hz. They are resampled to the model's rate. Files know their rates.
        method: ``"logistic"``; ``"cosine"`` for the cosine to the mean of each class; ``"auto"`` for the cosine only if
            each class has fewer than three examples.
        random_state: seed of the folds of the cross-validation.
        device: where to compute; None for the CPU, or for the current device of a model that was given.
        workers: number of threads that decode files.
        dimensions: length of short vectors, see :func:`byola_hear.load_model`; None for whole embeddings.

    Attributes:
        classes_: ``(n_classes,)`` the labels that ``fit`` saw, sorted.
        classifier_: what was learned, a :class:`~byola_hear.classification.classifier.Classifier`. Its ``about`` has
            the measures on held-out folds.
        n_features_in_: as of :class:`~byola_hear.sklearn.ByolaTransformer`, and ``feature_names_in_``.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> loud = [rng.normal(0, scale, 8000) for scale in (0.1, 0.11, 0.12, 0.13)]
        >>> quiet = [sound / 1000 for sound in loud]
        >>> classifier = ByolaClassifier("speech").fit(loud + quiet, ["loud"] * 4 + ["quiet"] * 4)
        >>> classifier.predict([rng.normal(0, 0.12, 8000), rng.normal(0, 0.00012, 8000)])
        array(['loud', 'quiet'], dtype='<U5')
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | ByolaModel = "both",
        *,
        sample_rate: int = 16000,
        method: str = "auto",
        random_state: int = 0,
        device: str | torch.device | None = None,
        workers: int = 2,
        dimensions: int | None = None,
    ) -> None:
        self.model = model
        self.sample_rate = sample_rate
        self.method = method
        self.random_state = random_state
        self.device = device
        self.workers = workers
        self.dimensions = dimensions

    def fit(self, X: Any, y: Any, groups: Any = None) -> ByolaClassifier:
        """Embed clips and learn to tell their labels.

        Args:
            X: as in :meth:`~byola_hear.sklearn.ByolaTransformer.transform`.
            y: ``(n_clips,)`` labels of any type, none of them missing.
            groups: ``(n_clips,)`` what the folds of the cross-validation must not split, such as recordings or sites;
                None if each clip stands for itself. A clip whose group is missing stands for itself, too. A file that
                is given twice is never split: groups that share one stay together.

        Returns:
            The classifier itself.

        Raises:
            TypeError: if ``X`` has another form.
            FileNotFoundError: if a file does not exist.
            ValueError: if a parameter, a waveform or a label is not as described, a file can't be read, or the clips
                can't be told apart.
        """
        model = self._loaded()
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        clips = self._checked(X, reset=True)
        y = column_or_1d(y, warn=True)
        check_consistent_length(clips, y, groups)
        if len(missing := np.flatnonzero(pd.isna(y))):
            raise ValueError(
                f"expected a label for each clip, got {len(missing)} of {len(y)} without one, the first in row "
                f"{missing[0]}"
            )
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        n_classes = len(self.classes_)
        if n_classes < 2:
            raise ValueError(f"expected at least two classes, got 1 class: {self.classes_[0]}")
        names = [str(clip) if isinstance(clip, str) else str(row) for row, clip in enumerate(clips)]
        kept = components(names, [] if groups is None else _grouped(groups))
        texts = tuple(map(str, range(n_classes))) if _ambiguous(self.classes_) else _names(self.classes_)
        truth = np.eye(n_classes, dtype=np.bool_)[codes]
        # Before the clips are embedded, which takes long.
        chosen_method(truth, texts, self.method)  # type: ignore[arg-type]
        seconds = np.array([self._seconds(clip) for clip in clips])
        known = seconds[np.isfinite(seconds) & (seconds > 0)]
        examples = Examples(
            self._embedded(clips),
            np.array(names, dtype=object),
            np.zeros(len(clips)),
            seconds,
            truth,
            texts,
            np.array([kept[name] for name in names]),
            float(np.median(known)) if len(known) else 1.0,
        )
        source = "" if isinstance(self.model, ByolaModel) else os.fspath(self.model)
        network = Network.of(model, source or model.config.name)
        self.classifier_ = learn(examples, network, method=self.method, seed=self.random_state).classifier  # type: ignore[arg-type]
        return self

    def _seconds(self, clip: str | NDArray[Any] | Tensor) -> float:
        return duration(clip)[0] if isinstance(clip, str) else len(clip) / self.sample_rate

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Score clips.

        Args:
            X: as in :meth:`~byola_hear.sklearn.ByolaTransformer.transform`.

        Returns:
            ``(n_clips, n_classes)``, in the order of ``classes_``: each class's score, divided by the sum of all.
        """
        check_is_fitted(self)
        scores = self.classifier_.scores(self._embedded(self._checked(X, reset=False))).astype(np.float64)
        # A sound like none of the classes has a score of zero for each.
        scores += 1e-12
        return scores / scores.sum(1, keepdims=True)

    def predict(self, X: Any) -> NDArray[Any]:
        """Find the class of each clip.

        Args:
            X: as in :meth:`~byola_hear.sklearn.ByolaTransformer.transform`.

        Returns:
            ``(n_clips,)`` labels out of ``classes_``.
        """
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X).argmax(1)]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a classifier for ``byola-hear predict`` and :func:`byola_hear.predict`.

        Args:
            path: the file, ``"calls.safetensors"`` for instance.

        Raises:
            FileNotFoundError: if its folder does not exist.
        """
        check_is_fitted(self)
        save_classifier(path, self.classifier_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        # The numbers of scikit-learn's own checks are waveforms of a few samples.
        tags.classifier_tags.poor_score = True
        return tags


def _grouped(groups: Any) -> list[str]:
    """Each clip's group as text; blank if it is missing."""
    shape: tuple[int, ...] = getattr(groups, "shape", ())
    if len(shape) == 2:
        if shape[1] != 1:
            raise ValueError(f"expected groups of shape (n_clips,), got {tuple(shape)}")
        groups = np.asarray(groups).ravel()
    return ["" if pd.isna(group) is True else f"{group}" for group in groups]


def _names(classes: NDArray[Any]) -> tuple[str, ...]:
    # Floats are whole numbers here. To scikit-learn, integers and booleans of pandas that may be missing are floats.
    return tuple(str(int(label) if isinstance(label, float) else label) for label in classes)


def _ambiguous(classes: NDArray[Any]) -> bool:
    """Whether labels that differ look the same as text, or are empty."""
    return len(set(_names(classes))) < len(classes) or "" in _names(classes)
