"""Formats that libsndfile does not read, by ffmpeg: the program where it is installed, else the package PyAV."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np

from byola_hear.pretraining.corpora.sounds.sound import DecoderMissing, Samples, SoundError

#: Files without a header, by the end of their name: ffmpeg's name of the format. All are mono.
_HEADERLESS = {".g722": "g722"}
#: What everything is converted to on the way, Hz.
_RATE = 16000


def decode(path: Path) -> Samples:
    """Decode a whole file.

    Args:
        path: any file that ffmpeg reads.

    Returns:
        ``(n_samples,)`` float32, mono, and 16000 Hz.

    Raises:
        DecoderMissing: if neither the program ffmpeg nor the package PyAV is there.
        SoundError: if the file cannot be decoded or holds nothing.
    """
    form = _HEADERLESS.get(path.suffix.lower())
    program = shutil.which("ffmpeg")
    data = _by_program(program, path, form) if program else _by_package(path, form)
    if not data:
        raise SoundError(f"{path.name}: no samples")
    return np.frombuffer(data, np.dtype("<i2")).astype(np.float32) / 32768.0, _RATE


def _by_program(program: str, path: Path, form: str | None) -> bytes:
    given = ["-f", form, "-i", str(path)] if form else ["-i", str(path)]
    wanted = ["-f", "s16le", "-ac", "1", "-ar", str(_RATE), "-"]
    done = subprocess.run([program, "-v", "error", "-nostdin", *given, *wanted], capture_output=True)
    if done.returncode != 0:
        said = " ".join(done.stderr.decode("utf-8", "replace").split())
        raise SoundError(f"{path.name}: {said or 'ffmpeg failed'}")
    return done.stdout


def _by_package(path: Path, form: str | None) -> bytes:
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
