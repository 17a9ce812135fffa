"""Labelled audio sets: a tar of clips with a manifest, decoded once and kept as int16 samples.

A set NAME is a tar that holds ``NAME/manifest.csv`` (a column ``file``, and columns of labels, groups, splits) and
``NAME/audio/FILE`` for each row. Nothing is ever unpacked to disk under a name that the tar chose.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
import soxr
from tqdm import tqdm

#: Environment variable that names the folder of tars.
AUDIO_VARIABLE = "BYOLA_BENCHMARK_AUDIO"

#: Environment variable that names the folder for decoded audio and embeddings.
CACHE_VARIABLE = "BYOLA_BENCHMARK_CACHE"

#: Hz, of every task that is built here: the networks' rate, and that of the clips that tasks are made of.
SAMPLE_RATE = 16000

_SAFE_NAME = re.compile(r"[^/\\\x00-\x1f]+")


def audio_folder(folder: str | Path | None = None) -> Path:
    """The folder of labelled tars: the one given, else the environment variable's, else ``../shared/audio/tasks``
    beside the checkout.

    Raises:
        FileNotFoundError: if there is none, saying how to get it.
    """
    given = folder or os.environ.get(AUDIO_VARIABLE)
    path = Path(given) if given else Path(__file__).resolve().parents[3] / "shared" / "audio" / "tasks"
    if not path.is_dir() or not any(path.glob("*.tar")):
        raise FileNotFoundError(
            f"expected a folder of labelled audio tars (NAME.tar with NAME/manifest.csv and NAME/audio/), none at "
            f"{path}: name one, or set {AUDIO_VARIABLE}; `python -m benchmark fetch all -o FOLDER` gets them"
        )
    return path


def cache_folder(folder: str | Path | None = None) -> Path:
    """The folder for decoded audio and embeddings: the one given, else the environment variable's, else one under
    the user's own cache folder. Made if need be; safe to delete at any time."""
    given = folder or os.environ.get(CACHE_VARIABLE)
    user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    path = Path(given) if given else user / "byola-hear-benchmark"
    path.mkdir(parents=True, exist_ok=True)
    return path


def use_cache(folder: Path | None) -> Path:
    """The cache folder, and from here on that of all that builds tasks or fetches weights, in child processes too.

    Args:
        folder: the one asked for; see :func:`cache_folder`.
    """
    path = cache_folder(folder).resolve()
    os.environ[CACHE_VARIABLE] = str(path)
    return path


def file_hash(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else _hash(file)


def _hash(file: io.BufferedReader) -> str:
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


@dataclass(frozen=True)
class LabelledSet:
    """A set of labelled clips.

    Attributes:
        name: the set's name.
        sha256: hash of the tar, hexadecimal.
        manifest: one row a clip, all columns text.
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
    """The manifest and the bytes of each row's file, in the manifest's order."""
    name = path.stem
    contents: dict[str, bytes] = {}
    manifest_bytes = None
    with tarfile.open(path, "r:") as tar:
        for member in tar:
            if member.isdir():
                continue
            parts = member.name.split("/")
            inside = parts[0] == name and all(_SAFE_NAME.fullmatch(p) and p not in (".", "..") for p in parts)
            is_manifest, is_audio = parts[1:] == ["manifest.csv"], len(parts) == 3 and parts[1] == "audio"
            if not member.isreg() or not inside or not (is_manifest or is_audio):
                raise ValueError(
                    f"{path}: expected only {name}/manifest.csv and files {name}/audio/FILE, found {member.name!r}"
                )
            extracted = tar.extractfile(member)
            data = extracted.read() if extracted else b""
            if is_manifest:
                manifest_bytes = data
            else:
                contents[parts[2]] = data
    if manifest_bytes is None:
        raise ValueError(f"{path}: expected {name}/manifest.csv in it, found none")
    # Text throughout: a label "NA" or "01" is not a missing value or a number.
    manifest = pd.read_csv(io.BytesIO(manifest_bytes), dtype=str, keep_default_na=False)
    if "file" not in manifest.columns or not len(manifest):
        raise ValueError(f"{path}: expected a manifest of at least one row with a column 'file'")
    missing = [file for file in manifest["file"] if file not in contents]
    if missing:
        raise ValueError(f"{path}: the manifest names {len(missing)} files that are not there, as {missing[0]!r}")
    if manifest["file"].duplicated().any():
        raise ValueError(
            f"{path}: the manifest names {manifest['file'][manifest['file'].duplicated()].iloc[0]!r} twice"
        )
    return manifest, [contents[file] for file in manifest["file"]]


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


def _decode(data: bytes) -> tuple[np.ndarray, int]:
    samples, rate = soundfile.read(io.BytesIO(data), dtype="int16", always_2d=True)
    mono = samples[:, 0] if samples.shape[1] == 1 else samples.astype(np.float32).mean(1).astype(np.int16)
    return mono, rate


def load_set(path: str | Path, cache: str | Path | None = None, progress: bool = False) -> LabelledSet:
    """Read a labelled set; decode it the first time and keep the samples in the cache.

    Args:
        path: the set's tar, ``FOLDER/NAME.tar``.
        cache: the cache folder (see :func:`cache_folder`).
        progress: show a bar on stderr while decoding.

    Returns:
        The set; its samples are mapped from the cache, not held in memory.

    Raises:
        FileNotFoundError: if there is no such tar.
        ValueError: if the tar isn't of the form described, or a clip can't be decoded or is empty.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"expected a labelled set at {path}, found no such file")
    sha256 = file_hash(path)
    folder = cache_folder(cache) / "audio" / f"{path.stem}-{sha256[:16]}"
    if not (folder / "set.json").is_file():
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
    try:
        manifest, contents = _read_tar(path)
    except tarfile.TarError as error:
        raise ValueError(f"{path}: expected a tar, could not read it: {error}") from error
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        offsets, rates = [0], set()
        with open(temporary / "samples.int16", "wb") as out, ThreadPoolExecutor(os.cpu_count()) as pool:
            decoded = pool.map(_decode_named, contents, manifest["file"], [path] * len(contents))
            bar = tqdm(decoded, f"decode {path.stem}", len(contents), unit="clip", disable=not progress, leave=False)
            for samples, rate in bar:
                out.write(samples.tobytes())
                offsets.append(offsets[-1] + len(samples))
                rates.add(rate)
        if len(rates) != 1:
            raise ValueError(f"{path}: expected clips of one sample rate, found {sorted(rates)} Hz")
        np.save(temporary / "offsets.npy", np.array(offsets))
        manifest.to_csv(temporary / "manifest.csv", index=False)
        (temporary / "set.json").write_text(json.dumps({"sample_rate": rates.pop()}))
        if not folder.exists():
            os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _decode_named(data: bytes, file: str, path: Path) -> tuple[np.ndarray, int]:
    try:
        samples, rate = _decode(data)
    except soundfile.LibsndfileError as error:
        raise ValueError(f"{path}: could not decode {file!r}: {error}") from error
    if not len(samples):
        raise ValueError(f"{path}: expected at least one sample in {file!r}, found none")
    return samples, rate
