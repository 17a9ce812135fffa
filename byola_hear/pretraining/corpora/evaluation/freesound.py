"""Find the Freesound clips that a text names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

#: The forms of a clip's address, and the form of the names of its files: ``id__user__title``.
_CLIP = re.compile(
    r"freesound\.(?:org|iua\.upf\.edu)/(?:[^\s\"'<>()]*?/)?(?:sounds?/|s/|samplesViewSingle\.php\?id=)(?P<address>\d+)"
    r"|(?<!\d)(?P<file>\d{2,7})__[a-z0-9][\w.-]*?__",
    re.IGNORECASE,
)


class Credit(NamedTuple):
    """A line that names a clip of Freesound.

    Attributes:
        clip: id of the clip.
        line: the line, without spaces at its ends.
    """

    clip: int
    line: str


def named_clips(text: str) -> Iterator[Credit]:
    """Find every clip of Freesound that a text names.

    Example:
        >>> lines = ["rain.ogg: https://freesound.org/people/ann/sounds/123/", "wind: 45678__bob__wind.wav"]
        >>> [credit.clip for line in lines for credit in named_clips(line)]
        [123, 45678]
    """
    for line in text.splitlines():
        for match in _CLIP.finditer(line):
            yield Credit(int(match["address"] or match["file"]), line.strip())
