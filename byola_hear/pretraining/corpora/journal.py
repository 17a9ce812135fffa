"""The journal of a build: one file per collection with what was built, so that an interrupted build can continue."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from byola_hear.pretraining.corpora.process import CollectionOutcome
from byola_hear.pretraining.data.manifest import ManifestClip
from byola_hear.utils.files import write_file

#: Version of the journal. It is raised when the same sounds and rules give other files.
FORMAT = 1


def write_journal(path: Path, key: dict[str, object], outcome: CollectionOutcome) -> None:
    """Write an outcome, completely or not at all.

    Args:
        path: file to write.
        key: everything that the outcome depends on, as JSON values.
        outcome: outcome to write.
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
    write_file(path, json.dumps(content, indent=0))


def read_journal(path: Path, key: dict[str, object]) -> CollectionOutcome | None:
    """Read an outcome.

    Args:
        path: file to read.
        key: everything that the outcome depends on, as JSON values.

    Returns:
        The outcome, or None if there is none with this key.
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
        # The file is missing or of another version, so the collection is built again.
        return None
