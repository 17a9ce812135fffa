"""Synthesise textures: sounds like wind, surf, rain, fire, engines and struck things, which need no licence.

Four families, each with random parameters: filtered noise with slow modulation, grains, pulses through resonances, and
struck resonators. They are no recordings, so they are a kind of their own, which a set should hold little of.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from byola_hear.pretraining.corpora.decode import SAMPLE_RATE, write_flac
from byola_hear.utils.csv_file import write_csv

#: Kind and licence of textures.
KIND, LICENCE = "textures", "CC0-1.0"
#: Length of a texture, in seconds.
SECONDS = 10.0

Samples = NDArray[np.float64]


def noise_texture(random: np.random.Generator, n: int) -> Samples:
    """Noise in one or two bands, whose loudness and tone change slowly: wind, surf, steam."""
    total = np.zeros(n)
    for _ in range(random.integers(1, 3)):
        low = 10 ** random.uniform(1.6, 3.3)
        total += _swell(random, n) * _band_noise(
            random, n, low, low * 2 ** random.uniform(0.5, 4), random.uniform(0, 2)
        )
    return total


def grain_texture(random: np.random.Generator, n: int) -> Samples:
    """Many short grains at random times: rain, fire, pebbles."""
    total = np.zeros(n)
    rate = 10 ** random.uniform(0.5, 3)
    length = round(SAMPLE_RATE * 10 ** random.uniform(-2.7, -1.2))
    time = np.arange(length) / SAMPLE_RATE
    decay = np.exp(-time * random.uniform(3, 8) * SAMPLE_RATE / length)
    kinds = []
    for _ in range(12):
        tone = np.sin(2 * np.pi * 10 ** random.uniform(2.3, 3.8) * time + random.uniform(0, 6))
        kinds.append(decay * (tone * random.uniform(0, 1) + random.standard_normal(length) * random.uniform(0.1, 1)))
    for start in random.integers(0, n, random.poisson(rate * n / SAMPLE_RATE)):
        grain = kinds[random.integers(len(kinds))][: n - start]
        total[start : start + len(grain)] += grain * random.exponential(1.0)
    return total * _swell(random, n)


def pulse_texture(random: np.random.Generator, n: int) -> Samples:
    """Pulses at a wandering rate through resonances, with noise: engines, motors, insects."""
    rate = 10 ** random.uniform(1.0, 2.6)
    wander = (
        1 + random.uniform(0, 0.3) * (_swell(random, n) - 0.5) + random.uniform(0, 0.02) * random.standard_normal(n)
    )
    phase = np.cumsum(rate * wander / SAMPLE_RATE)
    pulses = np.zeros(n)
    pulses[1:] = np.diff(np.floor(phase)) > 0
    pulses += random.uniform(0, 0.05) * random.standard_normal(n)
    return sum(_resonance(random, pulses) for _ in range(random.integers(2, 6))) * (0.3 + _swell(random, n))


def struck_texture(random: np.random.Generator, n: int) -> Samples:
    """Things that are struck now and then: glass, wood, metal, bells."""
    total = np.zeros(n)
    for start in random.integers(0, n, 1 + random.poisson(random.uniform(2, 30))):
        length = min(n - start, round(SAMPLE_RATE * 10 ** random.uniform(-1.3, 0.3)))
        time = np.arange(length) / SAMPLE_RATE
        base = 10 ** random.uniform(1.9, 3.4)
        hit = np.zeros(length)
        for partial in range(random.integers(2, 9)):
            pitch = base * (1 + partial * random.uniform(0.4, 1.9))
            if pitch < SAMPLE_RATE / 2:
                hit += (
                    random.exponential()
                    * np.exp(-time * (3 + partial * random.uniform(0, 9)))
                    * np.sin(2 * np.pi * pitch * time)
                )
        total[start : start + length] += hit * np.exp(-time * 3 * SAMPLE_RATE / max(length, 1)) * random.exponential()
    return total


#: The families, by name.
FAMILIES: dict[str, Callable[[np.random.Generator, int], Samples]] = {
    "noise": noise_texture,
    "grains": grain_texture,
    "pulses": pulse_texture,
    "struck": struck_texture,
}

#: The name of a texture's file.
_NAME = re.compile(rf"(\d{{5,}})_(?:{'|'.join(FAMILIES)})\.flac")


def texture(index: int, seed: int) -> tuple[str, NDArray[np.int16]]:
    """Synthesise a texture.

    Args:
        index: its number. The families take turns.
        seed: seed of all textures.

    Returns:
        Its family, and ``(n_samples,)`` int16 at 16 kHz.
    """
    family = list(FAMILIES)[index % len(FAMILIES)]
    random = np.random.default_rng((seed, index))
    samples = FAMILIES[family](random, round(SECONDS * SAMPLE_RATE))
    samples -= samples.mean()
    peak = float(np.abs(samples).max()) or 1.0
    loudness = 10 ** random.uniform(-1.2, -0.05)
    return family, np.rint(samples * (32767 * loudness / peak)).astype(np.int16)


def write_textures(folder: Path, hours: float, seed: int) -> int:
    """Write textures as FLAC files with a ``manifest.csv`` that ``corpora build`` reads.

    Textures that an earlier call wrote there are replaced, and those beyond the number of this call removed.

    Args:
        folder: folder to write to. It is created.
        hours: length of all textures, in hours.
        seed: seed of everything random.

    Returns:
        Number of textures.

    Raises:
        ValueError: if the hours are not positive.
    """
    n_textures = round(hours * 3600 / SECONDS)
    if n_textures < 1:
        raise ValueError(f"expected at least {SECONDS / 3600:.4f} hours, got {hours:g}")
    rows = [("file", "kind", "licence")]
    for index in range(n_textures):
        family, pcm = texture(index, seed)
        name = f"{index:05d}_{family}.flac"
        write_flac(folder / name, pcm)
        rows.append((name, KIND, LICENCE))
    for path in folder.iterdir():
        earlier = _NAME.fullmatch(path.name)
        if earlier and int(earlier[1]) >= n_textures:
            path.unlink()
    write_csv(folder / "manifest.csv", rows)
    return n_textures


def _swell(random: np.random.Generator, n: int) -> Samples:
    """A slow random curve between 0 and 1: some points a second or fewer, joined by straight lines."""
    points = random.uniform(0, 1, 2 + round(n / SAMPLE_RATE * 10 ** random.uniform(-0.7, 0.9)))
    return np.interp(np.linspace(0, len(points) - 1, n), np.arange(len(points)), points)


def _band_noise(random: np.random.Generator, n: int, low: float, high: float, slope: float) -> Samples:
    """Noise between two frequencies in Hz, whose amplitude falls with a power of the frequency."""
    spectrum = np.fft.rfft(random.standard_normal(n))
    frequency = np.fft.rfftfreq(n, 1 / SAMPLE_RATE)
    shape = ((frequency > low) & (frequency < high)) * (low / np.maximum(frequency, low)) ** slope
    return np.fft.irfft(spectrum * shape, n)


def _resonance(random: np.random.Generator, x: Samples) -> Samples:
    """Pass a signal through a resonance of random frequency and width."""
    centre = 10 ** random.uniform(1.9, 3.7)
    width = centre * random.uniform(0.03, 0.5)
    frequency = np.fft.rfftfreq(len(x), 1 / SAMPLE_RATE)
    response = 1 / (1 + 1j * (frequency - centre) / width)
    return random.exponential() * np.fft.irfft(np.fft.rfft(x) * response, len(x))
