"""A set from its collections: fetched, decoded, freed of speech and duplicates, music sampled, listed.

In the set's folder stand ``manifest.csv``, a folder of FLAC files for each collection, ``licences``,
``left_out.csv`` with everything that did not come in and why, and ``journal``. What is in the journal is not done
again, so the same command goes on where it was interrupted; to begin anew, delete the folder. What counts is the
manifest: files that it does not name, such as an earlier sample of music, can go.
"""

from __future__ import annotations

import csv
import io
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
from byola_hear.pretraining.corpora.process import CollectionOutcome, file_name, process, sample_tracks
from byola_hear.pretraining.corpora.sampling import share_per_track
from byola_hear.pretraining.corpora.side_by_side import side_by_side
from byola_hear.pretraining.corpora.speech_filter import Detector, load_detector
from byola_hear.pretraining.data.manifest import ManifestClip, write_manifest
from byola_hear.utils.files import locked, replacing


@dataclass(frozen=True)
class BuildSettings:
    """How a set is built.

    Attributes:
        folder: of the set.
        downloads: of packages.
        origin: where packages come from.
        leave_out_speech: whether sounds in which somebody speaks are left out.
        music_share: music is sampled so that it is at most this part of the set.
        seed: of the sample.
        jobs: processes that work side by side.
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
    """What became of one collection; ``problem`` says in a line why there is nothing of it, and is empty otherwise."""

    name: str
    outcome: CollectionOutcome = field(default_factory=CollectionOutcome)
    problem: str = ""


def build(
    collections: Sequence[Collection], settings: BuildSettings, on_done: Callable[[Built], None] = lambda built: None
) -> list[Built]:
    """Build a set and write its manifest.

    Args:
        collections: in order; of sounds that several hold, the first keeps it.
        settings: how.
        on_done: told of each collection when its sounds other than music are done.

    Returns:
        What became of each collection, in the order given, music and the duplicates between them considered.

    Raises:
        ValueError: if nothing at all could be built, the folder holds another set, is being built or lies in what it
            would be built from, or the speech detector is not installed.
    """
    for collection in collections:
        files = settings.folder / file_name(collection.name)
        if collection.path is not None and files.resolve().is_relative_to(collection.path.resolve()):
            raise ValueError(f"{settings.folder}: expected a folder outside of {collection.path}, its input")
    if settings.leave_out_speech:
        _detector()
    with _claimed(settings.folder, {collection.set_name for collection in collections}):
        return _build(collections, settings, on_done)


def _build(collections: Sequence[Collection], settings: BuildSettings, on_done: Callable[[Built], None]) -> list[Built]:
    """What :func:`build` does once the folder is its own."""
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
        raise ValueError(f"nothing was built{': ' + problems if problems else ', no sound was left'}")
    _write_left_out(built, settings.folder / "left_out.csv")
    write_manifest(clips, settings.folder / "manifest.csv")
    shutil.rmtree(settings.folder / "unpacked", ignore_errors=True)
    return built


@contextmanager
def _claimed(folder: Path, set_names: set[str]) -> Iterator[None]:
    """Make a folder a set's own, so that no other takes its manifest's place, and hold it against a second build."""
    mark = folder / "journal" / "set.txt"
    mark.parent.mkdir(parents=True, exist_ok=True)
    with open(mark, "a+", encoding="utf-8") as file:
        if not locked(file):
            raise ValueError(f"{folder}: another build is at work there; expected a folder of its own")
        file.seek(0)
        present = set(file.read().split())
        if present and present != set_names:
            names = ", ".join(sorted(set_names))
            raise ValueError(f"{folder} holds the {present.pop()} set: expected another folder for the {names} set")
        if not present:
            file.write("\n".join(sorted(set_names)) + "\n")
            file.flush()
        yield


@cache
def _detector() -> Detector:
    """Loaded once a process."""
    return load_detector()


def _build_one(collection: Collection, settings: BuildSettings) -> Built:
    """A collection's sounds but for music that is to be sampled."""
    journal = settings.folder / "journal" / f"{collection.name}.json"
    key = collection.key(settings.leave_out_speech)
    known = read_journal(journal, key)
    if known is not None and _complete(known, settings.folder):
        return Built(collection.name, known)
    work = settings.folder / "unpacked"
    try:
        root, source = open_collection(collection, work, settings.downloads, settings.origin)
        detector = _detector() if settings.leave_out_speech else None
        unreadable: list[tuple[str, str]] = []
        rules = rules_of(collection, root, source, detector)
        outcome = process(sounds_of(root, unreadable), rules, settings.folder)
        keep_licence(collection, root, settings.folder / "licences")
    except ValueError as error:
        return Built(collection.name, problem=" ".join(str(error).split()))
    for name, reason in unreadable:
        outcome.leave_out(name, "unreadable", detail=reason)
    write_journal(journal, key, outcome)
    if not outcome.tracks:
        shutil.rmtree(work / collection.name, ignore_errors=True)
    return Built(collection.name, outcome)


def _sample_one(collection: Collection, settings: BuildSettings, share_s: float) -> Built:
    """A collection's share of music."""
    journal = settings.folder / "journal" / f"{collection.name}.music.json"
    # A difference of a second between two builds is not worth doing it again.
    key = {**collection.key(settings.leave_out_speech), "seconds": round(min(share_s, 1e9)), "seed": settings.seed}
    known = read_journal(journal, key)
    if known is not None and _complete(known, settings.folder):
        return Built(collection.name, known)
    work = settings.folder / "unpacked"
    try:
        root, source = open_collection(collection, work, settings.downloads, settings.origin)
        rules = rules_of(collection, root, source, _detector() if settings.leave_out_speech else None)
        outcome = sample_tracks(sounds_of(root, []), rules, settings.folder, share_s, settings.seed)
    except ValueError as error:
        return Built(collection.name, problem=" ".join(str(error).split()))
    write_journal(journal, key, outcome)
    shutil.rmtree(work / collection.name, ignore_errors=True)
    return Built(collection.name, outcome)


def _complete(outcome: CollectionOutcome, folder: Path) -> bool:
    """Whether all files are where they were written."""
    return all((folder / clip.path).is_file() for clip in outcome.clips)


def _music_per_track(built: Sequence[Built], music_share: float) -> float:
    """Seconds of each track so that music is that part of the set; all of it where there is nothing else."""
    other_s = sum(clip.duration_s for one in built for clip in one.outcome.clips)
    durations = [seconds for one in built for _, seconds in one.outcome.tracks]
    if music_share == 1 or other_s == 0:
        return float("inf")
    return share_per_track(durations, other_s * music_share / (1 - music_share))


def _drop_common(built: Sequence[Built]) -> None:
    """Leave out what an earlier collection holds already; the files stay."""
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
    """The two parts of a collection's outcome as one."""
    both = CollectionOutcome(
        clips=built.outcome.clips + music.outcome.clips,
        digests=built.outcome.digests + music.outcome.digests,
        tracks=built.outcome.tracks,
        counts=built.outcome.counts + music.outcome.counts,
        left_out=built.outcome.left_out + music.outcome.left_out,
    )
    return replace(built, outcome=both, problem=built.problem or music.problem)


def _write_left_out(built: Sequence[Built], path: Path) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("collection", "sound", "reason", "seconds", "detail"))
    for one in built:
        writer.writerows((one.name, *row) for row in one.outcome.left_out)
    with replacing(path) as file:
        file.write(text.getvalue().encode("utf-8"))
