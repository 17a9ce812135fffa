"""Short previews of clips, small enough to embed in a page."""

from __future__ import annotations

import base64
import io

import soundfile

from byola_hear.audio.reading import read_audio

#: Sample rate of a preview in Hz, that of the networks.
SAMPLE_RATE = 16000
#: Compression level of libsndfile for MP3: about 3.5 kB per second of mono.
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
    samples = read_audio(file, SAMPLE_RATE, start, min(end, start + seconds))
    stream = io.BytesIO()
    soundfile.write(stream, samples, SAMPLE_RATE, format="MP3", compression_level=_COMPRESSION)
    return "data:audio/mpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
