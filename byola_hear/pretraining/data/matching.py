"""Matched sets: equal hours of two collections, and a third set of the same length with half of each.

Networks trained on them can be compared: they differ in the kind of audio, not in its amount.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from byola_hear.pretraining.data.manifest import ManifestClip, hours, hours_by, write_manifest
from byola_hear.utils.files import file_hash, write_file

#: File next to matched manifests. It says how they were drawn, and contains their hashes.
MATCHING_FILE = "matching.json"


@dataclass(frozen=True)
class MatchedSets:
    """Three sets of the same total length.

    Attributes:
        first: clips of the first collection.
        second: clips of the second collection.
        both: half of ``first`` and half of ``second``.
    """

    first: list[ManifestClip]
    second: list[ManifestClip]
    both: list[ManifestClip]


def segments(clips: Iterable[ManifestClip], longest_s: float) -> list[ManifestClip]:
    """Cut each clip into segments of equal length, none longer than ``longest_s`` seconds.

    A sample drawn from the segments is then spread over the whole of a long recording.
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
    """Draw clips at random until they sum to a number of hours. The last clip is cut to fit exactly.

    Args:
        clips: clips to draw from.
        wanted_hours: total length to draw, in hours.
        seed: seed of the shuffle.

    Returns:
        The drawn clips, in the given order.

    Raises:
        ValueError: if all clips together are shorter than ``wanted_hours``.

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
        # Less than a millisecond is a rounding error, not audio.
        if left_s < 1e-3:
            break
        clip = pool[index]
        chosen[index] = clip if clip.duration_s <= left_s else clip.segment(0.0, left_s)
        left_s -= chosen[index].duration_s
    return [chosen[index] for index in sorted(chosen)]


def limit_kinds(clips: Iterable[ManifestClip], shares: Mapping[str, float], seed: int) -> list[ManifestClip]:
    """Sample kinds so that none exceeds its share of the total.

    Args:
        clips: clips of a collection.
        shares: largest share of the total for each kind, between 0 and 1. Their sum is below 1.
        seed: seed of the sample.

    Returns:
        All clips of the other kinds, and as much of each limited kind as its share allows.

    Raises:
        ValueError: if a share is not between 0 and 1, or all clips are of limited kinds.

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
    # A kind that is already within its share is taken as a whole and counts as free, which changes the total.
    capped = dict(shares)
    while True:
        free = hours(clip for clip in pool if clip.kind not in capped)
        if free == 0 and capped:
            raise ValueError(f"expected clips of other kinds than the limited {', '.join(sorted(capped))}, got none")
        total = free / (1 - sum(capped.values()))
        within = [kind for kind, share in capped.items() if limited[kind] <= share * total]
        if not within:
            break
        # One at a time: a kind that is taken as a whole makes the total smaller, which another may then exceed.
        del capped[min(within, key=lambda kind: limited[kind] / capped[kind])]
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
    """Draw equal hours of two collections, and a third set of the same length with half of each.

    Args:
        first: clips of one collection, for instance speech.
        second: clips of the other collection.
        seed: seed of the draws.
        wanted_hours: length of each set, in hours. None takes the length of the shorter collection.
        longest_s: clips are cut into segments of at most this many seconds before drawing.

    Returns:
        Three sets of ``wanted_hours`` each. ``both`` is drawn from the other two sets.

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
    """Write three matched manifests, and next to them how they were drawn.

    Args:
        sets: sets from :func:`match`, whose paths are relative to ``folder``.
        folder: folder for the manifests. It is created.
        names: names of the two collections and their manifests. The third manifest is called ``both``.
        facts: JSON values that say how the sets were drawn, for instance the seed.

    Returns:
        The paths of the three manifests.

    Raises:
        ValueError: if the three names are not different, or contain a path; or if the folder has another file of the
            name :data:`MATCHING_FILE`.
    """
    if len({*names, "both"}) < 3 or any(Path(name).name != name or not name for name in names):
        raise ValueError(f"expected two different plain names, neither of them 'both', got {names[0]!r}, {names[1]!r}")
    facts_file = folder / MATCHING_FILE
    if facts_file.exists() and _read_matching(facts_file) is None:
        raise ValueError(f"{facts_file} exists and is not of matched sets, and would be lost; choose another folder")
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
        "sha256": {path.stem: file_hash(path) for path in paths},
    }
    write_file(facts_file, json.dumps(matching, indent=1) + "\n")
    return paths


def matching_of(manifest: Path) -> dict[str, Any] | None:
    """Read how a manifest was matched with others; None if it was not, or has changed since."""
    matching = _read_matching(manifest.parent / MATCHING_FILE)
    known = matching is not None and matching["sha256"].get(manifest.stem) == file_hash(manifest)
    return matching if known else None


def _read_matching(path: Path) -> dict[str, Any] | None:
    """Read what :func:`write_matched` wrote; None if there is no file, or another one of that name."""
    if not path.exists():
        return None
    try:
        matching = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None
    return matching if isinstance(matching, dict) and isinstance(matching.get("sha256"), dict) else None
