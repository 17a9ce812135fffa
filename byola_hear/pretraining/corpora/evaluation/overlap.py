"""Compare the Freesound clips that a corpus' credits name with those of evaluation sets.

The sounds of a package are cut and encoded again, so hashes can't find a clip of an evaluation set among them. Their
credits can.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from byola_hear.pretraining.corpora.catalogue.shared_clips import SHARED
from byola_hear.pretraining.corpora.evaluation.credits import credit_texts
from byola_hear.pretraining.corpora.evaluation.freesound import named_clips


@dataclass(frozen=True)
class SharedClip:
    """A Freesound clip that a corpus names and that an evaluation set contains.

    Attributes:
        corpus: name of the corpus.
        clip: Freesound id.
        sets: number of clips made of it in each evaluation set.
        left_out: whether ``corpora build`` leaves its sounds out.
        credit: the file and the line that name it.
    """

    corpus: str
    clip: int
    sets: Mapping[str, int]
    left_out: bool
    credit: str


def overlap_of(corpus: str, package: Path, evaluated: Mapping[str, Counter[int]]) -> tuple[int, list[SharedClip]]:
    """Compare the credits of a corpus with evaluation sets.

    Args:
        corpus: name of the corpus.
        package: its Debian package, wheel, tar or folder.
        evaluated: the clips of each set, from
            :func:`~byola_hear.pretraining.corpora.evaluation.indexes.read_evaluation_clips`.

    Returns:
        Number of Freesound clips that the credits name, and those among them that are in an evaluation set.

    Raises:
        ValueError: if the package can't be read.
    """
    named: dict[int, str] = {}
    for name, text in credit_texts(package):
        for credit in named_clips(text):
            named.setdefault(credit.clip, f"{name}: {credit.line}")
    known = SHARED[corpus].clips if corpus in SHARED else frozenset()
    shared = []
    for clip, line in sorted(named.items()):
        sets = {title: clips[clip] for title, clips in evaluated.items() if clip in clips}
        if sets:
            shared.append(SharedClip(corpus, clip, sets, clip in known, line))
    return len(named), shared
