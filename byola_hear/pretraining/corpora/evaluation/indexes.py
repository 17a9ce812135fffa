"""The Freesound ids of evaluation sets, read from the lists in PyPI's package soundata 0.1.1 (BSD-3-Clause).

The package is neither installed nor imported: its wheel is a zip, and the lists in it are JSON. Later versions download
their lists, so this version is named.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections import Counter
from pathlib import Path

from byola_hear.utils.archives import ArchiveError
from byola_hear.utils.unpack import read_members

#: What to fetch from PyPI.
REQUIREMENT = "soundata==0.1.1"
#: Evaluation sets: the name of the list in the wheel, and where in the name of a clip its Freesound id is.
SETS = {
    "ESC-50": ("esc50", re.compile(r"^\d+-(\d+)-")),
    "FSD50K": ("fsd50k", re.compile(r"(\d+)$")),
    "UrbanSound8K": ("urbansound8k", re.compile(r"^(\d+)-")),
    "FSDnoisy18k": ("fsdnoisy18k", re.compile(r"(\d+)$")),
}


def read_evaluation_clips(wheel: Path) -> dict[str, Counter[int]]:
    """Read which clips of Freesound the evaluation sets are made of.

    Args:
        wheel: the wheel of soundata 0.1.1.

    Returns:
        For each set the number of its clips that come from each Freesound id.

    Raises:
        ValueError: if the file is not that wheel.
    """
    lists = {f"soundata/datasets/indexes/{name}_index.json": title for title, (name, _) in SETS.items()}
    found: dict[str, Counter[int]] = {}
    try:
        for member, content in read_members(wheel, lambda name: name in lists):
            title = lists[member]
            ids = [SETS[title][1].search(clip) for clip in json.loads(content)["clips"]]
            found[title] = Counter(int(match[1]) for match in ids if match)
    except (ArchiveError, zipfile.BadZipFile, KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{wheel}: expected the wheel of {REQUIREMENT}, could not read it ({error})") from None
    if missing := [title for title in SETS if not found.get(title)]:
        raise ValueError(f"{wheel}: expected the wheel of {REQUIREMENT}, found no list of {', '.join(missing)}")
    return {title: found[title] for title in SETS}
