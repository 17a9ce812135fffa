"""Build a set from collections: fetch and decode them, leave out speech and duplicates, sample music, list the rest.

The folder of a set contains ``manifest.csv``, a folder of FLAC files for each collection, ``licences``, ``journal``,
and ``left_out.csv``, which lists every sound that was left out and the reason. What is in the journal is not built
again, so the same call continues an interrupted build. To start again, delete the folder. FLAC files that the manifest
does not list, such as those of an earlier sample of music, can be deleted.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path

from byola_hear.pretraining.corpora.collection import (
    Collection,
    keep_licence,
    open_collection,
    rules_of,
    sounds_of,
)
from byola_hear.pretraining.corpora.journal import read_journal, write_journal
from byola_hear.pretraining.corpora.packages.fetch import PackageOrigin
from byola_hear.pretraining.corpora.process import CollectionOutcome, Rules, file_name, process, sample_tracks
from byola_hear.pretraining.corpora.sampling import share_per_track
from byola_hear.pretraining.corpora.side_by_side import side_by_side
from byola_hear.pretraining.corpora.sounds.sound import installed_decoders
from byola_hear.pretraining.corpora.speech_filter import Detector, load_detector
from byola_hear.pretraining.data.manifest import ManifestClip, check_replaceable, write_manifest
from byola_hear.utils.csv_file import write_csv
from byola_hear.utils.files import locked
from byola_hear.utils.text import one_line

#: The folder in a set's folder for unpacked files; it is removed in the end.
WORK = "unpacked"


@dataclass(frozen=True)
class BuildSettings:
    """How a set is built.

    Attributes:
        folder: folder of the set.
        downloads: folder of packages.
        origin: where packages come from.
        leave_out_speech: whether sounds that contain speech are left out.
        music_share: largest share of music in the set, from 0 to 1.
        seed: seed of the sample of music.
        jobs: number of processes.
    """

    folder: Path
    downloads: Path
    origin: PackageOrigin
    leave_out_speech: bool = False
    music_share: float = 0.5
    seed: int = 42
    jobs: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.music_share <= 1:
            raise ValueError(f"expected a share of music from 0 to 1, got {self.music_share}")
        if self.jobs < 1:
            raise ValueError(f"expected 1 or more jobs, got {self.jobs}")


@dataclass(frozen=True)
class Built:
    """The result of building a collection.

    Attributes:
        name: name of the collection.
        outcome: its clips, and the sounds left out.
        problem: one line that says why nothing was built; empty if something was.
    """

    name: str
    outcome: CollectionOutcome = field(default_factory=CollectionOutcome)
    problem: str = ""


def build(
    collections: Sequence[Collection], settings: BuildSettings, on_done: Callable[[Built], None] = lambda built: None
) -> list[Built]:
    """Build a set and write its manifest.

    Args:
        collections: collections in order. A sound of several collections is taken from the first one.
        settings: how to build.
        on_done: called with each collection when its sounds other than music are built.

    Returns:
        The result of each collection, in the given order, with music and without duplicates.

    Raises:
        ValueError: if nothing could be built; if the folder holds another set or other files where the set's would be,
            is being built, or lies inside an input; or if the speech detector is not installed.
    """
    for collection in collections:
        files = settings.folder / file_name(collection.name)
        if collection.path is not None and files.resolve().is_relative_to(collection.path.resolve()):
            raise ValueError(f"{settings.folder}: expected a folder outside of its input {collection.path}")
        work = settings.folder / WORK
        if collection.path is not None and collection.path.resolve().is_relative_to(work.resolve()):
            raise ValueError(f"{collection.path}: expected an input outside of {work}, which is removed in the end")
    check_replaceable(settings.folder / "manifest.csv")
    if settings.leave_out_speech:
        _detector()
    with _claimed(settings.folder, {collection.set_name for collection in collections}):
        return _build(collections, settings, on_done)


def _build(collections: Sequence[Collection], settings: BuildSettings, on_done: Callable[[Built], None]) -> list[Built]:
    """Do what :func:`build` does after it has claimed the folder."""
    built = side_by_side(collections, partial(_build_one, settings=settings), settings.jobs, on_done)
    _drop_common(built)
    share_s = _music_per_track(built, settings.music_share)
    with_tracks = [collection for collection, one in zip(collections, built) if one.outcome.tracks]
    sample = partial(_sample_one, settings=settings, share_s=share_s)
    music = {one.name: one for one in side_by_side(with_tracks, sample, settings.jobs, lambda built: None)}
    built = [_joined(one, music[one.name]) if one.name in music else one for one in built]
    _drop_common(built)
    clips = [clip for one in built for clip in one.outcome.clips]
    if not clips:
        problems = "; ".join(one.problem for one in built if one.problem)
        raise ValueError(f"nothing was built: {problems or 'every sound was left out'}")
    _write_left_out(built, settings.folder / "left_out.csv")
    write_manifest(clips, settings.folder / "manifest.csv")
    shutil.rmtree(settings.folder / WORK, ignore_errors=True)
    return built


@contextmanager
def _claimed(folder: Path, set_names: set[str]) -> Iterator[None]:
    """Mark a folder as that of a set, whose manifest no other set may replace, and lock it against a second build."""
    mark = folder / "journal" / "set.txt"
    if not mark.exists() and (folder / WORK).exists():
        raise ValueError(f"{folder / WORK} exists, where files are unpacked and removed; choose another folder")
    mark.parent.mkdir(parents=True, exist_ok=True)
    with open(mark, "a+", encoding="utf-8") as file:
        if not locked(file):
            raise ValueError(f"{folder}: another build is running in this folder; choose another folder")
        file.seek(0)
        present = set(file.read().split())
        if present and present != set_names:
            names = ", ".join(sorted(set_names))
            raise ValueError(f"{folder}: holds the {present.pop()} set; choose another folder for the {names} set")
        if not present:
            file.write("\n".join(sorted(set_names)) + "\n")
            file.flush()
        yield


@cache
def _detector() -> Detector:
    """The speech detector, loaded once per process."""
    return load_detector()


def _build_one(collection: Collection, settings: BuildSettings) -> Built:
    """Build the sounds of a collection, except for music that is to be sampled."""

    def make(root: Path, rules: Rules) -> CollectionOutcome:
        unreadable: list[tuple[str, str]] = []
        outcome = process(sounds_of(root, unreadable), rules, settings.folder)
        for name, reason in unreadable:
            outcome.leave_out(name, "unreadable", detail=reason)
        keep_licence(collection, root, settings.folder / "licences")
        return outcome

    return _build_once(collection, settings, collection.name, collection.key(settings.leave_out_speech), make)


def _sample_one(collection: Collection, settings: BuildSettings, share_s: float) -> Built:
    """Build the share of music of a collection."""
    # A difference below a second between two builds is no reason to sample again.
    key = {**collection.key(settings.leave_out_speech), "seconds": round(min(share_s, 1e9)), "seed": settings.seed}

    def make(root: Path, rules: Rules) -> CollectionOutcome:
        return sample_tracks(sounds_of(root, []), rules, settings.folder, share_s, settings.seed)

    return _build_once(collection, settings, f"{collection.name}.music", key, make)


def _build_once(
    collection: Collection,
    settings: BuildSettings,
    journal_name: str,
    key: dict[str, object],
    make: Callable[[Path, Rules], CollectionOutcome],
) -> Built:
    """Read an outcome from its journal, or open the collection, make the outcome and write the journal."""
    journal = settings.folder / "journal" / f"{journal_name}.json"
    # An outcome that lacks a decoder is of the decoders of its time: it is made again once others are installed.
    lacking = {**key, "decoders": installed_decoders()}
    known = read_journal(journal, key)
    if known is None or known.counts["undecoded"]:
        known = read_journal(journal, lacking)
    if known is not None and _complete(known, settings.folder):
        return Built(collection.name, known)
    work = settings.folder / WORK
    try:
        root, source = open_collection(collection, work, settings.downloads, settings.origin)
        detector = _detector() if settings.leave_out_speech else None
        outcome = make(root, rules_of(collection, root, source, detector))
    except ValueError as error:
        return Built(collection.name, problem=one_line(error))
    write_journal(journal, lacking if outcome.counts["undecoded"] else key, outcome)
    # The unpacked files of tracks are needed again when music is sampled.
    if not outcome.tracks:
        shutil.rmtree(work / collection.name, ignore_errors=True)
    return Built(collection.name, outcome)


def _complete(outcome: CollectionOutcome, folder: Path) -> bool:
    """Whether all files of an outcome still exist."""
    return all((folder / clip.path).is_file() for clip in outcome.clips)


def _music_per_track(built: Sequence[Built], music_share: float) -> float:
    """Compute the seconds to take of each track for that share of music; all of it, if there are no other sounds."""
    other_s = sum(clip.duration_s for one in built for clip in one.outcome.clips)
    durations = [seconds for one in built for _, seconds in one.outcome.tracks]
    if music_share == 1 or other_s == 0:
        return float("inf")
    return share_per_track(durations, other_s * music_share / (1 - music_share))


def _drop_common(built: Sequence[Built]) -> None:
    """Leave out clips that an earlier collection has as well. Their files stay."""
    seen: set[str] = set()
    for one in built:
        outcome = one.outcome
        kept: list[tuple[ManifestClip, str]] = []
        for clip, digest in zip(outcome.clips, outcome.digests):
            if digest in seen:
                outcome.counts["kept"] -= 1
                outcome.leave_out(clip.path, "duplicate", clip.duration_s)
            else:
                seen.add(digest)
                kept.append((clip, digest))
        outcome.clips = [clip for clip, _ in kept]
        outcome.digests = [digest for _, digest in kept]


def _joined(built: Built, music: Built) -> Built:
    """Join the outcomes of a collection's music and of its other sounds."""
    both = CollectionOutcome(
        clips=built.outcome.clips + music.outcome.clips,
        digests=built.outcome.digests + music.outcome.digests,
        tracks=built.outcome.tracks,
        counts=built.outcome.counts + music.outcome.counts,
        left_out=built.outcome.left_out + music.outcome.left_out,
    )
    return replace(built, outcome=both, problem=built.problem or music.problem)


def _write_left_out(built: Sequence[Built], path: Path) -> None:
    """Write the table of sounds that were left out."""
    rows = ((one.name, *row) for one in built for row in one.outcome.left_out)
    write_csv(path, [("collection", "sound", "reason", "seconds", "detail"), *rows])
