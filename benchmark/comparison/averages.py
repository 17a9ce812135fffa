"""Means over tasks, and HEAR's own average."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def hear_average(scores: NDArray[np.floating]) -> NDArray[np.floating]:
    """HEAR's average: each task's scores standardised over the models, clipped to ±1, averaged over the tasks.

    The standard deviation is the population's (divided by n), as in HEAR's own figures. A task on which all
    models are equal gives 0. It shows how a model stands among those compared, and changes with them.

    Args:
        scores: ``(..., n_models, n_tasks)``, higher is better, none missing.

    Returns:
        ``(..., n_models)`` in [-1, 1].

    Source:
        Turian et al., HEAR (arXiv 2203.03022); github.com/hearbenchmark/hear-leaderboard.

    Example:
        >>> hear_average(np.array([[0.1, 0.5], [0.2, 0.5], [0.9, 0.5]])).round(3)
        array([-0.421, -0.281,  0.5  ])
    """
    mean = scores.mean(axis=-2, keepdims=True)
    deviation = scores.std(axis=-2, keepdims=True)
    equal = deviation < 1e-12
    standardised = np.where(equal, 0.0, (scores - mean) / np.where(equal, 1.0, deviation))
    return np.asarray(np.clip(standardised, -1, 1).mean(axis=-1))


def compared(has: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Choose the rows and tasks for HEAR's average.

    They are the rows with a score on at least half of the tasks that any row has, and the tasks that all those rows
    have. So a row with few scores does not remove tasks from all the others.

    Args:
        has: ``(n_models, n_tasks)``, True where there is a score.

    Returns:
        ``(n_models,)`` and ``(n_tasks,)``, True where chosen.

    Example:
        >>> rows, tasks = compared(np.array([[1, 1, 1], [1, 1, 0], [0, 1, 0]], bool))
        >>> rows.tolist(), tasks.tolist()
        ([True, True, False], [True, True, False])
    """
    any_task = has.any(axis=0)
    rows = has.any(axis=1) & (2 * has.sum(axis=1) >= any_task.sum())
    return rows, any_task & has[rows].all(axis=0)
