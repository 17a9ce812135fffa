"""Labelled audio sets: a tar of clips with a manifest, decoded once and kept as int16 samples.

The tar of a set NAME holds ``NAME/manifest.csv``, with a column ``file`` and columns of labels, groups and splits, and
``NAME/audio/FILE`` for each row. It is never unpacked to disk.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import soxr
from tqdm import tqdm

from benchmark.datasets.decoding import Decoded, decoded, to_int16
from byola_hear.utils.files import file_hash, naming
from byola_hear.utils.text import one_line, quantity
from byola_hear.utils.unpack import read_members

#: Environment variable that names the folder of tars.
AUDIO_VARIABLE = "BYOLA_BENCHMARK_AUDIO"

#: Environment variable that names the folder for decoded audio and embeddings.
CACHE_VARIABLE = "BYOLA_BENCHMARK_CACHE"

#: Sample rate of all tasks that are built here, Hz.
SAMPLE_RATE = 16000


def audio_folder(folder: str | Path | None = None) -> Path:
    """The folder of labelled sets.

    Args:
        folder: the folder; that of the environment variable ``BYOLA_BENCHMARK_AUDIO`` if None.

    Returns:
        The folder; at least one set is in it.

    Raises:
        FileNotFoundError: if no folder is named, or there are no sets in it. The message says how to get them.
    """
    given = folder or os.environ.get(AUDIO_VARIABLE)
    if given and any(Path(given).glob("*.tar")):
        return Path(given)
    found = f"found no NAME.tar in {given}" if given else "got none"
    raise FileNotFoundError(
        f"expected a folder of labelled sets, {found}; build the sets with `python -m benchmark fetch all -o FOLDER` "
        f"and name the folder by an option or in {AUDIO_VARIABLE}"
    )


def cache_folder(folder: str | Path | None = None) -> Path:
    """The folder for decoded audio and embeddings. It is created if necessary and safe to delete at any time.

    Args:
        folder: the folder; if None, that of the environment variable ``BYOLA_BENCHMARK_CACHE``, else one in the
            user's cache folder.
    """
    given = folder or os.environ.get(CACHE_VARIABLE)
    user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    path = Path(given) if given else user / "byola-hear-benchmark"
    path.mkdir(parents=True, exist_ok=True)
    return path


def use_cache(folder: Path | None) -> Path:
    """Make a folder the cache folder of this process and its children.

    Args:
        folder: see :func:`cache_folder`.

    Returns:
        The folder.
    """
    path = cache_folder(folder).resolve()
    os.environ[CACHE_VARIABLE] = str(path)
    return path


@dataclass(frozen=True)
class LabelledSet:
    """A set of labelled clips.

    Attributes:
        name: the set's name.
        sha256: hash of the tar, hexadecimal.
        manifest: one row for each clip; all columns are text.
        samples: all clips one after the other, int16.
        offsets: ``(n_clips + 1,)``, where each clip starts in ``samples``.
        sample_rate: Hz.
    """

    name: str
    sha256: str
    manifest: pd.DataFrame
    samples: np.ndarray
    offsets: np.ndarray
    sample_rate: int

    def __len__(self) -> int:
        return len(self.manifest)

    @cached_property
    def lengths(self) -> np.ndarray:
        """``(n_clips,)`` samples in each clip."""
        return np.diff(self.offsets)

    def clip(self, index: int, sample_rate: int | None = None) -> np.ndarray:
        """One clip, ``(n_samples,)`` float32 in [-1, 1), at ``sample_rate`` (the set's own if None)."""
        samples = self.samples[self.offsets[index] : self.offsets[index + 1]].astype(np.float32) / 32768
        if sample_rate in (None, self.sample_rate):
            return samples
        resampled = soxr.resample(samples, self.sample_rate, sample_rate)
        # A clip of a sample or two may resample to none.
        return resampled if len(resampled) else samples[:1]


def _read_tar(path: Path) -> tuple[pd.DataFrame, list[bytes]]:
    """The manifest, and the content of each row's file in the same order."""
    name = path.stem
    contents = dict(read_members(path, lambda member: True))
    expected = re.compile(rf"{re.escape(name)}/(manifest\.csv|audio/[^/]+)")
    stray = [member for member in contents if not expected.fullmatch(member)]
    if stray:
        raise ValueError(f"{path}: expected only {name}/manifest.csv and files {name}/audio/FILE, found {stray[0]!r}")
    manifest = _manifest_of(path, contents.pop(f"{name}/manifest.csv", None))
    contents = {member.rpartition("/")[2]: content for member, content in contents.items()}
    missing = [file for file in manifest["file"] if file not in contents]
    if missing:
        raise ValueError(
            f"{path}: the tar lacks {quantity(len(missing), 'file')} that the manifest names, such as {missing[0]!r}"
        )
    if manifest["file"].duplicated().any():
        raise ValueError(
            f"{path}: the manifest names {manifest['file'][manifest['file'].duplicated()].iloc[0]!r} twice"
        )
    return manifest, [contents[file] for file in manifest["file"]]


def read_manifest(path: Path) -> pd.DataFrame:
    """A set's manifest, all columns text; no clip is read.

    Args:
        path: the set's tar.

    Raises:
        ValueError: if there is no manifest in the tar, or one without files.
    """
    found = dict(read_members(path, lambda member: member == f"{path.stem}/manifest.csv"))
    return _manifest_of(path, found.get(f"{path.stem}/manifest.csv"))


def _manifest_of(path: Path, content: bytes | None) -> pd.DataFrame:
    if content is None:
        raise ValueError(f"{path}: expected {path.stem}/manifest.csv in it, found none")
    # Text throughout: a label "NA" or "01" is not a missing value or a number.
    try:
        manifest = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
    except ValueError as error:  # also those of pandas
        raise ValueError(f"{path}: expected a manifest of comma-separated UTF-8 text: {one_line(error)}") from error
    if "file" not in manifest.columns or not len(manifest):
        raise ValueError(f"{path}: expected a manifest of at least one row with a column 'file'")
    return manifest


def column(labelled: LabelledSet, name: str) -> np.ndarray:
    """``(n_clips,)`` texts of a column of a set's manifest.

    Raises:
        ValueError: if there is no such column.
    """
    if name not in labelled.manifest.columns:
        found = ", ".join(labelled.manifest.columns)
        raise ValueError(f"{labelled.name}: expected a column {name!r} in the manifest, found {found}")
    values: np.ndarray = labelled.manifest[name].to_numpy(str)
    return values


def kept_samples(sound: Decoded) -> np.ndarray:
    """The samples that are kept, ``(n_samples,)`` int16."""
    if sound.codec == "OPUS":
        # As libsndfile itself reads Opus as 16 bits: 32767 is full scale, and what exceeds it wraps around. Published
        # scores were measured on such samples, and a task is known by a hash of its samples.
        return np.rint(sound.samples * np.float32(32767)).astype(np.int32).astype(np.int16)
    return to_int16(sound.samples)


def load_set(path: str | Path, cache: str | Path | None = None, progress: bool = False) -> LabelledSet:
    """Read a labelled set. It is decoded the first time; later calls find the samples in the cache.

    Args:
        path: the set's tar, ``FOLDER/NAME.tar``.
        cache: the cache folder (see :func:`cache_folder`).
        progress: show a bar on stderr while decoding.

    Returns:
        The set. Its samples are mapped from the cache, not held in memory.

    Raises:
        FileNotFoundError: if there is no such tar.
        ValueError: if the tar does not have the form above, or a clip can't be decoded or is empty.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"expected a labelled set at {path}, found no file")
    sha256 = file_hash(path)
    folder = cache_folder(cache) / "audio" / f"{path.stem}-{sha256[:16]}"
    if not (folder / "set.json").is_file():
        with naming(folder):
            _decode_into(path, folder, progress)
    description = json.loads((folder / "set.json").read_text())
    return LabelledSet(
        path.stem,
        sha256,
        pd.read_csv(folder / "manifest.csv", dtype=str, keep_default_na=False),
        np.memmap(folder / "samples.int16", dtype=np.int16, mode="r"),
        np.load(folder / "offsets.npy"),
        description["sample_rate"],
    )


def _decode_into(path: Path, folder: Path, progress: bool) -> None:
    manifest, contents = _read_tar(path)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        offsets, rates = [0], set()
        with open(temporary / "samples.int16", "wb") as out, ThreadPoolExecutor(os.cpu_count()) as pool:
            clips = pool.map(decoded, contents, [f"{path}: {file}" for file in manifest["file"]])
            bar = tqdm(clips, f"decode {path.stem}", len(contents), unit="clip", disable=not progress, leave=False)
            for sound in bar:
                out.write(kept_samples(sound).tobytes())
                offsets.append(offsets[-1] + len(sound.samples))
                rates.add(sound.sample_rate)
        if len(rates) != 1:
            raise ValueError(f"{path}: expected clips of one sample rate, found {sorted(rates)} Hz")
        np.save(temporary / "offsets.npy", np.array(offsets))
        manifest.to_csv(temporary / "manifest.csv", index=False)
        (temporary / "set.json").write_text(json.dumps({"sample_rate": rates.pop()}))
        if not folder.exists():
            os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
