"""heareval's scores: their scales, whether higher is better, and how they follow from counts of files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Metric:
    """A score of heareval.

    Attributes:
        name: heareval's name.
        title: name for readers.
        kind: ``accuracy`` (correct files of all), ``fmeasure`` (twice the hits, of true and found events), ``error``
            (errors, of true events; lower is better, can exceed 1) or ``other`` (not a ratio of sums over files).
        fraction: whether it is on a scale from 0 to 1 and can be part of a mean over tasks. Of an error rate, one minus
            the rate is; d' is not.
    """

    name: str
    title: str
    kind: Literal["accuracy", "fmeasure", "error", "other"]
    fraction: bool = True

    @property
    def lower_is_better(self) -> bool:
        """Whether a lower score is better."""
        return self.kind == "error"

    def gain(self, score: NDArray[np.floating] | float) -> NDArray[np.floating] | float:
        """The score so that higher is better: itself, or one minus an error rate."""
        return 1 - score if self.lower_is_better else score

    def shown(self, score: float) -> float:
        """The number for a table: in % if the score is a fraction, else unchanged."""
        return 100 * score if self.fraction else score

    @property
    def unit(self) -> str:
        """Unit of the number in a table."""
        return "%" if self.fraction else ""

    @property
    def digits(self) -> int:
        """Decimal places of the number in a table."""
        return 1 if self.fraction else 2

    def ratio(self, sums: NDArray[np.floating]) -> NDArray[np.floating]:
        """Compute the score of summed counts.

        Args:
            sums: ``(..., 3)`` sums over files of :class:`~benchmark.comparison.outcome.Outcome`'s counts.

        Returns:
            ``(...)``; nan where there was nothing to find and nothing was found.

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
    """Look up a score of heareval.

    Raises:
        ValueError: if heareval has no score of that name.
    """
    if name not in METRICS:
        raise ValueError(f"expected one of heareval's scores ({', '.join(METRICS)}), got {name!r}")
    return METRICS[name]
