"""Matched volumes: equal hours of two collections, and half of each at the same total.

The networks can then be compared: they differ in what they heard, not in how much of it.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from byola_hear.pretraining.data.manifest import ManifestClip, hours, hours_by, write_manifest

#: Beside matched manifests: how they were drawn, and the hash of each.
MATCHING_FILE = "matching.json"


@dataclass(frozen=True)
class MatchedSets:
    """Three sets of the same total length: the first collection, the second, and half of each."""

    first: list[ManifestClip]
    second: list[ManifestClip]
    both: list[ManifestClip]


def segments(clips: Iterable[ManifestClip], longest_s: float) -> list[ManifestClip]:
    """Cut rows into parts of equal length, none longer than ``longest_s`` seconds.

    So a long recording counts as many small rows, and a sample drawn from it is spread over all of it.
    """
    parts = []
    for clip in clips:
        n_parts = max(1, -(-int(clip.duration_s * 1000) // int(longest_s * 1000)))
        step = clip.duration_s / n_parts
        if n_parts == 1:
            parts.append(clip)
        else:
            parts += [clip.segment(index * step, (index + 1) * step) for index in range(n_parts)]
    return parts


def draw(clips: Iterable[ManifestClip], wanted_hours: float, seed: int) -> list[ManifestClip]:
    """Draw rows at random until they sum to a number of hours; the last is cut to fit exactly.

    Args:
        clips: rows to draw from.
        wanted_hours: total length wanted, hours.
        seed: of the shuffle.

    Returns:
        The rows drawn, in the order in which they were given.

    Raises:
        ValueError: if the rows are shorter than ``wanted_hours`` in all.

    Example:
        >>> clips = [ManifestClip(f"{i}.wav", 1800.0, 16000) for i in range(4)]
        >>> round(hours(draw(clips, 1.25, seed=0)), 6)
        1.25
    """
    pool = list(clips)
    available = hours(pool)
    if wanted_hours > available + 1e-9:
        raise ValueError(f"expected at least {wanted_hours:.4f} hours to draw from, got {available:.4f}")
    order = list(range(len(pool)))
    random.Random(seed).shuffle(order)
    left_s = wanted_hours * 3600
    chosen: dict[int, ManifestClip] = {}
    for index in order:
        # A rest below a millisecond is rounding, not audio.
        if left_s < 1e-3:
            break
        clip = pool[index]
        chosen[index] = clip if clip.duration_s <= left_s else clip.segment(0.0, left_s)
        left_s -= chosen[index].duration_s
    return [chosen[index] for index in sorted(chosen)]


def limit_kinds(clips: Iterable[ManifestClip], shares: Mapping[str, float], seed: int) -> list[ManifestClip]:
    """Sample kinds down so that none exceeds its share of the total.

    Args:
        clips: rows.
        shares: kind → largest share of the total that it may make up, between 0 and 1; their sum below 1.
        seed: of the sampling.

    Returns:
        All rows of the other kinds, and of each limited kind as much as its share allows.

    Raises:
        ValueError: if a share is not between 0 and 1, or nothing but limited kinds is there.

    Example:
        >>> music = ManifestClip("m.ogg", 7200.0, 44100, kind="music")
        >>> effects = ManifestClip("e.ogg", 3600.0, 44100, kind="effects")
        >>> round(hours(limit_kinds([music, effects], {"music": 0.5}, seed=0)), 6)
        2.0
    """
    if any(not 0 < share < 1 for share in shares.values()) or sum(shares.values()) >= 1:
        raise ValueError(f"shares must be between 0 and 1 and sum to less than 1, got {dict(shares)}")
    pool = list(clips)
    limited = {kind: hours(clip for clip in pool if clip.kind == kind) for kind in shares}
    # A kind that is already within its share counts as free: taking it all leaves room for no more of the others.
    capped = dict(shares)
    while True:
        free = hours(clip for clip in pool if clip.kind not in capped)
        if free == 0 and capped:
            raise ValueError(f"every row is of a limited kind ({', '.join(sorted(capped))}): no total to share")
        total = free / (1 - sum(capped.values()))
        within = [kind for kind, share in capped.items() if limited[kind] <= share * total]
        if not within:
            break
        for kind in within:
            del capped[kind]
    result = [clip for clip in pool if clip.kind not in capped]
    for kind, share in capped.items():
        rows = segments((clip for clip in pool if clip.kind == kind), longest_s=30.0)
        result += draw(rows, share * total, seed)
    return result


def match(
    first: Iterable[ManifestClip],
    second: Iterable[ManifestClip],
    seed: int,
    wanted_hours: float | None = None,
    longest_s: float = 30.0,
) -> MatchedSets:
    """Equal hours of two collections, and a union at the same total.

    Args:
        first: rows of one collection, such as speech.
        second: rows of the other.
        seed: of the draws.
        wanted_hours: length of each set, hours; that of the shorter collection if None.
        longest_s: recordings are cut into segments of at most this, seconds, before drawing.

    Returns:
        Three sets of ``wanted_hours`` each; ``both`` holds half of ``first`` and half of ``second``, drawn from the
        other two sets.

    Raises:
        ValueError: if a collection is shorter than ``wanted_hours``.
    """
    parts = [segments(first, longest_s), segments(second, longest_s)]
    size = min(map(hours, parts)) if wanted_hours is None else wanted_hours
    if not size > 0:
        raise ValueError(f"expected a positive number of hours, got {size}")
    drawn = [draw(rows, size, seed) for rows in parts]
    halves = [draw(rows, size / 2, seed + 1) for rows in drawn]
    return MatchedSets(first=drawn[0], second=drawn[1], both=halves[0] + halves[1])


def write_matched(sets: MatchedSets, folder: Path, names: tuple[str, str], facts: Mapping[str, Any]) -> list[Path]:
    """Write three matched manifests and, beside them, how they were drawn.

    Args:
        sets: of :func:`match`; the rows' paths relative to ``folder``.
        folder: where to; created.
        names: of the two collections, also of their manifests; the third is ``both``.
        facts: JSON values that say how the sets were drawn, such as the seed.

    Returns:
        The three manifests.

    Raises:
        ValueError: if the three names are not different, or not plain.
    """
    if len({*names, "both"}) < 3 or any(Path(name).name != name or not name for name in names):
        raise ValueError(f"expected two different plain names, neither of them 'both', got {names[0]!r}, {names[1]!r}")
    folder.mkdir(parents=True, exist_ok=True)
    drawn = dict(zip((*names, "both"), (sets.first, sets.second, sets.both)))
    paths = []
    for name, clips in drawn.items():
        paths.append(folder / f"{name}.csv")
        write_manifest(clips, paths[-1])
    matching = {
        **facts,
        "hours": round(hours(sets.first), 4),
        "sets": {
            name: {kind: round(hour, 4) for kind, hour in hours_by(clips, "kind").items()}
            for name, clips in drawn.items()
        },
        "sha256": {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths},
    }
    temporary = folder / f"{MATCHING_FILE}.partial"
    temporary.write_text(json.dumps(matching, indent=1) + "\n", encoding="utf-8")
    os.replace(temporary, folder / MATCHING_FILE)
    return paths


def matching_of(manifest: Path) -> dict[str, Any] | None:
    """How a manifest was matched with others, None if it was not or has changed since."""
    path = manifest.parent / MATCHING_FILE
    if not path.exists():
        return None
    matching = json.loads(path.read_text(encoding="utf-8"))
    own = hashlib.sha256(manifest.read_bytes()).hexdigest()
    return matching if matching["sha256"].get(manifest.stem) == own else None
