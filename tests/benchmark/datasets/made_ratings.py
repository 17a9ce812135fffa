"""Small originals of the sets with listeners' ratings."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from tests.benchmark.datasets.originals import sound, tar_gz


def triangle(matrix: np.ndarray) -> bytes:
    """The upper triangle of a matrix, as timbremetrics stores it."""
    text = io.StringIO()
    np.savetxt(text, np.triu(matrix, 1))
    return text.getvalue().encode()


def timbre(path: Path, spaces: dict[str, np.ndarray]) -> Path:
    """timbremetrics' archive with a sound for each row of each space."""
    root = "timbremetrics-c611b3a/timbremetrics"
    files = {}
    for name, matrix in spaces.items():
        files[f"{root}/true_dissim/{name}_dissimilarity_matrix.txt"] = triangle(matrix)
        files |= {f"{root}/sounds/{name}/{letter}.aiff": sound(44100, "AIFF") for letter in "dcba"[: len(matrix)]}
    return tar_gz(path, files)


def groups(path: Path, names: list[str], by_judge: np.ndarray) -> Path:
    """The archive of the playing techniques, with ``(n_judges, n_sounds)`` groups; names are those of the set."""
    from scipy.io import savemat

    stored = io.BytesIO()
    savemat(stored, {"ci": by_judge.astype(np.uint8)})
    stems = [name.partition("__")[2].replace("TTbn_", "TTbn+").replace("Cs1", "C#1") for name in names]
    files = {f"x/demo/sounds/mp3/{stem}.mp3": sound(44100, "MP3") for stem in stems}
    return tar_gz(path, {**files, "x/code/xp2/judgments.mat": stored.getvalue(), "x/README.md": b""})


def singing(path: Path, names: list[str], matrices: list[np.ndarray]) -> Path:
    """The archive of sung notes, and next to it the raters' file: one rater a matrix, the sounds in reverse order."""
    import h5py

    files = {f"x/audio/{name[:2]}/lowPitch/{name}.mp3": sound(44100, "MP3") for name in names}
    with h5py.File(path.with_name("anon_perceptual_dissimilarity_data.hdf5"), "w") as file:
        file["dissim_matrix"] = np.stack([matrix[::-1, ::-1] for matrix in matrices])
        listed = [[f"{name}.mp3".encode() for name in reversed(names)]] * len(matrices)
        file.create_dataset(
            "rearrangedReferenceAudioNames", data=np.array(listed, dtype=object), dtype=h5py.string_dtype()
        )
    return tar_gz(path, {**files, "x/audio/.DS_Store": b"", "x/audio/f9/lowPitch/f9_not_rated_lowPitch_1.mp3": b"no"})
