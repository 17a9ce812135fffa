"""Decode formats that libsndfile does not read, by the program ffmpeg or the package PyAV."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from byola_hear.audio import ffmpeg
from byola_hear.audio.formats.content import Content, content_of
from byola_hear.audio.source import AudioFileError
from byola_hear.pretraining.corpora.sounds.sound import DecoderMissing, Samples, SoundError

#: ffmpeg's name of the format of files without a header, by the ending of the file. All are mono.
_HEADERLESS = {".g722": "g722"}
#: Sample rate that PyAV converts to, in Hz.
_RATE = 16000


def decode(path: Path) -> Samples:
    """Decode a whole file.

    Args:
        path: a file in any format that ffmpeg reads.

    Returns:
        ``(n_samples, channels)`` or ``(n_samples,)`` float32, and the rate in Hz.

    Raises:
        DecoderMissing: if neither the program ffmpeg nor the package PyAV is installed.
        SoundError: if the file can't be decoded or is empty.
    """
    form = _HEADERLESS.get(path.suffix.lower())
    if not ffmpeg.available():
        data = _by_package(path, form)
        samples: NDArray[np.float32] = np.frombuffer(data, np.dtype("<i2")).astype(np.float32) / 32768.0
        rate = _RATE
    else:
        try:
            content = Content(path.stat().st_size) if form else content_of(str(path))
            with closing(ffmpeg.FfmpegSource(str(path), content, form)) as source:
                samples, rate = np.concatenate([*source.pieces()] or [np.zeros(0, np.float32)]), source.sample_rate
        except (AudioFileError, OSError) as error:
            raise SoundError(str(error).replace(str(path), path.name)) from None
    if not len(samples):
        raise SoundError(f"{path.name}: no samples")
    return samples, rate


def _by_package(path: Path, form: str | None) -> bytes:
    """Decode a file with PyAV to 16-bit mono samples at 16 kHz."""
    try:
        import av
    except ImportError:
        raise DecoderMissing(
            f"{path.name}: {path.suffix} needs the program ffmpeg or the package PyAV (pip install av)"
        ) from None
    resampler = av.AudioResampler(format="s16", layout="mono", rate=_RATE)
    blocks: list[bytes] = []
    try:
        with av.open(str(path), format=form) as container:
            for frame in container.decode(audio=0):
                blocks += [part.to_ndarray().astype("<i2").tobytes() for part in resampler.resample(frame)]
            if blocks:
                blocks += [part.to_ndarray().astype("<i2").tobytes() for part in resampler.resample(None)]
    except (av.error.FFmpegError, IndexError) as error:
        raise SoundError(f"{path.name}: {error}") from None
    return b"".join(blocks)
