"""Scenes made of clips: levels, signal-to-noise ratios, fades, backgrounds, and clips placed at exact times.

All functions are pure: what is random comes from the generator that is given. Samples are ``(n_samples,)`` float32 at
:data:`benchmark.tasks.task.SAMPLE_RATE`. Levels are in decibels of full scale (a square wave of amplitude 1 has 0 dB).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from benchmark.tasks.task import SAMPLE_RATE

#: Seconds of a frame in which loudness is looked at; so exact are the edges that :func:`active_run` finds.
FRAME_SECONDS = 0.01

#: Decibels; the level of silence.
SILENCE_DB = -120.0

#: What a scene's samples may reach: below full scale, so that nothing is clipped when written as 16 bits.
PEAK = 0.98


def seconds_to_samples(seconds: float) -> int:
    """The nearest whole number of samples."""
    return round(seconds * SAMPLE_RATE)


def samples_to_ms(n_samples: int) -> float:
    """Milliseconds that so many samples last.

    >>> samples_to_ms(8)
    0.5
    """
    return 1000 * n_samples / SAMPLE_RATE


def level(samples: np.ndarray) -> float:
    """Mean power in decibels of full scale, not below :data:`SILENCE_DB`.

    >>> round(level(np.full(100, 0.1)), 6)
    -20.0
    """
    power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
    return max(SILENCE_DB, 10 * math.log10(max(power, 1e-30)))


def frame_levels(samples: np.ndarray) -> np.ndarray:
    """Level of each whole frame of :data:`FRAME_SECONDS`, ``(n_frames,)`` decibels.

    Raises:
        ValueError: if there is not one whole frame.
    """
    length = seconds_to_samples(FRAME_SECONDS)
    n_frames = len(samples) // length
    if not n_frames:
        raise ValueError(f"expected at least {length} samples, one frame of {FRAME_SECONDS} s, got {len(samples)}")
    frames = samples[: n_frames * length].astype(np.float64).reshape(n_frames, length)
    return np.maximum(SILENCE_DB, 10 * np.log10(np.maximum(np.mean(frames**2, axis=1), 1e-30)))


def active_level(samples: np.ndarray, range_db: float = 25.0) -> float:
    """Level of a sound while it sounds: mean power of the frames within ``range_db`` of the loudest, in decibels.

    Pauses don't count, so a ratio of two such levels says how loud one sound is against another, however much of
    the time either of them is there.

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
    """Where a clip's main sound begins and ends.

    A frame is active if it is ``above_floor_db`` louder than the clip's quiet frames (their 5th percentile), but
    whoever is more than ``range_db`` below the loudest frame never is, and whoever is within ``least_range_db`` of
    it always is. Unbroken stretches of active frames shorter than ``least_seconds`` (clicks beside the sound) don't
    count. Pauses of up to ``bridge_seconds`` between active frames are part of the sound. Of the runs that result, the
    one with the greatest energy is taken.

    Args:
        samples: ``(n_samples,)`` the clip.
        range_db: the most that lies between the loudest frame and the quietest active one.
        bridge_seconds: the longest pause within one sound.
        least_seconds: the shortest stretch that counts; where none is so long, all do.
        above_floor_db: what distinguishes sound from the recording's noise.
        least_range_db: the least that lies between the loudest frame and the loudest inactive one.

    Returns:
        Its first sample and the one after its last, whole frames apart; an empty stretch ``(0, 0)`` for a silent clip.

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
    """Frames in order, parted wherever more than ``bridge_seconds`` of others lie between two of them."""
    return np.split(active, np.flatnonzero((np.diff(active) - 1) * FRAME_SECONDS > bridge_seconds + 1e-9) + 1)


def faded(samples: np.ndarray, in_seconds: float, out_seconds: float) -> np.ndarray:
    """Samples that begin and end softly: raised cosines, no longer than the half of the samples each."""
    result = samples.astype(np.float32, copy=True)
    for seconds, part in ((in_seconds, slice(None)), (out_seconds, slice(None, None, -1))):
        n_faded = min(seconds_to_samples(seconds), len(samples) // 2)
        ramp = 0.5 - 0.5 * np.cos(np.pi * (np.arange(n_faded) + 0.5) / max(n_faded, 1))
        result[part][:n_faded] *= ramp.astype(np.float32)
    return result


def crossfaded(clips: Sequence[np.ndarray], seconds: float) -> np.ndarray:
    """Clips one after the other, each fading into the next with its power kept.

    Args:
        clips: ``(n_samples,)`` each.
        seconds: how long the two of a pair overlap.

    Returns:
        ``(sum of lengths - (n_clips - 1) * overlap,)`` float32.

    Raises:
        ValueError: if there is no clip, or one is shorter than two overlaps.
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


def at_level(samples: np.ndarray, decibels: float) -> np.ndarray:
    """Samples amplified so that their :func:`active_level` is ``decibels``; silence stays what it is."""
    now = active_level(samples)
    gain = 10 ** ((decibels - now) / 20) if now > SILENCE_DB else 1.0
    return (samples * gain).astype(np.float32)


def pink_noise(n_samples: int, random: np.random.Generator) -> np.ndarray:
    """Noise with the same power in each octave, ``(n_samples,)`` float32 of level 0 dB."""
    spectrum = np.fft.rfft(random.standard_normal(n_samples))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    spectrum[0] = 0
    noise = np.fft.irfft(spectrum, n_samples)
    return (noise / np.sqrt(np.mean(noise**2))).astype(np.float32)


def background(
    clips: Sequence[np.ndarray], n_samples: int, random: np.random.Generator, crossfade_seconds: float = 0.25
) -> np.ndarray:
    """A background of several clips, all equally loud, over a floor of pink noise 40 dB below them.

    The floor is there because many clips are padded with zeros: without it, whatever is placed would stand out
    of digital silence.

    Args:
        clips: ``(n_samples,)`` each; together, overlaps taken off, at least ``n_samples``.
        n_samples: of the background, cut at random from the clips that fade into each other.
        random: where the cut and the noise come from.
        crossfade_seconds: overlap of two clips.

    Returns:
        ``(n_samples,)`` float32 at an active level of 0 dB.

    Raises:
        ValueError: if the clips are too short.
    """
    joined = crossfaded([at_level(clip, 0.0) for clip in clips], crossfade_seconds)
    if len(joined) < n_samples:
        raise ValueError(f"expected clips for at least {n_samples} samples, got {len(joined)}")
    first = int(random.integers(len(joined) - n_samples + 1))
    return at_level(joined[first : first + n_samples] + 0.01 * pink_noise(n_samples, random), 0.0)


def mixed(
    ground: np.ndarray, placed: Sequence[tuple[int, np.ndarray]], ratio_db: float, ground_db: float = 0.0
) -> np.ndarray:
    """A background with clips on it, each ``ratio_db`` louder than the background.

    Args:
        ground: ``(n_samples,)`` the background.
        placed: first sample and samples of each clip.
        ratio_db: decibels between each clip's :func:`active_level` and the background's.
        ground_db: the background's active level.

    Returns:
        ``(n_samples,)`` float32.

    Raises:
        ValueError: if a clip reaches beyond the background.
    """
    result = ground.astype(np.float32, copy=True)
    for start, clip in placed:
        if start < 0 or start + len(clip) > len(ground):
            raise ValueError(
                f"expected clips within {len(ground)} samples, got one from {start} to {start + len(clip)}"
            )
        result[start : start + len(clip)] += at_level(clip, ground_db + ratio_db)
    return result


def delivered(scene: np.ndarray, decibels: float) -> np.ndarray:
    """A scene at an active level of ``decibels``, or as loud as its :data:`PEAK` allows if that is less."""
    scene = at_level(scene, decibels)
    highest = float(np.abs(scene).max())
    return scene * np.float32(min(1.0, PEAK / highest)) if highest else scene


def spread(
    lengths: Sequence[int], n_samples: int, least_gap: int, random: np.random.Generator, edge: int = 0
) -> list[int]:
    """First samples of stretches that follow each other in the order given, at random distances.

    Args:
        lengths: samples of each stretch.
        n_samples: what they are to lie in.
        least_gap: samples between two of them at least.
        random: where their places come from.
        edge: samples before the first and after the last at least.

    Raises:
        ValueError: if there is no room for them.
    """
    slack = n_samples - sum(lengths) - least_gap * max(0, len(lengths) - 1) - 2 * edge
    if slack < 0:
        raise ValueError(f"expected room for stretches of {list(lengths)} samples in {n_samples}, {-slack} are lacking")
    extra = np.sort(random.integers(0, slack + 1, len(lengths)))
    before = [sum(lengths[:number]) + number * least_gap for number in range(len(lengths))]
    return [int(edge + extra[number] + before[number]) for number in range(len(lengths))]


def scatter(
    lengths: Sequence[int],
    labels: Sequence[str],
    n_samples: int,
    polyphony: int,
    least_gap: int,
    random: np.random.Generator,
) -> list[int]:
    """First samples of stretches that may overlap, anywhere in ``n_samples``.

    Args:
        lengths: samples of each stretch.
        labels: what each is.
        n_samples: what they are to lie in.
        polyphony: how many may sound at once.
        least_gap: samples at least between two of the same label.
        random: where their places come from.

    Raises:
        ValueError: if no arrangement was found.
    """
    if max(lengths, default=0) <= n_samples:
        for _ in range(100):
            placed = _scattered_once(lengths, labels, n_samples, polyphony, least_gap, random)
            if placed is not None:
                return placed
    raise ValueError(
        f"expected room for stretches of {list(lengths)} samples in {n_samples} and {polyphony} at once, found none"
    )


def _scattered_once(
    lengths: Sequence[int],
    labels: Sequence[str],
    n_samples: int,
    polyphony: int,
    least_gap: int,
    random: np.random.Generator,
) -> list[int] | None:
    """One try: each stretch in turn where there is room for it; None if it isn't found."""
    placed: list[tuple[int, int, str]] = []
    for length, label in zip(lengths, labels, strict=True):
        for start in random.integers(n_samples - length + 1, size=100).tolist():
            if _fits((start, start + length, label), placed, polyphony, least_gap):
                placed.append((start, start + length, label))
                break
        else:
            return None
    return [start for start, _, _ in placed]


def _fits(new: tuple[int, int, str], placed: list[tuple[int, int, str]], polyphony: int, least_gap: int) -> bool:
    start, end, label = new
    if any(name == label and start < b + least_gap and a < end + least_gap for a, b, name in placed):
        return False
    # Most sound at once where one of them begins.
    moments = [start, *(a for a, _, _ in placed if start < a < end)]
    return all(sum(a <= moment < b for a, b, _ in placed) < polyphony for moment in moments)


def deck(n_cards: int, n_drawn: int, random: np.random.Generator) -> list[int]:
    """Cards drawn without putting them back, from a new shuffled deck whenever one is used up.

    Returns:
        ``n_drawn`` numbers below ``n_cards``, each as often as any other, give or take one.
    """
    drawn: list[int] = []
    while len(drawn) < n_drawn:
        drawn += random.permutation(n_cards).tolist()
    return drawn[:n_drawn]
