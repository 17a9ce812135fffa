"""Seeds of the steps of a run. A run that resumes at any step takes the same steps as one that was not interrupted."""

from __future__ import annotations


def step_seed(seed: int, step: int, rank: int, purpose: int) -> int:
    """A seed that differs for each step, process or fold, and purpose.

    Args:
        seed: of the run.
        step: counted from 0.
        rank: number of the process or the fold, below 1009.
        purpose: what the random numbers are for, 0 to 6.
    """
    return ((seed * 1_000_003 + step) * 1_009 + rank) * 7 + purpose
