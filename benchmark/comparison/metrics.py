"""heareval's scores: which way is better, on what scale, and how the files' counts make one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Metric:
    """How a score is read.

    Attributes:
        name: heareval's.
        title: for a reader.
        kind: ``accuracy`` (right of all), ``fmeasure`` (twice the hits of truth and found), ``error`` (errors of
            the truth; lower is better, may pass 1) or ``other`` (no ratio of sums over files).
        fraction: whether it lies on the scale of 0 to 1 that a mean over tasks is taken on; an error rate does as one
            minus itself, d' does not.
    """

    name: str
    title: str
    kind: Literal["accuracy", "fmeasure", "error", "other"]
    fraction: bool = True

    @property
    def lower_is_better(self) -> bool:
        """Whether a lower score is a better one."""
        return self.kind == "error"

    def gain(self, score: NDArray[np.floating] | float) -> NDArray[np.floating] | float:
        """The score with higher being better: itself, or one minus an error rate."""
        return 1 - score if self.lower_is_better else score

    def shown(self, score: float) -> float:
        """The number that stands in a table: in % where the score is a fraction, as it is otherwise."""
        return 100 * score if self.fraction else score

    @property
    def unit(self) -> str:
        """Of the number that stands in a table."""
        return "%" if self.fraction else ""

    @property
    def digits(self) -> int:
        """After the point, of the number that stands in a table."""
        return 1 if self.fraction else 2

    def ratio(self, sums: NDArray[np.floating]) -> NDArray[np.floating]:
        """Score of summed counts.

        Args:
            sums: ``(..., 3)`` sums over files of :class:`~benchmark.comparison.outcome.Outcome`'s counts.

        Returns:
            ``(...)``; nan where nothing was to be found and nothing was.

        Example:
            >>> metric("event_onset_200ms_fms").ratio(np.array([[6.0, 5.0, 5.0]]))
            array([0.6])
            >>> metric("top1_acc").ratio(np.array([[3.0, 4.0, 4.0]]))
            array([0.75])
        """
        whole = sums[..., 1] + sums[..., 2] if self.kind == "fmeasure" else sums[..., 1]
        nothing = np.full(whole.shape, np.nan)
        return np.asarray(np.divide(sums[..., 0], whole, out=nothing, where=whole > 0))


METRICS = {
    each.name: each
    for each in (
        Metric("top1_acc", "accuracy", "accuracy"),
        Metric("pitch_acc", "pitch accuracy", "accuracy"),
        Metric("chroma_acc", "chroma accuracy", "accuracy"),
        Metric("mAP", "mean average precision", "other"),
        Metric("d_prime", "d′", "other", fraction=False),
        Metric("aucroc", "area under the ROC curve", "other"),
        Metric("event_onset_200ms_fms", "onset F-measure, 200 ms", "fmeasure"),
        Metric("event_onset_50ms_fms", "onset F-measure, 50 ms", "fmeasure"),
        Metric("event_onset_offset_50ms_20perc_fms", "onset and offset F-measure, 50 ms and 20 %", "fmeasure"),
        Metric("segment_1s_er", "error rate in segments of 1 s, lower is better", "error"),
    )
}


def metric(name: str) -> Metric:
    """How a score of heareval is read.

    Raises:
        ValueError: if heareval has no such score.
    """
    if name not in METRICS:
        raise ValueError(f"expected one of heareval's scores ({', '.join(METRICS)}), got {name!r}")
    return METRICS[name]
