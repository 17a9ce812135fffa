"""Recovery of the finished clips that an earlier run left in the journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container
from typing import NamedTuple

from byola_hear.extraction.clips import Clip
from byola_hear.tables.about import changed_clips
from byola_hear.tables.journal.assembly import Success
from byola_hear.tables.journal.parts import Journal


class Recovered(NamedTuple):
    """What an earlier run left.

    Attributes:
        successes: the clips that are done.
        next_attempt: a number above those of all attempts.
        next_part: a number above those of all parts.
    """

    successes: dict[Clip, Success]
    next_attempt: int
    next_part: int


def recover(journal: Journal, clips: Container[Clip]) -> Recovered:
    """Find the clips that are done, and remove the parts with nothing but rows of unfinished attempts.

    A clip is done if its last finished attempt succeeded, none of its rows is missing, and its file has not changed.

    Args:
        journal: the journal.
        clips: the clips that are asked for now.
    """
    successes: dict[Clip, Success] = {}
    n_rows: Counter[int] = Counter()  # of attempts that have not succeeded
    bare: dict[int, set[int]] = {}  # parts in which no attempt ends, and the attempts whose rows they have
    attempt = number = -1
    for number, record in journal.records():
        attempt = max([attempt, *record.clips])
        for begun, count in record.runs:
            n_rows[begun] += count
        if not record.done and not record.failed:
            bare[number] = set(record.clips)
        for ended in sorted([*record.done, *record.failed]):
            clip = Clip(*record.clips[ended])
            successes.pop(clip, None)
            if ended in record.done:
                seconds, stamp, count = record.done[ended]
                if n_rows.pop(ended, 0) == count and clip in clips:
                    successes[clip] = Success(ended, seconds, stamp)
    for part, attempts in bare.items():
        # A long clip that was interrupted may have left gigabytes.
        if attempts.issubset(n_rows):
            journal.remove_part(part)
    changed = changed_clips((clip, success.stamp) for clip, success in successes.items())
    unchanged = {clip: success for clip, success in successes.items() if clip not in changed}
    return Recovered(unchanged, attempt + 1, number + 1)
