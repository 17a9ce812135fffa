"""Readers of three published collections of sounds with listeners' ratings of their similarity.

A reader of clips is as in :mod:`benchmark.datasets.origin_speech`. A reader of ratings takes the same archive, and the
further file if there is one, and returns the rating files of the set by name, see :mod:`benchmark.datasets.rated_set`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np

from benchmark.datasets.labelled_tar import OriginalClip
from benchmark.datasets.origin_speech import Wanted
from byola_hear.utils.unpack import read_members


def as_csv(matrix: np.ndarray) -> bytes:
    """A matrix as CSV without a header."""
    text = io.StringIO()
    np.savetxt(text, matrix, "%.6g", ",")
    return text.getvalue().encode()


def _numbered(clips: list[tuple[str, str, bytes]]) -> Iterator[OriginalClip]:
    """Clips of (space, file, content), numbered within their space in the order of their files."""
    counts: dict[str, int] = {}
    for space, file, content in sorted(clips, key=lambda clip: clip[:2]):
        index = counts[space] = counts.get(space, -1) + 1
        columns = {"dataset": space, "index": str(index), "original_file": file}
        yield OriginalClip(f"{space}__{index:02d}", content, columns)


def read_timbre_similarity(archive: Path, wanted: Wanted) -> Iterator[OriginalClip]:
    """timbremetrics: ``…/timbremetrics/sounds/SPACE/FILE.aiff``; the order of the files is that of the matrix."""
    found = [
        (PurePosixPath(member).parent.name, PurePosixPath(member).name, content)
        for member, content in read_members(archive, lambda member: re.search(r"/sounds/.*\.aiff$", member) is not None)
    ]
    yield from _numbered(found)


def timbre_ratings(archive: Path, further: Path | None) -> dict[str, bytes]:
    """timbremetrics: ``…/timbremetrics/true_dissim/SPACE_dissimilarity_matrix.txt``, one triangle filled."""
    ending = "_dissimilarity_matrix.txt"
    ratings = {}
    for member, content in read_members(archive, lambda member: "/true_dissim/" in member and member.endswith(ending)):
        triangle = np.triu(np.loadtxt(io.BytesIO(content), ndmin=2), 1)
        ratings[f"dissimilarity/{PurePosixPath(member).name.removesuffix(ending)}.csv"] = as_csv(triangle + triangle.T)
    return ratings


def read_timbre_groups(archive: Path, wanted: Wanted) -> Iterator[OriginalClip]:
    """The 78 playing techniques: ``…/demo/sounds/mp3/FILE.mp3``, in the order in which judges' groups are stored."""
    order = {name.partition("__")[2]: name for name in wanted}

    def is_clip(member: str) -> bool:
        path = PurePosixPath(member)
        return path.parent.name == "mp3" and path.suffix == ".mp3" and _plain(path.stem) in order

    for member, content in read_members(archive, is_clip):
        stem = PurePosixPath(member).stem
        name = order[_plain(stem)]
        yield OriginalClip(name, content, {"index": str(int(name.partition("__")[0])), "original_file": stem})


def _plain(stem: str) -> str:
    """A file's name without signs that not every file system takes, as the set names its clips."""
    return stem.replace("+", "_").replace("#", "s")


def group_ratings(archive: Path, further: Path | None) -> dict[str, bytes]:
    """The 31 judges' groups, ``…/code/xp2/judgments.mat``, and the share of judges who kept a pair apart."""
    from scipy.io import loadmat

    contents = [content for _, content in read_members(archive, lambda member: member.endswith("/xp2/judgments.mat"))]
    if len(contents) != 1:
        raise ValueError(f"{archive}: expected one file code/xp2/judgments.mat, found {len(contents)}")
    try:
        groups = loadmat(io.BytesIO(contents[0]), variable_names=["ci"])["ci"].astype(int)
    except (KeyError, ValueError, TypeError) as error:
        raise ValueError(f"{archive}: expected judges' groups in code/xp2/judgments.mat: {error}") from error
    apart = (groups[:, :, None] != groups[:, None]).mean(0)
    return {"dissimilarity.csv": as_csv(apart), "groups_by_judge.csv": as_csv(groups)}


def singing_set(file: str) -> str:
    """The set of a sung note, a singer at a pitch.

    >>> singing_set("f2_arpeggios_belt_a_highPitch_2.0666-3.0666s")
    'f2highPitch'
    """
    matched = re.match(r"([^_]+)_.*_((?:high|low)Pitch)_", file)
    if matched is None:
        raise ValueError(f"expected a name such as f2_scales_belt_a_highPitch_1-2s, got {file!r}")
    return matched[1] + matched[2]


def read_singing_techniques(archive: Path, wanted: Wanted) -> Iterator[OriginalClip]:
    """VoicePerception: ``…/audio/SINGER/PITCH/FILE.mp3``; the order of the files of a set is that of its matrix."""
    by_set: dict[str, list[str]] = {}
    for name in wanted:
        by_set.setdefault(singing_set(name), []).append(name)
    for member, content in read_members(archive, lambda member: PurePosixPath(member).stem in wanted):
        stem = PurePosixPath(member).stem
        name = singing_set(stem)
        index = sorted(by_set[name]).index(stem)
        yield OriginalClip(stem, content, {"dataset": name, "index": str(index), "original_file": f"{stem}.mp3"})


def singing_ratings(archive: Path, further: Path | None) -> dict[str, bytes]:
    """VoicePerception's HDF5 file: each participant's matrix, with the names of its sounds; their mean by set."""
    try:
        import h5py
    except ImportError:
        raise ValueError("singing_techniques needs h5py to read its ratings: pip install h5py") from None
    if further is None:
        raise ValueError("expected the file of ratings, got none")
    with h5py.File(further) as file:
        matrices = file["dissim_matrix"][:]
        names = [[_text(name) for name in row] for row in file["rearrangedReferenceAudioNames"][:]]
    sets: dict[str, list[np.ndarray]] = {}
    for matrix, files in zip(matrices, names):
        order = np.argsort(files)
        ordered = matrix[np.ix_(order, order)]
        np.fill_diagonal(ordered, 0)  # one rater heard a difference between a sound and itself
        sets.setdefault(singing_set(files[0]), []).append((ordered + ordered.T) / 2)
    ratings = {f"dissimilarity/{name}.csv": as_csv(np.mean(each, axis=0)) for name, each in sets.items()}
    # One matrix below the other.
    return ratings | {f"raters/{name}.csv": as_csv(np.concatenate(each)) for name, each in sets.items()}


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
