"""Which detections a person listens to: merged, of bounded length, and so many of each class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas

#: ``"top"``: the highest scores. ``"margin"``: the scores nearest to the threshold. ``"balanced"``: all parts of the
#: range of scores, or at random where there are no scores.
CHOICES = ("balanced", "margin", "top")
#: Parts of the range of scores from which ``"balanced"`` takes equally many.
_PARTS = 10


def merged(table: pandas.DataFrame) -> pandas.DataFrame:
    """Join detections of one class that overlap in a recording.

    Args:
        table: detections with the columns ``file``, ``start`` and ``end`` (s), ``label`` and perhaps ``score``.

    Returns:
        The columns ``file``, ``start``, ``end``, ``label``, ``score`` (the best one; NaN if there is none) and ``peak``
        (s, the middle of the detection that has it); sorted by label, file and start.

    Raises:
        ValueError: if there is no detection, or a label has no text.

    Example:
        >>> import pandas as pd
        >>> table = pd.DataFrame({"file": "a.wav", "start": [0.0, 0.5], "end": [1.0, 1.5], "label": "owl"})
        >>> merged(table.assign(score=[0.4, 0.9]))
            file  start  end label  score  peak
        0  a.wav    0.0  1.5   owl    0.9   1.0
    """
    import pandas as pd

    if not len(table):
        raise ValueError("expected detections, got none")
    empty = table["label"].map(lambda label: not str(label).strip())
    if empty.any():
        first = table[empty].iloc[0]
        raise ValueError(f"{empty.sum()} of {len(table)} labels have no text, the first in {first['file']}")
    scores = table["score"] if "score" in table else [np.nan] * len(table)
    texts = (map(str, table[name]) for name in ("label", "file"))
    numbers = (map(float, each) for each in (table["start"], table["end"], scores))
    rows: list[list[object]] = []
    before, reach, best = None, -np.inf, -np.inf
    # Sorted here: pandas can't compare names with bytes that are not text.
    for label, file, start, end, score in sorted(zip(*texts, *numbers, strict=True), key=lambda row: row[:4]):
        height = -np.inf if np.isnan(score) else score
        if before == (label, file) and (start < reach - 1e-9 or (start, end) == (rows[-1][1], rows[-1][2])):
            reach = rows[-1][2] = max(reach, end)
            if height > best:
                best, rows[-1][4], rows[-1][5] = height, score, (start + end) / 2
        else:
            rows.append([file, start, end, label, score, (start + end) / 2])
            before, reach, best = (label, file), end, height
    cells = zip(("file", "start", "end", "label", "score", "peak"), zip(*rows, strict=True), strict=True)
    kinds = {"file": object, "label": object}
    return pd.DataFrame({name: pd.Series(each, dtype=kinds.get(name, float)) for name, each in cells})


def shortened(table: pandas.DataFrame, longest: float) -> pandas.DataFrame:
    """Of each detection that is longer, keep the part around its peak.

    Args:
        table: detections as :func:`merged` returns them.
        longest: longest duration, s.

    Returns:
        The same rows with other ``start`` and ``end``.
    """
    start, end, peak = (table[name].to_numpy(np.float64) for name in ("start", "end", "peak"))
    long = end - start > longest + 1e-9
    # Rounded, so that a label file has no digits without a meaning.
    first = np.round(np.clip(peak - longest / 2, start, np.maximum(end - longest, start)), 3)
    return table.assign(start=np.where(long, first, start), end=np.where(long, np.round(first + longest, 3), end))


def choose(
    table: pandas.DataFrame,
    how: str = "balanced",
    per_class: int = 50,
    threshold: float | Mapping[str, float] = 0.5,
    seed: int = 0,
) -> pandas.DataFrame:
    """Choose detections of each class.

    Args:
        table: detections as :func:`merged` returns them.
        how: one of :data:`CHOICES`.
        per_class: number of detections of a class at most.
        threshold: score that ``"margin"`` compares with, of all classes or by class.
        seed: seed of what ``"balanced"`` takes.

    Returns:
        The chosen rows, class by class: those with the highest scores first, or those nearest to the threshold.

    Raises:
        ValueError: if ``how`` is none of the choices, detections have no score but need one, or a class has no
            threshold.
    """
    if how not in CHOICES:
        raise ValueError(f"expected one of {', '.join(CHOICES)}, got {how!r}")
    missing = table["score"].isna()
    if how != "balanced" and missing.any():
        first = table[missing].iloc[0]
        raise ValueError(
            f"{how} needs scores, but {missing.sum()} of {len(table)} detections have none, the first in "
            f"{first['file']} at {first['start']:g} s; balanced needs none"
        )
    random = np.random.default_rng(seed)
    chosen = []
    for label in sorted(set(table["label"])):
        rows = table[table["label"] == label]
        scores = rows["score"].to_numpy(np.float64)
        if how == "balanced":
            places = _spread(scores, per_class, random)
            order = places[np.argsort(-np.nan_to_num(scores[places], nan=-np.inf), kind="stable")]
        else:
            if isinstance(threshold, Mapping) and label not in threshold:
                raise ValueError(f"the classifier has no class {label!r}, but {', '.join(threshold)}")
            limit = threshold[label] if isinstance(threshold, Mapping) else threshold
            order = np.argsort(-scores if how == "top" else np.abs(scores - limit), kind="stable")[:per_class]
        chosen.append(rows.iloc[order])
    import pandas as pd

    return pd.concat(chosen, ignore_index=True)


def _spread(scores: NDArray[np.float64], count: int, random: np.random.Generator) -> NDArray[np.intp]:
    """Places of so many scores from all parts of their range, in order; those without a score are a part, too."""
    known = scores[~np.isnan(scores)]
    low, high = (known.min(), known.max()) if len(known) else (0.0, 0.0)
    width = max(high - low, 1e-12) / _PARTS
    part = np.where(np.isnan(scores), _PARTS, np.minimum(np.nan_to_num(scores - low) / width, _PARTS - 1)).astype(int)
    shuffled = random.permutation(len(scores))
    # The first of each part, then the second of each, and so on; parts in random order, too.
    rank = np.empty(len(scores), np.intp)
    for number in np.unique(part):
        members = shuffled[part[shuffled] == number]
        rank[members] = np.arange(len(members))
    return np.sort(shuffled[np.argsort(rank[shuffled], kind="stable")[:count]])
