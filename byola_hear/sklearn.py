"""Embeddings as a step in pipelines of scikit-learn, and a classifier of sounds.

>>> from sklearn.linear_model import LogisticRegression
>>> from sklearn.pipeline import make_pipeline
>>> from sklearn.preprocessing import StandardScaler
>>> classifier = make_pipeline(ByolaTransformer("speech"), StandardScaler(), LogisticRegression())
>>> classifier.fit(files, labels).predict(other_files)  # doctest: +SKIP
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from byola_hear.audio.waveforms import MAX_SAMPLE, check_orientation
from byola_hear.classification.classifier import Network
from byola_hear.classification.examples import Examples
from byola_hear.classification.file import save_classifier
from byola_hear.classification.labelled import components, duration
from byola_hear.dataframe import embed, not_audio
from byola_hear.extraction.clips import Clip
from byola_hear.models.loading import loaded, resolve
from byola_hear.models.model import ByolaModel
from byola_hear.utils.device import usable_device

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d, validate_data

    from byola_hear.classification.training import learn
except ImportError as error:
    raise ImportError(
        "byola_hear.sklearn needs scikit-learn 1.6 or later: pip install 'byola-hear[sklearn]'"
    ) from error

#: Number of loaded models that are kept. The clones of a cross-validation share one.
_MODELS_KEPT = 4
_PATHS = (str, bytes, os.PathLike)


class _Embeds:
    """What the estimators share: a model, and inputs that are paths or waveforms."""

    model: str | os.PathLike[str] | ByolaModel
    sample_rate: int
    device: str | torch.device | None
    precision: str | None = None
    workers: int
    dimensions: int | None

    def _loaded(self) -> ByolaModel:
        """The model on its device, after checking the parameters."""
        for name in ("sample_rate", "workers"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
                raise ValueError(f"{name} must be a positive integer, got {value!r}")
        if isinstance(self.model, ByolaModel):
            given = loaded(self.model, self.dimensions)
            model = given if self.device is None else given.to(usable_device(self.device))
            return model if self.precision is None else model.in_precision(self.precision)
        if not isinstance(self.model, (str, os.PathLike)):
            received = type(self.model).__name__
            raise TypeError(f"model must be a name, a checkpoint's path or a model, got {received}")
        name, device = os.fspath(self.model), "cpu" if self.device is None else str(self.device)
        # A checkpoint that was written again is loaded again.
        written = Path(name).stat().st_mtime_ns if os.path.isfile(name) else None
        return _load(name, device, written, self.precision, self.dimensions)

    def _checked(self, X: Any, reset: bool) -> list[str] | list[NDArray[Any] | Tensor]:
        """``X`` as a list of paths or of 1-D waveforms, at least one. ``reset``: keep its width, else compare it."""
        cells, is_table = _column(X)
        if cells is not None and all(isinstance(cell, _PATHS) for cell in cells):
            if is_table:
                validate_data(self, X, reset=reset, skip_check_array=True)
            return [os.fsdecode(cell) for cell in cells]
        if cells is not None and all(_is_waveform(cell) for cell in cells):
            return cells
        if cells is not None and any(isinstance(cell, _PATHS) or _is_waveform(cell) for cell in cells):
            kinds = ", ".join(sorted({type(cell).__name__ for cell in cells}))
            raise TypeError(f"expected paths only or 1-D waveforms only, got {kinds}")
        for given in [X, *(cells or [])]:
            if isinstance(given, Mapping) and not hasattr(given, "shape"):  # unlike some sparse matrices
                raise TypeError(not_audio(given))
        batch = validate_data(self, X, reset=reset, dtype="numeric")
        try:
            check_orientation(batch.shape)
        except ValueError as error:  # scikit-learn's contract has such arrays, so they can't be refused
            warnings.warn(str(error), stacklevel=3)
        return list(batch)

    def _embedded(self, clips: list[str] | list[NDArray[Any] | Tensor]) -> NDArray[np.float32]:
        """Embed paths or waveforms, see :meth:`_checked`."""
        network = self._loaded()
        if isinstance(clips[0], str):
            # A file in several rows is embedded once.
            files = {file: index for index, file in enumerate(dict.fromkeys(clips))}
            missing = [file for file in files if not os.path.exists(file)]
            if missing:
                others = f" (and {len(missing) - 1} others)" if len(missing) > 1 else ""
                raise FileNotFoundError(f"no such audio file: {missing[0]}{others}")
            embeddings = embed([Clip(file) for file in files], network, output="numpy", workers=self.workers)
            return embeddings[[files[file] for file in clips]]
        waveforms = [_in_range(clip, index) for index, clip in enumerate(clips)]
        return embed(waveforms, network, sample_rate=self.sample_rate, output="numpy")


class ByolaTransformer(_Embeds, TransformerMixin, BaseEstimator):
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


class ByolaClassifier(_Embeds, ClassifierMixin, BaseEstimator):
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
        n_features_in_: as of :class:`ByolaTransformer`, and ``feature_names_in_``.

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
            X: as in :meth:`ByolaTransformer.transform`.
            y: ``(n_clips,)`` labels of any type.
            groups: ``(n_clips,)`` what the folds of the cross-validation must not split, such as recordings or sites;
                None if each clip stands for itself. A file that is given twice is never split: groups that share one
                stay together.

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
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        n_classes = len(self.classes_)
        if n_classes < 2:
            raise ValueError(f"expected at least two classes, got 1 class: {self.classes_[0]}")
        names = [str(clip) if isinstance(clip, str) else str(row) for row, clip in enumerate(clips)]
        kept = components(names, [] if groups is None else [f"{group}" for group in groups])
        seconds = np.array([self._seconds(clip) for clip in clips])
        known = seconds[np.isfinite(seconds) & (seconds > 0)]
        examples = Examples(
            self._embedded(clips),
            np.array(names, dtype=object),
            np.zeros(len(clips)),
            seconds,
            np.eye(n_classes, dtype=np.bool_)[codes],
            tuple(f"{place}" for place in range(n_classes)) if _ambiguous(self.classes_) else _names(self.classes_),
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
            X: as in :meth:`ByolaTransformer.transform`.

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
            X: as in :meth:`ByolaTransformer.transform`.

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


def _names(classes: NDArray[Any]) -> tuple[str, ...]:
    return tuple(str(label) for label in classes)


def _ambiguous(classes: NDArray[Any]) -> bool:
    """Whether labels that differ look the same as text, or are empty."""
    return len(set(_names(classes))) < len(classes) or "" in _names(classes)


@lru_cache(maxsize=_MODELS_KEPT)
def _load(name: str, device: str, written: int | None, precision: str | None, dimensions: int | None) -> ByolaModel:
    target = usable_device(device)
    model = resolve(name, dimensions=dimensions).to(target)
    return model if precision is None else model.in_precision(precision)


def _column(X: Any) -> tuple[list[Any] | None, bool]:
    """The cells of a list, a 1-D array or a table's only column, and whether it was a table.

    None instead of the cells if ``X`` contains numbers, or is something else.
    """
    if isinstance(X, (str, bytes, os.PathLike)):
        raise TypeError(f"expected a list of paths, got one {type(X).__name__}: put it into a list")
    if isinstance(X, (list, tuple)):
        cells = list(X)
        if not cells:
            raise ValueError("expected at least one path or waveform, got 0 samples in an empty list")
        single = all(isinstance(cell, (list, tuple)) and len(cell) == 1 for cell in cells)
        if single and all(isinstance(cell[0], _PATHS) for cell in cells):
            return [cell[0] for cell in cells], True
        return cells, False
    if isinstance(X, Tensor) or not hasattr(X, "__array__"):  # for example, a sparse matrix
        return None, False
    array = np.asarray(X)
    if array.dtype.kind not in "OUST" or array.size == 0 or array.ndim > 2 or array.shape[1:] not in ((), (1,)):
        return None, False
    return array.ravel().tolist(), array.ndim == 2


def _is_waveform(cell: Any) -> bool:
    return isinstance(cell, (np.ndarray, Tensor)) and cell.ndim == 1 and _kind(cell) in "fiub"


def _kind(array: NDArray[Any] | Tensor) -> str:
    if isinstance(array, np.ndarray):
        return array.dtype.kind
    return "c" if array.is_complex() else "f"


def _in_range(waveform: NDArray[Any] | Tensor, index: int) -> NDArray[np.float32]:
    """Numbers of any real type as float32; refused if they can't be audio in [-1, 1]."""
    if isinstance(waveform, Tensor):
        # NumPy has no bfloat16.
        waveform = waveform.detach().cpu()
        values = (waveform.float() if waveform.is_floating_point() else waveform).numpy()
    else:
        values = waveform
    if len(values) == 0:
        raise ValueError(f"expected waveform {index} of at least one sample, got none")
    low, high = float(values.min()), float(values.max())
    if max(-low, high) > MAX_SAMPLE:
        hint = "; divide integers by their range first" if values.dtype.kind in "iu" else ""
        raise ValueError(f"expected waveform {index} in [-1, 1], got values from {low:g} to {high:g}{hint}")
    return values.astype(np.float32, copy=False)
