"""Write labelled sets for :func:`benchmark.datasets.labelled_set.load_set`.

A set is ``NAME.tar`` with ``NAME/manifest.csv`` and ``NAME/audio/*.flac``, 16 kHz mono.
"""

from __future__ import annotations

import csv
import io
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from tqdm import tqdm

from benchmark.datasets.decoding import decoded, to_int16
from benchmark.datasets.labelled_set import SAMPLE_RATE
from byola_hear.utils.files import replacing
from byola_hear.utils.text import quantity


@dataclass(frozen=True)
class OriginalClip:
    """A clip of an original collection.

    Attributes:
        name: its name in the set, without suffix.
        content: its file as published, in any format that :mod:`byola_hear.audio` reads.
        columns: its columns in the manifest, except file and duration.
    """

    name: str
    content: bytes
    columns: dict[str, str]


def decode(clip: OriginalClip, longest_s: float | None = None) -> np.ndarray:
    """A clip at 16 kHz.

    Args:
        clip: the clip.
        longest_s: seconds after which it is cut; None for no limit.

    Returns:
        ``(n_samples,)`` int16, the mean of the channels.

    Raises:
        ValueError: if it can't be decoded or is empty.
    """
    samples = decoded(clip.content, clip.name).at(SAMPLE_RATE, "VHQ")
    if longest_s is not None:
        samples = samples[: round(longest_s * SAMPLE_RATE)]
    return to_int16(samples)


def write_set(
    path: Path,
    clips: Iterable[OriginalClip],
    columns: Sequence[str],
    order: Iterable[str] | None = None,
    longest_s: float | None = None,
    progress: bool = False,
    further: Mapping[str, bytes] | None = None,
) -> int:
    """Write a labelled set, all of it or nothing. The same clips give the same bytes.

    Args:
        path: ``FOLDER/NAME.tar``; the folder is created if necessary.
        clips: the clips, in any order.
        columns: the manifest's columns in order, including ``file`` and ``duration_s``.
        order: names of the clips in the manifest's order, all of which must be among ``clips``; if None, all clips
            in the order of their names.
        longest_s: seconds after which a clip is cut; None for no limit.
        progress: show a bar on stderr if that is a terminal.
        further: contents of further files by name in ``NAME/``, such as listeners' ratings.

    Returns:
        Number of clips.

    Raises:
        ValueError: if a clip is missing, comes twice or can't be decoded, or if there are no clips. Nothing is written
            in that case.
    """
    expected = None if order is None else dict.fromkeys(order)
    rows: dict[str, dict[str, str]] = {}
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        total = None if expected is None else len(expected)
        shown = None if progress else True  # None: where stderr is a terminal
        for clip in tqdm(clips, f"write {path.stem}", total, unit="clip", disable=shown, leave=False):
            if clip.name in rows:
                raise ValueError(f"{path.stem}: the original holds {clip.name!r} twice")
            samples = decode(clip, longest_s)
            _add(tar, f"{path.stem}/audio/{clip.name}.flac", _flac(samples))
            duration = f"{len(samples) / SAMPLE_RATE:.4f}"
            rows[clip.name] = {"file": f"{clip.name}.flac", "duration_s": duration, **clip.columns}
        names = sorted(rows) if expected is None else list(expected)
        missing = [name for name in names if name not in rows]
        if missing or not rows:
            what = f"{quantity(len(missing), 'clip')}, such as {missing[0]!r}" if missing else "all clips"
            raise ValueError(f"{path.stem}: the original lacks {what}; check that it is the right archive")
        manifest = io.StringIO(newline="")
        writer = csv.DictWriter(manifest, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows[name] for name in names)
        _add(tar, f"{path.stem}/manifest.csv", manifest.getvalue().encode())
        for name, content in sorted((further or {}).items()):
            _add(tar, f"{path.stem}/{name}", content)
    return len(rows)


def _flac(samples: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """Add a file without times and owners, which would make the bytes differ."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    info.mode = 0o644
    tar.addfile(info, io.BytesIO(content))
