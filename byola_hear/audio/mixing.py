"""Mixing to mono and resampling, piece by piece."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator

import numpy as np
import soxr
from numpy.typing import NDArray

from byola_hear.audio.source import AudioFileError, AudioFileWarning
from byola_hear.audio.waveforms import MAX_SAMPLE

#: Samples that the resampler returns at a time, at most. From a file of 1 Hz, it makes thousands of each.
_MOST_RESAMPLED = 1 << 20
#: Samples of a piece from which power is measured, at most; in longer pieces they are evenly spaced.
_MEASURED = 8192
#: Power of the mixdown relative to the channels below which these cancel each other out: -30 dB.
_CANCELLED = 1e-3
#: Power below which channels count as silent: -60 dB of full scale.
_SILENT = 1e-6


def mean_of_channels(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average channels, 20 times as fast as NumPy's mean for two of them.

    Args:
        samples: ``(n_samples, channels)``.

    Returns:
        ``(n_samples,)``; a view if there is one channel.

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
    """Mixes the pieces of a file to mono and checks them.

    Args:
        path: the file, for messages.
        sample_rate: its rate, Hz.
    """

    def __init__(self, path: str, sample_rate: int) -> None:
        self.path, self.sample_rate = path, sample_rate
        # Sums of the power of the channels and of the mixdown.
        self._before = self._after = 0.0
        self._n_samples = 0

    def mono(self, pieces: Iterable[NDArray[np.float32]], position: int) -> Iterator[NDArray[np.float32]]:
        """Average the channels of pieces.

        Args:
            pieces: ``(n_samples, channels)`` each, n at least 1.
            position: sample of the file at which the first piece begins.

        Yields:
            ``(n_samples,)`` each.

        Raises:
            AudioFileError: if there are no samples, or some are not finite or far from [-1, 1].
        """
        first = position
        for samples in pieces:
            mono = mean_of_channels(samples)
            # Comparisons with NaN are false.
            if not (mono.max() <= MAX_SAMPLE and mono.min() >= -MAX_SAMPLE):
                bad = int(np.argmin(np.abs(mono) <= MAX_SAMPLE))
                finite = bool(np.isfinite(samples[bad]).all())
                what = f"samples of {mono[bad]:g} where [-1, 1] is full scale" if finite else "NaN or infinite samples"
                seconds = (position + bad) / self.sample_rate
                raise AudioFileError(f"{self.path}: contains {what}, the first at {seconds:.3f} s")
            if samples.shape[1] > 1:
                step = -(-len(mono) // _MEASURED)
                before, after = samples[::step].reshape(-1), mono[::step]
                self._before += float(np.dot(before, before)) / samples.shape[1]
                self._after += float(np.dot(after, after))
                self._n_samples += len(after)
            position += len(samples)
            yield mono
        if position == first == 0:
            raise AudioFileError(f"{self.path}: contains no samples")

    def warn_if_cancelled(self) -> None:
        """Warn if the channels are loud, but their mean is not, as when one of two channels is inverted."""
        if self._after < _CANCELLED * self._before and self._before > _SILENT * self._n_samples:
            loss = (
                "silence"
                if self._after == 0
                else f"{10 * np.log10(self._before / self._after):.0f} dB quieter than they are"
            )
            warnings.warn(
                f"{self.path}: the channels cancel each other out: their mean, which is embedded, is {loss}",
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
        path: the name used in messages.
        is_part: whether other samples come before these. If not, there is at least one output sample, the mean.

    Yields:
        ``(n_samples,)`` each.

    Raises:
        AudioFileError: if the ratio of the rates is not supported.
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
