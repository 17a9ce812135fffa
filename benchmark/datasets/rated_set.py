"""Sets of sounds with listeners' ratings, as ``python -m benchmark fetch`` builds them.

A set is ``NAME.tar`` with ``NAME/manifest.csv``, ``NAME/audio/*.flac`` and matrices without header, whose order is that
of the manifest's column ``index``:

- ``dissimilarity.csv``, or ``dissimilarity/SPACE.csv`` for the sounds whose column ``dataset`` is ``SPACE``: the
  dissimilarities of all pairs, averaged over listeners;
- ``groups_by_judge.csv``, if there is one: a line for each judge, the number of the group of each sound;
- ``raters/SPACE.csv``, if there are any: the matrices of a space's raters, one below the other.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmark.datasets.decoding import decoded
from benchmark.datasets.labelled_set import SAMPLE_RATE, LabelledSet, kept_samples, read_manifest
from byola_hear.utils.files import file_hash
from byola_hear.utils.unpack import read_members


@dataclass(frozen=True)
class Space:
    """Sounds that listeners compared with each other.

    Attributes:
        name: its name.
        rows: ``(n,)`` positions of its sounds in the set.
        dissimilarity: ``(n, n)``, averaged over listeners, symmetric, zero on the diagonal.
        raters: ``(n_raters, n, n)`` likewise, of each listener; None if they are not known.
    """

    name: str
    rows: np.ndarray
    dissimilarity: np.ndarray
    raters: np.ndarray | None


@dataclass(frozen=True)
class RatedSet:
    """A set of sounds and the spaces that they were rated in.

    Attributes:
        sounds: the sounds.
        spaces: the spaces, by name.
    """

    sounds: LabelledSet
    spaces: tuple[Space, ...]


def load_rated_set(path: Path) -> RatedSet:
    """Read a set with ratings.

    Args:
        path: the set's tar.

    Raises:
        FileNotFoundError: if there is no such tar; the message says how to get it.
        ValueError: if it does not have the form above.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"expected listeners' ratings at {path}, found no file: python -m benchmark fetch {path.stem} builds it"
        )
    manifest = read_manifest(path)
    if "index" not in manifest.columns:
        raise ValueError(f"{path}: expected a column 'index' in the manifest, found {', '.join(manifest.columns)}")
    prefix = f"{path.stem}/"
    contents = {member.removeprefix(prefix): content for member, content in read_members(path, lambda member: True)}
    missing = [file for file in manifest["file"] if f"audio/{file}" not in contents]
    if missing:
        raise ValueError(f"{path}: the manifest names files that are not in the tar, such as {missing[0]!r}")
    sounds = [decoded(contents[f"audio/{file}"], f"{path}: {file}") for file in manifest["file"]]
    if {sound.sample_rate for sound in sounds} != {SAMPLE_RATE}:
        raise ValueError(f"{path}: expected sounds at {SAMPLE_RATE} Hz")
    samples = [kept_samples(sound) for sound in sounds]
    offsets = np.concatenate([[0], np.cumsum([len(each) for each in samples])])
    labelled = LabelledSet(path.stem, file_hash(path), manifest, np.concatenate(samples), offsets, SAMPLE_RATE)
    datasets = manifest["dataset"] if "dataset" in manifest.columns else manifest["index"].map(lambda _: path.stem)
    spaces = []
    for name in sorted(set(datasets)):
        inside = np.flatnonzero(datasets == name)
        rows = inside[np.argsort(manifest["index"].iloc[inside].astype(int).to_numpy())]
        file = f"dissimilarity/{name}.csv" if f"dissimilarity/{name}.csv" in contents else "dissimilarity.csv"
        spaces.append(_space(path, name, rows, file, contents))
    return RatedSet(labelled, tuple(spaces))


def _space(path: Path, name: str, rows: np.ndarray, file: str, contents: dict[str, bytes]) -> Space:
    matrix = _matrix(path, file, contents)
    n = len(rows)
    if matrix.shape != (n, n) or not np.allclose(matrix, matrix.T) or np.diagonal(matrix).any():
        raise ValueError(f"{path}: {file}: expected a symmetric matrix of {n} sounds, zero on the diagonal")
    raters = None
    if f"raters/{name}.csv" in contents:
        raters = _matrix(path, f"raters/{name}.csv", contents).reshape(-1, n, n)
    elif "groups_by_judge.csv" in contents:
        groups = _matrix(path, "groups_by_judge.csv", contents)
        raters = (groups[:, :, None] != groups[:, None]).astype(float)
    return Space(name, rows, matrix, raters)


def _matrix(path: Path, file: str, contents: dict[str, bytes]) -> np.ndarray:
    if file not in contents:
        raise ValueError(f"{path}: expected {file}, found no such file")
    try:
        matrix: np.ndarray = np.loadtxt(io.BytesIO(contents[file]), delimiter=",", ndmin=2)
    except ValueError as error:
        raise ValueError(f"{path}: {file}: expected a table of numbers: {error}") from error
    return matrix
