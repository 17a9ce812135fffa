"""Channels to mono, at another sample rate, whole or piece by piece."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator

import numpy as np
import soxr
from numpy.typing import NDArray

from byola_hear.audio.source import AudioFileError, AudioFileWarning
from byola_hear.audio.waveforms import MAX_SAMPLE

#: Samples that the resampler gives at a time at most; a file of 1 Hz would have it give thousands for one.
_MOST_RESAMPLED = 1 << 20
#: Power of mono relative to that of the channels below which they have cancelled each other out: -30 dB.
_CANCELLED = 1e-3
#: Power of channels that are silent anyway: -60 dB of full scale.
_SILENT = 1e-6


def mean_of_channels(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average channels; NumPy's own mean takes 20 times as long for two.

    Args:
        samples: ``(n_samples, channels)``.

    Returns:
        ``(n_samples,)``; a view of a single channel.

    Example:
        >>> mean_of_channels(np.array([[1.0, 0.0], [0.5, 0.5]], np.float32)).tolist()
        [0.5, 0.5]
    """
    total = samples[:, 0]
    if samples.shape[1] > 1:
        with np.errstate(invalid="ignore", over="ignore"):
            total = total + samples[:, 1]
            for channel in range(2, samples.shape[1]):
                total += samples[:, channel]
            total *= np.float32(1 / samples.shape[1])
    return total


class Mixdown:
    """The mono sound of a file, checked as it comes.

    Args:
        path: the file, for messages.
        sample_rate: its rate, Hz.
    """

    def __init__(self, path: str, sample_rate: int) -> None:
        self.path, self.sample_rate = path, sample_rate
        # Power of the channels and of mono, summed up over samples.
        self._before = self._after = 0.0
        self._n_samples = 0

    def mono(self, pieces: Iterable[NDArray[np.float32]], position: int) -> Iterator[NDArray[np.float32]]:
        """Average the channels of pieces.

        Args:
            pieces: ``(n_samples, channels)`` each, n at least 1.
            position: of the first piece in the file, samples.

        Yields:
            ``(n_samples,)`` each.

        Raises:
            AudioFileError: if there are none, or samples are not finite or far from [-1, 1].
        """
        first = position
        for samples in pieces:
            mono = mean_of_channels(samples)
            # NaN is not less than anything.
            if not (mono.max() <= MAX_SAMPLE and mono.min() >= -MAX_SAMPLE):
                bad = int(np.argmin(np.abs(mono) <= MAX_SAMPLE))
                finite = bool(np.isfinite(samples[bad]).all())
                what = f"samples of {mono[bad]:g} where [-1, 1] is full scale" if finite else "NaN or infinite samples"
                seconds = (position + bad) / self.sample_rate
                raise AudioFileError(f"{self.path}: contains {what}, the first at {seconds:.3f} s")
            if samples.shape[1] > 1:
                flat = samples.reshape(-1)
                self._before += float(np.dot(flat, flat)) / samples.shape[1]
                self._after += float(np.dot(mono, mono))
                self._n_samples += len(mono)
            position += len(samples)
            yield mono
        if position == first == 0:
            raise AudioFileError(f"{self.path}: contains no samples")

    def warn_if_cancelled(self) -> None:
        """Warn if the channels are loud, but their mean is not: one of two is the other upside down."""
        if self._after < _CANCELLED * self._before and self._before > _SILENT * self._n_samples:
            loss = "silent" if self._after == 0 else f"{10 * np.log10(self._before / self._after):.0f} dB quieter"
            warnings.warn(
                f"{self.path}: the channels cancel each other out, their mean is {loss}; the embedding is that of "
                "(near) silence",
                AudioFileWarning,
                stacklevel=2,
            )


def at_rate(
    pieces: Iterable[NDArray[np.float32]], rate: int, wanted: int, path: str = "the waveform", is_part: bool = False
) -> Iterator[NDArray[np.float32]]:
    """Convert the rate of mono pieces (soxr, "HQ").

    Args:
        pieces: ``(n_samples,)`` each, at least one sample altogether.
        rate: their rate, Hz.
        wanted: the new rate, Hz.
        path: what to call it in messages.
        is_part: whether other samples come before. If not, there is at least one sample at the new rate too: the mean.

    Yields:
        ``(n_samples,)`` each.

    Raises:
        AudioFileError: if the rates are too different.
    """
    if rate == wanted:
        yield from pieces
        return
    try:
        resampler = soxr.ResampleStream(rate, wanted, 1, dtype="float32", quality="HQ")
    except (ValueError, RuntimeError) as error:
        raise AudioFileError(f"{path}: its rate of {rate} Hz can't be converted to {wanted} Hz ({error})") from error
    at_once = max(1, _MOST_RESAMPLED * rate // wanted)
    n_out = 0
    piece = np.zeros(0, np.float32)
    for piece in pieces:
        for begin in range(0, len(piece), at_once):
            resampled = resampler.resample_chunk(piece[begin : begin + at_once])
            n_out += len(resampled)
            yield resampled
    rest = resampler.resample_chunk(piece[:0], last=True)
    yield rest if n_out + len(rest) or is_part else piece.mean(keepdims=True)
