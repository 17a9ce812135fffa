"""Levels of sounds: measure them, find the main sound of a clip, and scale sounds to a level.

Samples are ``(n_samples,)`` at :data:`benchmark.datasets.labelled_set.SAMPLE_RATE`. Levels are in dB relative to full
scale: a square wave of amplitude 1 has 0 dB.
"""

from __future__ import annotations

import math

import numpy as np

from benchmark.datasets.labelled_set import SAMPLE_RATE

#: Length of the frames in which levels are measured, s; also the precision of :func:`active_run`.
FRAME_SECONDS = 0.01

#: Level of silence, dB.
SILENCE_DB = -120.0

#: Greatest peak of a scene, below full scale so that 16-bit samples are never clipped.
PEAK = 0.98


def seconds_to_samples(seconds: float) -> int:
    """The nearest whole number of samples."""
    return round(seconds * SAMPLE_RATE)


def samples_to_ms(n_samples: int) -> float:
    """Duration of a number of samples, ms.

    >>> samples_to_ms(8)
    0.5
    """
    return 1000 * n_samples / SAMPLE_RATE


def level(samples: np.ndarray) -> float:
    """Mean power in dB relative to full scale, at least :data:`SILENCE_DB`.

    >>> round(level(np.full(100, 0.1)), 6)
    -20.0
    """
    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return max(SILENCE_DB, 10 * math.log10(max(power, 1e-30)))


def frame_levels(samples: np.ndarray) -> np.ndarray:
    """Level of each whole frame of :data:`FRAME_SECONDS`, ``(n_frames,)`` dB.

    Raises:
        ValueError: if the samples are shorter than a frame.
    """
    length = seconds_to_samples(FRAME_SECONDS)
    n_frames = len(samples) // length
    if not n_frames:
        raise ValueError(f"expected at least {length} samples, one frame of {FRAME_SECONDS} s, got {len(samples)}")
    frames = samples[: n_frames * length].astype(np.float64).reshape(n_frames, length)
    return np.maximum(SILENCE_DB, 10 * np.log10(np.maximum(np.mean(frames**2, axis=1), 1e-30)))


def active_level(samples: np.ndarray, range_db: float = 25.0) -> float:
    """Active level of a sound: mean power of the frames within ``range_db`` of the loudest, in dB.

    Pauses do not count, so the difference of two active levels does not depend on how long the two sounds last.

    >>> tone = np.full(16000, 0.1)
    >>> round(active_level(np.concatenate([tone, np.zeros(48000)])), 6)
    -20.0
    """
    levels = frame_levels(samples)
    return float(10 * np.log10(np.mean(10 ** (levels[levels >= levels.max() - range_db] / 10))))


def active_run(
    samples: np.ndarray,
    range_db: float = 40.0,
    bridge_seconds: float = 0.3,
    least_seconds: float = 0.0,
    above_floor_db: float = 10.0,
    least_range_db: float = 25.0,
) -> tuple[int, int]:
    """Find the main sound of a clip.

    A frame is active if it is at least ``above_floor_db`` louder than the clip's quiet frames (their 5th percentile).
    Frames more than ``range_db`` below the loudest one are never active, and frames within ``least_range_db`` of it
    always are. Runs of active frames that are shorter than ``least_seconds``, such as clicks, do not count. Pauses of
    up to ``bridge_seconds`` belong to the sound. The main sound is the run with the greatest energy.

    Args:
        samples: ``(n_samples,)``, the clip.
        range_db: greatest difference between the loudest and the quietest active frame.
        bridge_seconds: length of the longest pause within a sound.
        least_seconds: length of the shortest run that counts; if all runs are shorter, all count.
        above_floor_db: least difference between an active frame and the recording's noise.
        least_range_db: least difference between the loudest frame and the loudest inactive one.

    Returns:
        First sample and the one after the last, a whole number of frames apart; ``(0, 0)`` for a silent clip.

    Raises:
        ValueError: if the clip is shorter than a frame.
    """
    levels = frame_levels(samples)
    peak = levels.max()
    if peak <= SILENCE_DB:
        return 0, 0
    threshold = np.clip(np.percentile(levels, 5) + above_floor_db, peak - range_db, peak - least_range_db)
    active = np.flatnonzero(levels >= threshold)
    long_enough = [run for run in _runs(active, 0) if len(run) * FRAME_SECONDS >= least_seconds - 1e-9]
    active = np.concatenate(long_enough) if long_enough else active
    runs = _runs(active, bridge_seconds)
    main = max(runs, key=lambda run: float(np.sum(10 ** (levels[run] / 10))))
    length = seconds_to_samples(FRAME_SECONDS)
    return int(main[0]) * length, int(main[-1] + 1) * length


def _runs(active: np.ndarray, bridge_seconds: float) -> list[np.ndarray]:
    """Split a sequence of frame numbers where more than ``bridge_seconds`` lie between two of them."""
    return np.split(active, np.flatnonzero((np.diff(active) - 1) * FRAME_SECONDS > bridge_seconds + 1e-9) + 1)


def at_level(samples: np.ndarray, decibels: float) -> np.ndarray:
    """Scale samples so that their :func:`active_level` is ``decibels``; silence stays as it is."""
    now = active_level(samples)
    gain = 10 ** ((decibels - now) / 20) if now > SILENCE_DB else 1.0
    return (samples * gain).astype(np.float32)


def delivered(scene: np.ndarray, decibels: float) -> np.ndarray:
    """Scale a scene to an active level of ``decibels``, or to the greatest level that :data:`PEAK` allows."""
    scene = at_level(scene, decibels)
    highest = float(np.abs(scene).max())
    return scene * np.float32(min(1.0, PEAK / highest)) if highest else scene
