"""Acoustic descriptors of a clip, in units in which equal differences sound roughly equal.

Spectra are from librosa; fundamental frequency and harmonicity are from Praat (its autocorrelation methods, through
``praat-parselmouth``). The attack time is defined as in the Timbre Toolbox.

Source:
    Peeters et al., The Timbre Toolbox, J. Acoust. Soc. Am. 130, 2902 (2011); Boersma, Accurate short-term analysis of
    the fundamental frequency and the harmonics-to-noise ratio of a sampled sound, Proc. Institute of Phonetic
    Sciences 17 (1993); Böck and Widmer, Maximum filter vibrato suppression for onset detection, DAFx (2013).
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

#: Raise it when a change to the descriptors changes their values: cached results are then out of date.
MEASUREMENT_VERSION = 1

#: Hop and length of an analysed frame, s.
HOP_SECONDS, FRAME_SECONDS = 0.01, 0.032

#: Smallest level that counts, dB below the loudest frame.
FLOOR_DB = 60.0

#: Range of the fundamental frequency, Hz; includes children's voices and the high register of a flute.
PITCH_RANGE = (50.0, 2000.0)

#: Centres of the octave bands of the modulation spectrum, Hz.
MODULATION_BANDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)

#: Descriptors in a figure's order, with definition and unit. ``modulation`` has six values, the others one.
DESCRIPTORS = {
    "level": "root mean square over the clip, dB of full scale",
    "level variability": "standard deviation over frames of their level, dB, none more than 60 below the loudest",
    "centroid": "spectral centroid, mean over frames weighted by power, octaves",
    "centroid variability": "standard deviation over frames of the centroid, likewise, octaves",
    "spread": "spectral bandwidth about the centroid, mean over frames weighted by power, octaves",
    "spread variability": "standard deviation over frames of the spread, likewise, octaves",
    "flux": "mean over frames of the rise of the log-mel spectrum (librosa's onset strength), dB",
    "flux variability": "standard deviation over frames of the flux, dB",
    "pitch": "median fundamental frequency, octaves; undefined where nothing is periodic",
    "pitch variability": "interquartile range over voiced frames of the fundamental, semitones; likewise",
    "harmonicity": "periodic share of the power, mean over frames, 0 where nothing is periodic",
    "attack time": "from 20 % to 90 % of the envelope's maximum, base-2 logarithm of seconds",
    "duration": "base-2 logarithm of seconds",
    "modulation": "share of the envelope's fluctuation in each octave from 1 to 32 Hz",
}


def _package(name: str, how: str) -> ModuleType:
    try:
        return __import__(name)
    except ImportError:
        raise ModuleNotFoundError(f"acoustic descriptors need {how}: pip install {how}", name=name) from None


def describe(clip: np.ndarray, sample_rate: int) -> dict[str, list[float]]:
    """Compute all descriptors of a clip.

    Args:
        clip: ``(n_samples,)`` float32 in [-1, 1].
        sample_rate: Hz.

    Returns:
        For each of :data:`DESCRIPTORS`, a list of values; nan if a descriptor is undefined.

    Raises:
        ModuleNotFoundError: if librosa or praat-parselmouth is not installed.

    Example:
        >>> tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000).astype(np.float32)
        >>> described = describe(tone, 16000)
        >>> [round(described[name][0], 1) for name in ("level", "pitch", "harmonicity", "duration")]
        [-9.0, 8.8, 1.0, 0.0]
    """
    # Clips shorter than an analysis window are padded with silence.
    padded = np.pad(clip, (0, max(0, int(0.2 * sample_rate) - len(clip))))
    described: dict[str, Any] = {
        "level": 20 * np.log10(max(float(np.sqrt(np.mean(np.square(clip, dtype=np.float64)))), 1e-5)),
        **_spectral(padded, sample_rate),
        **_periodic(padded, sample_rate),
        **_temporal(padded, sample_rate),
        "duration": np.log2(len(clip) / sample_rate),
    }
    return {name: np.atleast_1d(described[name]).astype(float).tolist() for name in DESCRIPTORS}


def _weighted(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Weighted mean and standard deviation."""
    mean = float(np.average(values, weights=weights))
    return mean, float(np.sqrt(np.average((values - mean) ** 2, weights=weights)))


def _spectral(clip: np.ndarray, sample_rate: int) -> dict[str, float]:
    librosa = _package("librosa", "librosa")
    size, hop = round(FRAME_SECONDS * sample_rate), round(HOP_SECONDS * sample_rate)
    magnitude = np.abs(librosa.stft(clip, n_fft=size, hop_length=hop, center=False)).astype(np.float64)
    power = magnitude**2
    frame_power = power.sum(0) + 1e-12
    level = 10 * np.log10(frame_power)
    centroid = librosa.feature.spectral_centroid(S=power + 1e-12, sr=sample_rate, n_fft=size)[0]
    spread = librosa.feature.spectral_bandwidth(S=power + 1e-12, sr=sample_rate, n_fft=size)[0]
    mels = librosa.feature.melspectrogram(S=power, sr=sample_rate, n_fft=size, n_mels=64)
    flux = librosa.onset.onset_strength(S=librosa.power_to_db(mels, ref=np.max, top_db=FLOOR_DB), sr=sample_rate)
    described = {"level variability": float(np.std(np.maximum(level, level.max() - FLOOR_DB)))}
    for name, values in (("centroid", np.log2(centroid)), ("spread", np.log2(spread))):
        described[name], described[f"{name} variability"] = _weighted(values, frame_power)
    return {**described, "flux": float(np.mean(flux)), "flux variability": float(np.std(flux))}


def _periodic(clip: np.ndarray, sample_rate: int) -> dict[str, float]:
    parselmouth = _package("parselmouth", "praat-parselmouth")
    sound = parselmouth.Sound(clip.astype(np.float64), sample_rate)
    pitch = sound.to_pitch_ac(time_step=HOP_SECONDS, pitch_floor=PITCH_RANGE[0], pitch_ceiling=PITCH_RANGE[1])
    hertz = pitch.selected_array["frequency"]
    octaves = np.log2(hertz[hertz > 0])
    ratio = sound.to_harmonicity_cc(time_step=HOP_SECONDS, minimum_pitch=PITCH_RANGE[0]).values[0]
    # Praat gives -200 dB where nothing is periodic.
    share = 1 / (1 + 10 ** (-ratio / 10))
    return {
        "pitch": float(np.median(octaves)) if len(octaves) else np.nan,
        # Quartiles, since single frames in a wrong octave would dominate a standard deviation.
        "pitch variability": 12 * float(np.ptp(np.percentile(octaves, [25, 75]))) if len(octaves) else np.nan,
        "harmonicity": float(np.mean(share)) if len(share) else 0.0,
    }


def _temporal(clip: np.ndarray, sample_rate: int) -> dict[str, Any]:
    hop = sample_rate // 200
    n_frames = len(clip) // hop
    envelope = np.sqrt(np.square(clip[: n_frames * hop], dtype=np.float64).reshape(n_frames, hop).mean(1))
    rate = sample_rate / hop
    # A kernel of 20 ms: the periods of a low voice are not attacks.
    smooth = np.convolve(envelope, np.hanning(7)[1:-1] / np.hanning(7).sum(), mode="same")
    top = int(np.argmax(smooth >= 0.9 * smooth.max()))
    below = np.flatnonzero(smooth[: top + 1] < 0.2 * smooth.max())
    attack = (top - (below[-1] if len(below) else 0)) / rate
    size = max(n_frames, round(2 * rate))
    spectrum = np.abs(np.fft.rfft(envelope - envelope.mean(), size)) ** 2
    frequency = np.fft.rfftfreq(size, 1 / rate)
    bands = [
        float(spectrum[(frequency >= centre / 2**0.5) & (frequency < centre * 2**0.5)].sum())
        for centre in MODULATION_BANDS
    ]
    total = sum(bands)
    share = np.array(bands) / total if total > 0 else np.full(len(bands), 1 / len(bands))
    return {"attack time": float(np.log2(max(attack, 1 / rate))), "modulation": share}
