"""Decode the sounds of a collection into FLAC files, and list them."""

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
from byola_hear.pretraining.corpora.speech_filter import Detector, contains_speech
from byola_hear.pretraining.data.manifest import ManifestClip
from byola_hear.utils.text import one_line


@dataclass(frozen=True)
class Rules:
    """What to do with the sounds of a collection.

    Attributes:
        name: name of the collection, and of the folder of its files.
        source: source of its clips.
        licence: licence of its clips.
        takes: says whether to take a sound, given its name.
        kind_of: gives the kind of a sound, given its name.
        group_of: gives the group of a sound, given its name.
        detector: detector of speech. Sounds that contain speech are left out. None keeps them.
        in_pieces: whether to cut sounds longer than half a minute into pieces, and leave out single pieces.
        sampled: kind whose sounds are only listed as tracks, to be sampled later; None for no kind.
        evaluated: says whether a sound, given its name, is made of a clip of an evaluation set. It is left out.
        licence_of: gives the licence of a sound, given its name. None takes ``licence`` for all.
        lists_paths: whether sounds that are left out by their paths are listed. Those of packages are counted only.
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
    evaluated: Callable[[str], bool] = lambda name: False
    licence_of: Callable[[str], str] | None = None
    lists_paths: bool = False


@dataclass
class CollectionOutcome:
    """The clips of a collection, and the sounds that were left out.

    Attributes:
        clips: its clips, whose paths are relative to the set's folder.
        digests: MD5 of the samples of each clip.
        tracks: name and length in seconds of each sound that is to be sampled.
        counts: number of sounds or pieces that were ``kept``, or left out for the reasons ``path``, ``evaluation``,
            ``speech``, ``duplicate``, ``short``, ``silent``, ``unreadable`` and ``undecoded`` (no decoder is
            installed).
        left_out: name, reason, length in seconds (0 if unknown) and detail of each sound left out, except for those of
            packages left out by their path.
    """

    clips: list[ManifestClip] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    tracks: list[tuple[str, float]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    left_out: list[tuple[str, str, float, str]] = field(default_factory=list)

    def leave_out(self, name: str, reason: str, seconds: float = 0.0, detail: str = "") -> None:
        """Add a sound that is left out."""
        self.counts[reason] += 1
        self.left_out.append((name, reason, round(seconds, 3), detail))


#: Longest part of a path, in bytes. File systems allow 255, of which endings need some.
_LONGEST_NAME = 200


def file_name(name: str) -> str:
    """Turn a name into one that any file system allows as a part of a path.

    Example:
        >>> file_name("a game: bang?")
        'a_game__bang_'
    """
    if not name.strip("."):
        return "_"
    # Letters of all scripts stay. Separators and characters special to a file system or a shell are replaced.
    text = re.sub(r"[^\w.@+-]", "_", name)
    encoded = text.encode("utf-8")
    if len(encoded) <= _LONGEST_NAME:
        return text
    # Long names often differ only at their ends, so the cut name gets a digest.
    digest = hashlib.sha256(encoded).hexdigest()[:12]
    return f"{encoded[: _LONGEST_NAME - len(digest) - 1].decode('utf-8', 'ignore')}~{digest}"


class FileNames:
    """Gives each sound a different path that any file system allows."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def path_for(self, collection: str, name: str, start_s: float | None = None) -> str:
        """Choose the relative path of a sound, or of the piece of it that starts at a time in seconds.

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
    """Decode the sounds of a collection into FLAC files, except for those that are to be sampled.

    Args:
        sounds: sounds in order. Of exact duplicates the first is kept.
        rules: what to do with them.
        folder: folder of the set.

    Returns:
        The clips and tracks, and the sounds left out.
    """
    outcome, names, seen = CollectionOutcome(), FileNames(), set[str]()
    for sound in sounds:
        if not rules.takes(sound.name):
            if rules.lists_paths:
                outcome.leave_out(sound.name, "path")
            else:
                outcome.counts["path"] += 1
            continue
        if rules.evaluated(sound.name):
            outcome.leave_out(sound.name, "evaluation")
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
    """Draw random pieces of each track until its share is reached. A piece that is left out is replaced by another.

    Args:
        sounds: sounds of the collection. Those of other kinds than ``rules.sampled`` are ignored.
        rules: what to do with them.
        folder: folder of the set.
        share_s: seconds to take of each track.
        seed: seed of the draw.

    Returns:
        The clips, and the pieces left out.
    """
    outcome, names, seen = CollectionOutcome(), FileNames(), set[str]()
    for sound in sounds:
        if not rules.takes(sound.name) or rules.kind_of(sound.name) != rules.sampled or rules.evaluated(sound.name):
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
    """Leave out a sound that can't be read."""
    reason = "undecoded" if isinstance(error, DecoderMissing) else "unreadable"
    outcome.leave_out(name, reason, detail=one_line(error))


def _parts(pcm: NDArray[np.int16], in_pieces: bool) -> Iterator[tuple[float | None, NDArray[np.int16]]]:
    """A sound as a whole, or a long one in pieces with their starts in seconds."""
    if not in_pieces or len(pcm) <= PIECE_S * SAMPLE_RATE:
        yield None, pcm
        return
    for start_s, length_s in pieces(len(pcm) / SAMPLE_RATE):
        first = round(start_s * SAMPLE_RATE)
        yield start_s, pcm[first : first + round(length_s * SAMPLE_RATE)]


def _keep_or_leave(
    outcome: CollectionOutcome, seen: set[str], rules: Rules, folder: Path, name: str, path: str, pcm: NDArray[np.int16]
) -> bool:
    """Write a sound or a piece and return True, or leave it out and return False."""
    seconds = len(pcm) / SAMPLE_RATE
    reason, digest = unusable(pcm), pcm_digest(pcm)
    if reason is None and digest in seen:
        reason = "duplicate"
    if reason is None and rules.detector is not None and contains_speech(pcm, rules.detector):
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
        licence=rules.licence_of(name) if rules.licence_of else rules.licence,
    )
    outcome.clips.append(clip)
    outcome.digests.append(digest)
    outcome.counts["kept"] += 1
    return True
