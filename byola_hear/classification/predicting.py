"""``byola_hear.predict``: a classifier applied to recordings of any length, in constant memory."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from byola_hear.audio.reading import AudioFileError
from byola_hear.classification.classifier import Classifier
from byola_hear.classification.detections import Rule, Track, detections, frame
from byola_hear.classification.file import load_classifier
from byola_hear.extraction.clips import Clip, find_clips
from byola_hear.extraction.extract import extract
from byola_hear.extraction.request import Request, request_for
from byola_hear.extraction.rows import Done, Event, Failed, Rows
from byola_hear.models.loading import in_precision_of, resolve
from byola_hear.models.model import ByolaModel
from byola_hear.utils.device import usable_device
from byola_hear.utils.files import PathLike, Stamp, check_no_content

if TYPE_CHECKING:
    import pandas

#: A table's windows may differ from the classifier's by this share.
_WINDOW_TOLERANCE = 0.01
#: Whole clips are scored if their median length is at most this many windows. What was learned from whole clips has
#: their median length as its window.
_LONGEST_CLIP = 2.0


@dataclass(frozen=True, eq=False)
class Scored:
    """A recording with scores along time.

    Attributes:
        track: the scores.
        seconds: duration of the recording.
        stamp: of the file before it was read.
    """

    track: Track
    seconds: float
    stamp: Stamp


def predict(
    files: PathLike | Clip | Iterable[PathLike | Clip],
    classifier: str | os.PathLike[str] | Classifier,
    *,
    threshold: str | float = "best-f1",
    top: int | None = None,
    merge: bool = True,
    gap: float = 0.0,
    hop: float | None = None,
    smooth: float = 0.0,
    model: str | os.PathLike[str] | ByolaModel | None = None,
    device: str | torch.device | None = None,
    workers: int | None = None,
) -> pandas.DataFrame:
    """Detect a classifier's classes in recordings.

    A recording goes through the network once, in constant memory, whatever its length. For results on disk that can be
    resumed, use ``byola-hear predict``.

    Args:
        files: recordings, folders, patterns, and :class:`byola_hear.Clip` for a segment of a recording.
        classifier: a file that ``byola-hear learn`` wrote, or a classifier.
        threshold: the lowest score of a detection: a number from 0 to 1 for all classes; ``"best-f1"`` for the one of
            the best F1 on held-out recordings; ``"precision=0.9"`` for the lowest that reached this precision there. A
            class that never reached it is not detected, and a warning names it.
        top: largest number of detections of a class in a recording, those with the best scores; None for all.
        merge: join windows of a class that overlap or touch to one detection, with the best of their scores.
        gap: also join windows that are at most this far apart, s.
        hop: time from one window to the next, s; None for the classifier's own.
        smooth: average the scores over this time first, s.
        model: the network, if the classifier's name for it does not lead to it.
        device: where to compute; None for the CPU, or for the current device of a model that was given.
        workers: number of threads that decode; None for half of the network's threads, but at least two.

    Returns:
        A row for each detection: ``file``, ``start`` and ``end`` (s), ``label`` and ``score`` (0 to 1). This is what
        :func:`byola_hear.labels.write` takes.

    Raises:
        FileNotFoundError: if a recording or the classifier does not exist.
        AudioFileError: if a recording can't be read.
        ValueError: if an argument is not as described, or the network is not the classifier's.

    Example:
        >>> byola_hear.predict("recordings", "calls.safetensors", threshold="precision=0.9")  # doctest: +SKIP
    """
    loaded = classifier if isinstance(classifier, Classifier) else load_classifier(classifier)
    rule = Rule(loaded.thresholds(threshold), top, merge, gap, smooth)
    for sentence in loaded.not_detected(threshold):
        warnings.warn(sentence, stacklevel=2)
    network = network_of(loaded, model, device)
    check_no_content(files, "paths of recordings, or clips")
    several = [files] if isinstance(files, (str, bytes, os.PathLike, Clip)) else list(files)
    clips: list[Clip] = []
    for each in several:
        check_no_content(each, "paths of recordings, or clips")
        clips += [each] if isinstance(each, Clip) else find_clips([each])
    clips = list(dict.fromkeys(clips))
    if not clips:
        raise ValueError("expected at least one recording, got none")
    found = []
    with closing(score(clips, loaded, network, hop, workers)) as results:
        for result in results:
            if isinstance(result, Failed):
                raise AudioFileError(f"{result.clip.file}: {result.reason}")
            found.append(detections(result.track, loaded.classes, rule))
    import pandas as pd

    # Without the empty ones, whose types would count.
    full = [each for each in found if len(each)]
    return pd.concat(full, ignore_index=True) if full else frame([])


def network_of(
    classifier: Classifier,
    model: str | os.PathLike[str] | ByolaModel | None = None,
    device: str | torch.device | None = None,
) -> ByolaModel:
    """Load a classifier's network, on a device.

    Args:
        classifier: the classifier.
        model: the network; None for the one that the classifier names.
        device: where to compute; None for where the model is.

    Raises:
        FileNotFoundError: if there is no such checkpoint.
        ValueError: if the network is another one, or can't be loaded.
    """
    wanted = classifier.network
    source = wanted.source if model is None else model
    network = source if isinstance(source, ByolaModel) else resolve(source, dimensions=wanted.size)
    network = in_precision_of(network, wanted.fingerprint)
    what = f"{network.config.name} {network.config.version}"
    wanted.check(network.fingerprint(), what, network.scene_embedding_size)
    return network if device is None else network.to(usable_device(device))


def score(
    clips: Iterable[Clip],
    classifier: Classifier,
    model: ByolaModel,
    hop: float | None = None,
    workers: int | None = None,
    on_event: Callable[[Event], None] | None = None,
    extraction: Callable[[list[Clip], ByolaModel, Request], Iterator[Event]] | None = None,
) -> Generator[Scored | Failed, None, None]:
    """Score the windows of recordings.

    Only the scores are kept: a few bytes per window and class.

    Args:
        clips: recordings, or segments of them.
        classifier: the classifier.
        model: its network.
        hop: time from one window to the next, s; None for the classifier's own.
        workers: number of threads that decode.
        on_event: called with each event of the extraction.
        extraction: embeds the clips in place of this process, as on a cluster; ``workers`` is not used then.

    Yields:
        For each clip, in order, its scores, or why it has none.

    Raises:
        ValueError: if the hop is not a positive time.
    """
    request = request_for(model, "scene", classifier.window, classifier.hop if hop is None else hop)
    parts: list[tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float32]]] = []
    given = extract(clips, model, request, workers) if extraction is None else extraction(list(clips), model, request)
    with closing(given) as events:  # type: ignore[type-var]
        for event in events:
            if on_event is not None:
                on_event(event)
            if isinstance(event, Rows):
                parts.append((event.start, event.end, classifier.scores(event.embeddings)))
                continue
            if isinstance(event, Done):
                start, end, scores = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
                yield Scored(Track(event.clip.file, start, end, scores), event.seconds, event.stamp)
            else:
                yield event
            parts = []


def score_table(table: pandas.DataFrame, classifier: Classifier, path: str) -> Iterator[Scored]:
    """Score the windows of a table of embeddings.

    Args:
        table: as :func:`byola_hear.read_table` returns it.
        classifier: the classifier.
        path: of the table, for messages.

    Yields:
        The scores of each recording.

    Raises:
        ValueError: if the table has another network's embeddings, windows of another length, no record of how it was
            made, or numbers that are not finite.
    """
    request = request_of(table, path)
    classifier.network.check(str(request.get("fingerprint")), path, table.shape[1])
    window = request.get("window")
    if request.get("kind") != "scene":
        raise ValueError(f"{path}: expected a table of scenes, got one of timestamps")
    if window is not None and abs(window - classifier.window) > _WINDOW_TOLERANCE * classifier.window:
        raise ValueError(
            f"{path}: its windows are {window:g} s long, the classifier's {classifier.window:g} s; "
            f"embed with --window {classifier.window:g}"
        )
    files = table.index.get_level_values("file")
    start, end = (table.index.get_level_values(name).to_numpy(np.float64) for name in ("start", "end"))
    length = float(np.median(end - start)) if len(table) else 0.0
    if window is None and length > _LONGEST_CLIP * classifier.window:
        raise ValueError(
            f"{path}: its rows are whole clips, in the median {length:.3g} s long, the classifier's windows "
            f"{classifier.window:g} s; embed with --window {classifier.window:g}"
        )
    # All of it first, so that nothing is written of a table that is damaged further down.
    scores = classifier.scores(table.to_numpy(np.float32))
    codes, names = files.factorize()
    recordings = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    for file, rows in zip(names, recordings, strict=True):
        order = rows[np.argsort(start[rows], kind="stable")]
        yield Scored(Track(str(file), start[order], end[order], scores[order]), float(end[order].max()), None)


def request_of(table: pandas.DataFrame, path: str) -> dict[str, Any]:
    """What a table was made with.

    Raises:
        ValueError: if it does not say.
    """
    request = table.attrs.get("request")
    if not isinstance(request, dict):
        raise ValueError(f"{path} does not say which network made it; what `byola-hear embed` writes does, except .csv")
    return request
