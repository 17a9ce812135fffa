"""Short sounds, small enough to embed in a page."""

from __future__ import annotations

import base64
import io
from contextlib import closing
from typing import NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

from byola_hear.audio.reading import END_TOLERANCE_S, AudioFileError, open_source, read_audio, read_blocks

#: Sample rate of a preview in Hz, that of the networks.
SAMPLE_RATE = 16000
#: Sample rates of MP3 up to the highest that a page has, Hz. Higher ones need half as much space again.
_RATES = (8000, 11025, 12000, 16000, 22050, 24000)
#: Compression level of libsndfile for MP3: about 3 kB per second of mono.
_COMPRESSION = 0.9


def preview(file: str, start: float, end: float, seconds: float) -> str:
    """Encode the beginning of a clip as a ``data:`` URI of an MP3 file, which every browser plays.

    Args:
        file: an audio file.
        start: start of the clip in the file, in seconds.
        end: end of the clip in the file, in seconds.
        seconds: longest duration of the preview, in seconds.

    Returns:
        ``data:audio/mpeg;base64,…``.

    Raises:
        ValueError: (``AudioFileError``) if the file can't be read.
        OSError: if it is not there.
    """
    return encoded(read_audio(file, SAMPLE_RATE, start, min(end, start + seconds)), SAMPLE_RATE)


class Sound(NamedTuple):
    """A sound in a page, a part of a recording.

    Attributes:
        uri: a ``data:`` URI.
        begin: where it begins in the recording, s.
        seconds: its duration.
        rate: its sample rate, Hz.
    """

    uri: str
    begin: float
    seconds: float
    rate: int


def with_context(file: str, start: float, end: float, context: float) -> Sound:
    """Encode a window of a recording with what is heard before and after it.

    Args:
        file: an audio file.
        start: start of the window, in seconds.
        end: end of the window, in seconds.
        context: seconds before and after it; fewer at the beginning and the end of the recording.

    Returns:
        The sound, an MP3 file.

    Raises:
        ValueError: (``AudioFileError``) if the file can't be read, or ends before the window does.
        OSError: if it is not there.
    """
    with closing(open_source(file)) as source:
        rate = max((rate for rate in _RATES if rate <= source.sample_rate), default=_RATES[0])
    begin = max(start - context, 0.0)
    # In one block of the rest of the file: the end need not be known.
    samples = next(read_blocks(file, rate, max(end + context - begin, 1 / rate), begin))
    if (stop := begin + len(samples) / rate) < end - END_TOLERANCE_S:
        raise AudioFileError(f"{file}: the window from {start:g} s ends at {end:g} s, the file at {stop:.3f} s")
    return Sound(encoded(samples, rate), begin, len(samples) / rate, rate)


def encoded(samples: NDArray[np.float32], sample_rate: int) -> str:
    """Encode mono samples as a ``data:`` URI of an MP3 file. Browsers play and decode it without a gap before it."""
    stream = io.BytesIO()
    soundfile.write(stream, samples, sample_rate, format="MP3", compression_level=_COMPRESSION)
    return "data:audio/mpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
