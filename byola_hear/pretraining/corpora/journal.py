"""What was done is noted, one file a collection, so that an interrupted build goes on behind what is done."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from byola_hear.pretraining.corpora.process import CollectionOutcome
from byola_hear.pretraining.data.manifest import ManifestClip
from byola_hear.utils.files import replacing

#: Changes when what is built from the same sounds by the same rules changes.
FORMAT = 1


def write_journal(path: Path, key: dict[str, object], outcome: CollectionOutcome) -> None:
    """Note an outcome, whole or not at all.

    Args:
        path: file to write.
        key: everything that the outcome depends on.
        outcome: to note.
    """
    content = {
        "format": FORMAT,
        "key": key,
        "clips": [asdict(clip) for clip in outcome.clips],
        "digests": outcome.digests,
        "tracks": outcome.tracks,
        "counts": outcome.counts,
        "left_out": outcome.left_out,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(json.dumps(content, indent=0).encode("utf-8"))


def read_journal(path: Path, key: dict[str, object]) -> CollectionOutcome | None:
    """An outcome noted earlier, or None if there is none, or one that depended on something else.

    Args:
        path: file to read.
        key: everything that the outcome depends on.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT or content["key"] != json.loads(json.dumps(key)):
            return None
        return CollectionOutcome(
            clips=[ManifestClip(**row) for row in content["clips"]],
            digests=list(content["digests"]),
            tracks=[(name, seconds) for name, seconds in content["tracks"]],
            counts=Counter(content["counts"]),
            left_out=[(name, reason, seconds, detail) for name, reason, seconds, detail in content["left_out"]],
        )
    except (OSError, ValueError, KeyError, TypeError):
        # Missing, or not what this version writes: the work is done again.
        return None
