"""The recordings in a Festival diphone voice.

A voice is a file of units, each from the middle of one phone to the middle of the next. A unit is stored as the
residual of its linear prediction (8-bit mu-law) and the predictor's coefficients around each pitch mark. Filtering the
residual with the coefficients gives back the recording; nothing is spoken anew.

Source:
    Black, Taylor, Caley: The Festival Speech Synthesis System, "UniSyn synthesizer" (grouped diphone index).
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import soxr
from scipy.signal import lfilter, lfiltic

from benchmark.datasets.labelled_set import SAMPLE_RATE

_HEADER_END = b"EST_Header_End\n"
_MULAW = 1


@dataclass(frozen=True)
class FestivalVoice:
    """A grouped diphone index.

    Attributes:
        name: its name in errors.
        content: content of the ``.group`` file.
    """

    name: str
    content: bytes

    @cached_property
    def units(self) -> dict[str, tuple[int, int]]:
        """Each unit's name (``phone-phone``) and where in the file its coefficients and its residual begin.

        Raises:
            ValueError: if the content is not a grouped diphone index.
        """
        header, start = _header(self.content, 0, self.name)
        try:
            if header["DataFormat"] != "grouped":
                raise KeyError("DataFormat grouped")
            lines = self.content[start:].split(b"\n", int(header["NumEntries"]))
            base = len(self.content) - len(lines.pop())
            rows = [line.decode("latin-1").split() for line in lines]
            return {name: (base + int(track), base + int(signal)) for name, track, signal, _ in rows}
        except (KeyError, ValueError) as error:
            raise ValueError(f"{self.name}: expected a grouped diphone index, could not read it: {error}") from None

    def recording(self, unit: str) -> np.ndarray:
        """A unit as it was recorded.

        Returns:
            ``(n_samples,)`` float32 at 16 kHz, full scale ±1 as in the recording.

        Raises:
            ValueError: if there is no such unit, or it is damaged.
        """
        if unit not in self.units:
            raise ValueError(f"{self.name}: expected a unit of the voice, got {unit!r}")
        track, signal = self.units[unit]
        try:
            times, coefficients = self._coefficients(track)
            residual, rate = self._residual(signal)
        except (struct.error, KeyError, IndexError) as error:
            raise ValueError(f"{self.name}: unit {unit!r} is damaged: {error}") from None
        samples = resynthesised(residual, times * rate, coefficients) / 32768
        return soxr.resample(samples, rate, SAMPLE_RATE).astype(np.float32)

    def _coefficients(self, at: int) -> tuple[np.ndarray, np.ndarray]:
        """Times in seconds ``(n_frames,)``, and ``(n_frames, order)`` coefficients."""
        header, start = _header(self.content, at, self.name)
        n_frames, n_channels = int(header["NumFrames"]), int(header["NumChannels"])
        # Each frame has its time, whether it is valid, the power and the coefficients.
        n_columns = 1 + (header.get("BreaksPresent") == "true") + n_channels
        order = "<f4" if header["ByteOrder"] == "01" else ">f4"
        frames = np.frombuffer(self.content, order, n_frames * n_columns, start).reshape(n_frames, n_columns)
        return frames[:, 0].astype(np.float64), frames[:, n_columns - n_channels + 1 :].astype(np.float64)

    def _residual(self, at: int) -> tuple[np.ndarray, int]:
        """``(n_samples,)`` as 16-bit numbers, and their rate in Hz."""
        magic, offset, size, encoding, rate, channels = struct.unpack_from(">4s5I", self.content, at)
        if (magic, encoding, channels) != (b".snd", _MULAW, 1):
            raise KeyError(f"expected mono mu-law samples, found {magic!r}, encoding {encoding}")
        return expanded_mulaw(np.frombuffer(self.content, np.uint8, size, at + offset)), rate


def _header(content: bytes, at: int, name: str) -> tuple[dict[str, str], int]:
    """The first two words of each line of a text header, as a mapping, and the header's end."""
    end = content.find(_HEADER_END, at)
    if not content.startswith(b"EST_File ", at) or end < 0:
        raise ValueError(f"{name}: expected the header of a speech tools file, found {content[at : at + 20]!r}")
    text = content[at:end].decode("latin-1")
    return dict(re.findall(r"^(\w+)[ \t]+(\S+)", text, re.MULTILINE)), end + len(_HEADER_END)


def expanded_mulaw(codes: np.ndarray) -> np.ndarray:
    """G.711 mu-law codes as 16-bit numbers, float64.

    >>> expanded_mulaw(np.array([0x00, 0x80, 0xFF, 0x7F], np.uint8)).tolist()
    [-32124.0, 32124.0, 0.0, 0.0]
    """
    inverted = (~codes.astype(np.uint8)).astype(np.int64)
    magnitude = ((((inverted & 15) << 3) + 132) << ((inverted & 0x70) >> 4)) - 132
    return np.where(inverted & 0x80, -magnitude, magnitude).astype(np.float64)


def resynthesised(residual: np.ndarray, marks: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """Undo linear prediction: each sample is the sum of its residual and its prediction from earlier samples.

    Args:
        residual: ``(n_samples,)``.
        marks: ``(n_frames,)`` centres of the frames, samples. A frame ends halfway to the next centre.
        coefficients: ``(n_frames, order)``, of the previous sample first.

    Returns:
        ``(n_samples,)`` float64.

    >>> resynthesised(np.array([1.0, 0, 0, 0]), np.array([0.0]), np.array([[0.5]])).tolist()
    [1.0, 0.5, 0.25, 0.125]
    """
    order = coefficients.shape[1]
    ends = [*np.rint((marks[1:] + marks[:-1]) / 2).astype(int), len(residual)]
    result = np.zeros(len(residual))
    start = 0
    for end, frame in zip(ends, coefficients, strict=True):
        end = min(end, len(residual))
        if end > start:
            denominator = np.concatenate([[1.0], -frame])
            state = lfiltic([1.0], denominator, result[max(0, start - order) : start][::-1])
            result[start:end], _ = lfilter([1.0], denominator, residual[start:end], zi=state)
            start = end
    return result
