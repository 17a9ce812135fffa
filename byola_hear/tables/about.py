"""A table's record of itself: what was asked of every clip, and which clips the table contains."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from byola_hear.extraction.clips import Clip
from byola_hear.extraction.request import Request
from byola_hear.tables.errors import TableError, TableRefused
from byola_hear.utils.files import Stamp, stamp_of


def changed_clips(stamped: Iterable[tuple[Clip, Stamp]]) -> set[Clip]:
    """The clips whose files have changed.

    Args:
        stamped: clips, and the stamps that their files had.
    """
    stamps: dict[str, Stamp] = {}
    changed = set()
    for clip, stamp in stamped:
        if clip.file not in stamps:
            stamps[clip.file] = stamp_of(clip.file)
        if stamps[clip.file] != stamp:
            changed.add(clip)
    return changed


@dataclass(frozen=True)
class Entry:
    """A clip in a table, with all its rows.

    Attributes:
        clip: the clip.
        seconds: length of its audio, s.
        stamp: its file's stamp from before it was read.
        n_rows: number of its rows, which are consecutive.
    """

    clip: Clip
    seconds: float
    stamp: Stamp
    n_rows: int


@dataclass(frozen=True)
class About:
    """A table's record of itself.

    Attributes:
        request: what was asked of every clip.
        entries: the clips, in the order of their rows.
    """

    request: Request
    entries: list[Entry]

    @property
    def n_rows(self) -> int:
        """Number of rows in the table."""
        return sum(entry.n_rows for entry in self.entries)

    def request_json(self) -> str:
        """The request as JSON, for other programs as well."""
        return json.dumps(self.request.to_dict())

    def packed_entries(self) -> str:
        """The entries as compressed JSON in base 64, for :func:`unpacked`."""
        rows = [
            (entry.clip.file, entry.clip.start, entry.clip.end, entry.seconds, entry.stamp, entry.n_rows)
            for entry in self.entries
        ]
        return base64.b64encode(zlib.compress(json.dumps(rows).encode())).decode()


def unpacked(path: object, request_json: str | bytes, packed_entries: str | bytes) -> About:
    """Rebuild a table's record from what the table stores.

    Args:
        path: the table, for messages.
        request_json: from :meth:`About.request_json`.
        packed_entries: from :meth:`About.packed_entries`.

    Raises:
        TableError: if this package did not write them.
    """
    try:
        rows = json.loads(zlib.decompress(base64.b64decode(packed_entries)))
        entries = [
            Entry(Clip(file, start, end), seconds, None if stamp is None else (stamp[0], stamp[1]), n_rows)
            for file, start, end, seconds, stamp, n_rows in rows
        ]
        return About(Request(**json.loads(request_json)), entries)
    except (ValueError, TypeError, zlib.error) as error:
        raise TableError(f"{path}: its record of its clips can't be read: {error}") from None


def check_same(place: object, found: dict[str, Any], wanted: Request, advice: str) -> None:
    """Refuse rows that were made with another request.

    Args:
        place: where the rows are, for the message.
        found: their request, from :meth:`byola_hear.extraction.request.Request.to_dict`.
        wanted: the present request.
        advice: what to do about a difference, for the message.

    Raises:
        TableRefused: if the requests differ; the message names the differences.
    """
    asked = wanted.to_dict()
    names = [field.name for field in fields(Request) if found.get(field.name) != asked[field.name]]
    if names:
        differences = ", ".join(f"{name} {_shown(found.get(name))}, not {_shown(asked[name])}" for name in names)
        raise TableRefused(f"{place} was made with {differences}; {advice}")


def _shown(value: object) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 40 else f"{text[:12]}…"
