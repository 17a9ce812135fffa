"""Scenes made of clips: fades, noise, backgrounds, and clips at stated signal-to-noise ratios.

All randomness comes from the generator in the arguments. Samples are ``(n_samples,)`` float32 at
:data:`benchmark.datasets.labelled_set.SAMPLE_RATE`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmark.tasks.scenes.levels import at_level, seconds_to_samples


def faded(samples: np.ndarray, in_seconds: float, out_seconds: float) -> np.ndarray:
    """Fade samples in and out by raised cosines, each over at most half of the samples."""
    result = samples.astype(np.float32, copy=True)
    for seconds, part in ((in_seconds, slice(None)), (out_seconds, slice(None, None, -1))):
        n_faded = min(seconds_to_samples(seconds), len(samples) // 2)
        ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(n_faded) + 0.5) / max(n_faded, 1))
        result[part][:n_faded] *= ramp.astype(np.float32)
    return result


def crossfaded(clips: Sequence[np.ndarray], seconds: float) -> np.ndarray:
    """Join clips by crossfades of constant power.

    Args:
        clips: ``(n_samples,)`` each.
        seconds: overlap of two clips, s.

    Returns:
        ``(sum of lengths - (n_clips - 1) * overlap,)`` float32.

    Raises:
        ValueError: if there are no clips, or one is shorter than two overlaps.
    """
    overlap = seconds_to_samples(seconds)
    shortest = min((len(clip) for clip in clips), default=0)
    if not clips or (len(clips) > 1 and shortest < 2 * overlap):
        raise ValueError(f"expected clips of at least {2 * overlap} samples, got {len(clips)}, the shortest {shortest}")
    result = np.zeros(sum(map(len, clips)) - (len(clips) - 1) * overlap, dtype=np.float32)
    angle = (np.pi / 2 * (np.arange(overlap) + 0.5) / max(overlap, 1)).astype(np.float32)
    at = 0
    for number, clip in enumerate(clips):
        clip = clip.astype(np.float32, copy=True)
        if number:
            clip[:overlap] *= np.sin(angle)
        if number < len(clips) - 1:
            clip[len(clip) - overlap :] *= np.cos(angle)
        result[at : at + len(clip)] += clip
        at += len(clip) - overlap
    return result


def pink_noise(n_samples: int, random: np.random.Generator) -> np.ndarray:
    """Noise with equal power in each octave, ``(n_samples,)`` float32 at a level of 0 dB."""
    spectrum = np.fft.rfft(random.standard_normal(n_samples))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    spectrum[0] = 0
    noise = np.fft.irfft(spectrum, n_samples)
    return (noise / np.sqrt(np.mean(noise**2))).astype(np.float32)


def background(
    clips: Sequence[np.ndarray], n_samples: int, random: np.random.Generator, crossfade_seconds: float = 0.25
) -> np.ndarray:
    """Make a background of several equally loud clips over pink noise 40 dB below them.

    Many clips are padded with zeros; without the noise, sounds would stand out from digital silence.

    Args:
        clips: ``(n_samples,)`` each; at least ``n_samples`` in all, without overlaps.
        n_samples: length of the background, which is cut at random from the joined clips.
        random: generator for the cut and the noise.
        crossfade_seconds: overlap of two clips, s.

    Returns:
        ``(n_samples,)`` float32 at an active level of 0 dB.

    Raises:
        ValueError: if the clips are too short.
    """
    joined = crossfaded([at_level(clip, 0.0) for clip in clips], crossfade_seconds)
    if len(joined) < n_samples:
        raise ValueError(f"expected clips of at least {n_samples} samples in all, got {len(joined)}")
    first = int(random.integers(len(joined) - n_samples + 1))
    return at_level(joined[first : first + n_samples] + 0.01 * pink_noise(n_samples, random), 0.0)


def mixed(
    ground: np.ndarray, placed: Sequence[tuple[int, np.ndarray]], ratio_db: float, ground_db: float = 0.0
) -> np.ndarray:
    """Add clips to a background, each ``ratio_db`` louder than the background.

    Args:
        ground: ``(n_samples,)``, the background.
        placed: first sample and samples of each clip.
        ratio_db: difference of the active levels of each clip and the background, dB.
        ground_db: active level of the background, dB.

    Returns:
        ``(n_samples,)`` float32.

    Raises:
        ValueError: if a clip extends beyond the background.
    """
    result = ground.astype(np.float32, copy=True)
    for start, clip in placed:
        if start < 0 or start + len(clip) > len(ground):
            raise ValueError(
                f"expected clips within {len(ground)} samples, got one from {start} to {start + len(clip)}"
            )
        result[start : start + len(clip)] += at_level(clip, ground_db + ratio_db)
    return result
