"""One collection's sounds → FLAC files and the rows that describe them.

A collection is what was unpacked from a package or a tar, or a folder as it is.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from byola_hear.pretraining.corpora.decode import (
    SAMPLE_RATE,
    SHORTEST_S,
    pcm_digest,
    to_training_form,
    unusable,
    write_flac,
)
from byola_hear.pretraining.corpora.sampling import PIECE_S, draw_order, pieces
from byola_hear.pretraining.corpora.sounds.sound import DecoderMissing, Sound, SoundError
from byola_hear.pretraining.corpora.speech_filter import Detector, holds_speech
from byola_hear.pretraining.data.manifest import ManifestClip


@dataclass(frozen=True)
class Rules:
    """What to do with a collection's sounds.

    Attributes:
        name: of the collection; the folder of its files.
        source: written into its rows.
        licence: written into its rows.
        takes: whether a sound of this name comes in.
        kind_of: the kind of a sound, from its name.
        group_of: what keeps dependent sounds together, from its name.
        detector: sounds in which it finds speech are left out; None to keep all.
        in_pieces: whether sounds longer than half a minute are cut and judged piece by piece.
        sampled: the kind that is not taken as it comes but listed as tracks, to be sampled later; None for no kind.
    """

    name: str
    source: str
    licence: str
    takes: Callable[[str], bool]
    kind_of: Callable[[str], str]
    group_of: Callable[[str], str]
    detector: Detector | None = None
    in_pieces: bool = False
    sampled: str | None = None


@dataclass
class CollectionOutcome:
    """What became of a collection.

    Attributes:
        clips: its rows, paths relative to the set's folder.
        digests: MD5 of each row's samples.
        tracks: name and length in seconds of the sounds that are to be sampled.
        counts: sounds, or pieces of them, by what happened: ``kept``, or why they were left out: ``path``,
            ``speech``, ``duplicate``, ``short``, ``silent``, ``unreadable``, ``undecoded`` (no decoder installed).
        left_out: name, reason, length in seconds where it is known, and what else there is to say, of all but
            those left out by their path.
    """

    clips: list[ManifestClip] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    tracks: list[tuple[str, float]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    left_out: list[tuple[str, str, float, str]] = field(default_factory=list)

    def leave_out(self, name: str, reason: str, seconds: float = 0.0, detail: str = "") -> None:
        """Note a sound that does not come in."""
        self.counts[reason] += 1
        self.left_out.append((name, reason, round(seconds, 3), detail))


#: Longest part of a path, bytes: file systems take 255, of which endings need some.
_LONGEST_NAME = 200


def file_name(name: str) -> str:
    """A name as it may stand in a path on any file system.

    Example:
        >>> file_name("a game: bang?")
        'a_game__bang_'
    """
    if not name.strip("."):
        return "_"
    # Letters of all scripts stay; what a file system or a shell may object to, or what leads elsewhere, does not.
    text = re.sub(r"[^\w.@+-]", "_", name)
    encoded = text.encode("utf-8")
    if len(encoded) <= _LONGEST_NAME:
        return text
    # Names that are long are often alike but for their ends.
    digest = hashlib.sha256(encoded).hexdigest()[:12]
    return f"{encoded[: _LONGEST_NAME - len(digest) - 1].decode('utf-8', 'ignore')}~{digest}"


class FileNames:
    """Gives every sound a file of its own, whatever its name and on any file system."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def path_for(self, collection: str, name: str, start_s: float | None = None) -> str:
        """A relative path for a sound, or for the piece of it that starts at a time.

        Example:
            >>> FileNames().path_for("a-game", "games/a game/bang?.wav", 30.0)
            'a-game/games/a_game/bang_.wav.at000030.0s.flac'
            >>> FileNames().path_for("a-game", "../bang.wav")
            'a-game/_/bang.wav.flac'
        """
        piece = "" if start_s is None else f".at{start_s:08.1f}s"
        inside = name if name.strip("/") else "_"
        base = "/".join(file_name(part) for part in f"{collection}/{inside}".split("/") if part) + piece
        path, number = f"{base}.flac", 1
        while path.lower() in self._given:
            number += 1
            path = f"{base}~{number}.flac"
        self._given.add(path.lower())
        return path


def process(sounds: Iterable[Sound], rules: Rules, folder: Path) -> CollectionOutcome:
    """Decode a collection's sounds into FLAC files.

    Args:
        sounds: in the order in which they are to be taken; of exact duplicates the first stays.
        rules: what to do with them.
        folder: of the set.

    Returns:
        What became of them.
    """
    outcome, names, seen = CollectionOutcome(), FileNames(), set[str]()
    for sound in sounds:
        if not rules.takes(sound.name):
            outcome.counts["path"] += 1
            continue
        try:
            if rules.kind_of(sound.name) == rules.sampled:
                outcome.tracks.append((sound.name, sound.duration_s()))
                continue
            pcm = to_training_form(*sound.read(0.0, None))
        except (SoundError, ValueError) as error:
            _note_failure(outcome, sound.name, error)
            continue
        for start_s, part in _parts(pcm, rules.in_pieces):
            path = names.path_for(rules.name, sound.name, start_s)
            _keep_or_leave(outcome, seen, rules, folder, sound.name, path, part)
    return outcome


def sample_tracks(sounds: Iterable[Sound], rules: Rules, folder: Path, share_s: float, seed: int) -> CollectionOutcome:
    """Take as much of each track as its share is, in pieces drawn by seed; a piece with speech gives way to another.

    Args:
        sounds: the tracks.
        rules: what to do with them; ``sampled`` is the kind that is taken, all others are passed by.
        folder: of the set.
        share_s: seconds of each track.
        seed: of the drawing.

    Returns:
        What became of them.
    """
    outcome, names, seen = CollectionOutcome(), FileNames(), set[str]()
    for sound in sounds:
        if not rules.takes(sound.name) or rules.kind_of(sound.name) != rules.sampled:
            continue
        left_s = share_s
        try:
            order = draw_order(sound.duration_s(), f"{rules.name}/{sound.name}", seed)
            for start_s, length_s in order:
                if left_s < SHORTEST_S:
                    break
                pcm = to_training_form(*sound.read(start_s, min(length_s, left_s)))
                path = names.path_for(rules.name, sound.name, start_s)
                if _keep_or_leave(outcome, seen, rules, folder, sound.name, path, pcm):
                    left_s -= len(pcm) / SAMPLE_RATE
        except (SoundError, ValueError) as error:
            _note_failure(outcome, sound.name, error)
    return outcome


def _note_failure(outcome: CollectionOutcome, name: str, error: Exception) -> None:
    reason = "undecoded" if isinstance(error, DecoderMissing) else "unreadable"
    outcome.leave_out(name, reason, detail=" ".join(str(error).split()))


def _parts(pcm: NDArray[np.int16], in_pieces: bool) -> Iterator[tuple[float | None, NDArray[np.int16]]]:
    """A sound as a whole, or in pieces with their starts if it is long."""
    if not in_pieces or len(pcm) <= PIECE_S * SAMPLE_RATE:
        yield None, pcm
        return
    for start_s, length_s in pieces(len(pcm) / SAMPLE_RATE):
        first = round(start_s * SAMPLE_RATE)
        yield start_s, pcm[first : first + round(length_s * SAMPLE_RATE)]


def _keep_or_leave(
    outcome: CollectionOutcome, seen: set[str], rules: Rules, folder: Path, name: str, path: str, pcm: NDArray[np.int16]
) -> bool:
    """Write a sound or a piece, or note why not."""
    seconds = len(pcm) / SAMPLE_RATE
    reason, digest = unusable(pcm), pcm_digest(pcm)
    if reason is None and digest in seen:
        reason = "duplicate"
    if reason is None and rules.detector is not None and holds_speech(pcm, rules.detector):
        reason = "speech"
    if reason is not None:
        outcome.leave_out(name, reason, seconds)
        return False
    seen.add(digest)
    write_flac(folder / path, pcm)
    clip = ManifestClip(
        path=path,
        duration_s=seconds,
        sample_rate=SAMPLE_RATE,
        channels=1,
        source=rules.source,
        kind=rules.kind_of(name),
        group=rules.group_of(name),
        licence=rules.licence,
    )
    outcome.clips.append(clip)
    outcome.digests.append(digest)
    outcome.counts["kept"] += 1
    return True
