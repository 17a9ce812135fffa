"""The sounds that a search looks for: found, cut into windows, embedded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from byola_hear.audio.reading import AudioFileError, read_audio
from byola_hear.dataframe import embed
from byola_hear.extraction.clips import Clip, find_clips
from byola_hear.models.model import ByolaModel
from byola_hear.utils.files import PathLike, check_no_content

#: A query whose largest sample is below this is silent: half a step of 16 bits.
_SILENT = 2.0**-16
#: Types of a single sound.
ONE = (str, bytes, os.PathLike, Clip)
Sounds = PathLike | Clip | Iterable[PathLike | Clip]


def clips_of(sounds: Sounds, what: str) -> list[Clip]:
    """Find the clips that sounds name.

    Args:
        sounds: files, folders, patterns or clips.
        what: what they are, for messages.

    Returns:
        At least one clip.

    Raises:
        FileNotFoundError: if one does not exist.
        TypeError: if one is something else.
        ValueError: if there are none.
    """
    check_no_content(sounds, f"a {what} as a path or a clip")
    several = [sounds] if isinstance(sounds, ONE) else list(sounds)
    clips: list[Clip] = []
    for each in several:
        check_no_content(each, f"a {what} as a path or a clip")
        if not isinstance(each, ONE):
            raise TypeError(f"expected a {what} as a path or a clip, got {type(each).__name__}")
        clips += [each] if isinstance(each, Clip) else find_clips([each])
    if not clips:
        raise ValueError(f"expected at least one {what}, got none")
    return clips


def segment_of(clips: list[Clip], start: float | None, end: float | None) -> list[Clip]:
    """Cut the only clip.

    Args:
        clips: the clips of a query.
        start: where the segment begins in the file, s; None for the clip's own start.
        end: where it ends, s; None for the clip's own end.

    Returns:
        The segment, or all clips if there is nothing to cut.

    Raises:
        ValueError: if there is something to cut and more than one clip.
    """
    if start is None and end is None:
        return clips
    if len(clips) > 1:
        raise ValueError(f"start and end are for one query, got {len(clips)}")
    (clip,) = clips
    return [replace(clip, start=clip.start if start is None else start, end=clip.end if end is None else end)]


def embedded(clips: Sequence[Clip], network: ByolaModel, window: float | None) -> NDArray[np.float32]:
    """Embed sounds, each in windows if it is longer than one. Silent windows are left out.

    Args:
        clips: the sounds.
        network: the network.
        window: length of a window, s; None for whole sounds.

    Returns:
        ``(n, scene_embedding_size)``.

    Raises:
        AudioFileError: if a sound can't be read, is silent, or is shorter than a frame of the network.
    """
    rate = network.sample_rate
    stride, hop = network.config.encoder.stride, network.config.frontend.hop_length
    sounds: list[NDArray[np.float32]] = []
    for clip in clips:
        samples = read_audio(clip.file, rate, clip.start, clip.end)
        if len(samples) < stride * hop:
            raise AudioFileError(
                f"{clip.file}: expected a query of at least {stride * hop / rate:g} s, got {len(samples) / rate:.3f} s"
            )
        length = len(samples) if window is None else round(window * rate)
        audible = [piece for piece in windows(samples, length) if is_heard(piece)]
        if not audible:
            raise AudioFileError(f"{clip.file}: the query is silent")
        sounds += audible
    return embed(sounds, network, sample_rate=rate, output="numpy")


def windows(samples: NDArray[np.float32], length: int) -> Iterator[NDArray[np.float32]]:
    """Windows of a length that cover the samples at equal distances; all samples if they are fewer."""
    count = -(-len(samples) // length)
    for first in np.linspace(0, max(0, len(samples) - length), count).round().astype(int):
        yield samples[first : first + length]


def is_heard(samples: NDArray[np.float32]) -> bool:
    """Whether samples ``(n,)`` differ from their mean by half a step of 16 bits or more."""
    return float(np.abs(samples - samples.mean()).max()) >= _SILENT
