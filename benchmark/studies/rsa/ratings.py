"""Listeners' dissimilarity ratings: one square matrix for all, or one for each listener, with the stimuli's names.

Two published sets are suitable:

- Ogg and Slevc, Acoustic Correlates of Auditory Object and Event Perception: Speakers, Musical Timbres, and
  Environmental Sounds, Frontiers in Psychology 10:1594 (2019), doi 10.3389/fpsyg.2019.01594: 36 sounds, 12 utterances
  of different speakers, 12 instruments and 12 everyday objects, each pair rated. The paper's page says
  what is available.
- Giordano, Esposito, Valente and Formisano, Intermediate acoustic-to-semantic representations link behavioral and
  neural responses to natural sounds, Nature Neuroscience 26, 664-672 (2023), doi 10.1038/s41593-023-01285-9; its
  data and code, the perceived dissimilarities of Giordano, McDonnell and McAdams (2010) among them, are on Dryad:
  doi 10.5061/dryad.0p2ngf258.

Neither is downloaded here. Convert the ratings to one of two formats, and put the sounds into a folder:

- ``LISTENER.csv``: the first line has an empty cell and the stimuli's names, each other line a name and its row of
  dissimilarities. Names are those of the audio files without suffix.
- ``RATINGS.npy``: ``(n, n)``, or ``(n_listeners, n, n)``, with the names in ``RATINGS.txt``, one a line.
  ``numpy.save("RATINGS.npy", scipy.io.loadmat("FILE.mat")["VARIABLE"])`` converts a Matlab file;
  ``scipy.spatial.distance.squareform`` converts a condensed vector.

Then run ``python -m benchmark rsa --ratings RATINGS.npy --stimuli FOLDER``, or a folder of CSV files as ``--ratings``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from byola_hear.utils.text import one_line


@dataclass(frozen=True)
class Ratings:
    """Listeners' dissimilarities.

    Attributes:
        names: names of the stimuli, in the order of the matrices.
        listeners: names of the listeners, one for each matrix.
        matrices: ``(n_listeners, n, n)`` float64, symmetric, zero on the diagonal.
    """

    names: tuple[str, ...]
    listeners: tuple[str, ...]
    matrices: np.ndarray


def load_ratings(paths: Sequence[Path]) -> Ratings:
    """Read ratings from files and folders; all matrices get the order of the first.

    Args:
        paths: CSV or npy files as described above, or folders of either.

    Returns:
        All listeners' ratings.

    Raises:
        FileNotFoundError: if a file does not exist, or a folder has no ratings.
        ValueError: if a matrix is not square, symmetric, finite and zero on the diagonal, or if names are missing,
            repeated or different between listeners.
    """
    read: list[tuple[str, list[str], np.ndarray]] = []
    for path in paths:
        files = [path]
        if path.is_dir():
            files = sorted(file for file in path.iterdir() if file.suffix in (".csv", ".npy"))
            if not files:
                raise FileNotFoundError(f"{path}: expected ratings as .csv or .npy, found none")
        for file in files:
            if not file.is_file():
                raise FileNotFoundError(f"no such file of ratings: {file}")
            if file.suffix not in (".csv", ".npy"):
                raise ValueError(f"expected ratings in a file that ends in .csv or .npy, got {file}")
            read += _read_csv(file) if file.suffix == ".csv" else _read_npy(file)
    if not read:
        raise ValueError("expected at least one file of ratings, got none")
    _, names, _ = read[0]
    aligned = []
    for listener, its, matrix in read:
        if set(its) != set(names):
            missing, beyond = sorted(set(names) - set(its)), sorted(set(its) - set(names))
            raise ValueError(
                f"{listener}: expected ratings of the same stimuli as {read[0][0]}; missing: "
                f"{', '.join(missing[:5]) or 'none'}; not known there: {', '.join(beyond[:5]) or 'none'}"
            )
        order = [its.index(name) for name in names]
        aligned.append(matrix[np.ix_(order, order)])
    return Ratings(tuple(names), tuple(listener for listener, _, _ in read), np.stack(aligned))


def _read_csv(path: Path) -> list[tuple[str, list[str], np.ndarray]]:
    try:
        # Not as an index or a header, which would rename duplicates.
        cells = pd.read_csv(path, header=None, dtype=str, keep_default_na=False).to_numpy(str)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: expected a table of ratings, could not read it: {one_line(error)}") from error
    columns, rows = cells[0, 1:].tolist(), cells[1:, 0].tolist()
    if set(columns) != set(rows) or len(columns) != len(rows):
        missing, beyond = sorted(set(columns) - set(rows)), sorted(set(rows) - set(columns))
        raise ValueError(
            f"{path}: expected the same stimuli in the first line and the first column, got {len(columns)} and "
            f"{len(rows)}; without a row: {', '.join(missing[:5]) or 'none'}; without a column: "
            f"{', '.join(beyond[:5]) or 'none'}"
        )
    try:
        matrix = cells[1:, 1:].astype(float)
    except ValueError as error:
        raise ValueError(f"{path}: expected numbers as ratings: {error}") from error
    _check_names(path, columns, len(matrix))
    matrix = matrix[[rows.index(name) for name in columns]]
    return [(path.stem, columns, _checked(path, matrix))]


def _read_npy(path: Path) -> list[tuple[str, list[str], np.ndarray]]:
    try:
        array = np.load(path, allow_pickle=False)
        matrices = array.astype(np.float64)
    except (OSError, EOFError, ValueError) as error:
        raise ValueError(f"{path}: expected an array of numbers, could not read it: {error}") from error
    if matrices.ndim not in (2, 3):
        raise ValueError(f"{path}: expected ratings of shape (n, n) or (n_listeners, n, n), got {array.shape}")
    names_path = path.with_suffix(".txt")
    if not names_path.is_file():
        raise FileNotFoundError(
            f"no such file: {names_path}; expected the names of the stimuli in {path} there, one a line"
        )
    names = [line.strip() for line in names_path.read_text(encoding="utf-8").splitlines() if line.strip()]
    single = matrices.ndim == 2
    _check_names(names_path, names, matrices.shape[-1])
    several = [matrices] if single else list(matrices)
    listeners = [path.stem if single else f"{path.stem}[{number}]" for number in range(len(several))]
    return [(listener, names, _checked(f"{path}: {listener}", each)) for listener, each in zip(listeners, several)]


def _check_names(where: Path, names: list[str], n_stimuli: int) -> None:
    if len(names) != n_stimuli:
        raise ValueError(f"{where}: expected {n_stimuli} names, one for each stimulus, got {len(names)}")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{where}: expected each stimulus once, got {twice[0]!r} several times")
    if n_stimuli < 4:
        raise ValueError(f"{where}: expected at least four stimuli, got {n_stimuli}")


def _checked(where: Path | str, matrix: np.ndarray) -> np.ndarray:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"{where}: expected a square matrix of ratings, got shape {matrix.shape}")
    if not np.isfinite(matrix).all():
        count = int((~np.isfinite(matrix)).sum())
        raise ValueError(f"{where}: expected a rating for every pair, got {count} that are missing or not finite")
    scale = float(np.abs(matrix).max()) or 1.0
    if np.abs(np.diagonal(matrix)).max() > 1e-6 * scale:
        raise ValueError(
            f"{where}: expected dissimilarities, zero on the diagonal, got {np.diagonal(matrix).max():g} there: "
            "subtract similarities from their maximum"
        )
    uneven = np.abs(matrix - matrix.T)
    if uneven.max() > 1e-6 * scale:
        row, column = np.unravel_index(int(np.argmax(uneven)), matrix.shape)
        raise ValueError(
            f"{where}: expected a symmetric matrix, got {matrix[row, column]:g} and {matrix[column, row]:g} for "
            f"stimuli {row + 1} and {column + 1}: average ratings of both orders"
        )
    if np.ptp(matrix[np.triu_indices(len(matrix), 1)]) == 0:
        raise ValueError(f"{where}: expected different ratings, got {matrix[0, 1]:g} for every pair")
    return (matrix + matrix.T) / 2
