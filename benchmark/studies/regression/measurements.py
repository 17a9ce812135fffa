"""The quantities by name."""

from __future__ import annotations

from benchmark.studies.regression.age import AGE
from benchmark.studies.regression.level import LEVEL
from benchmark.studies.regression.measurement import Measurement
from benchmark.studies.regression.notes import DYNAMICS_SCALE, PITCH
from benchmark.studies.regression.signal_to_noise import SIGNAL_TO_NOISE
from benchmark.studies.regression.speakers import SPEAKERS

MEASUREMENTS = {each.name: each for each in (PITCH, LEVEL, SIGNAL_TO_NOISE, SPEAKERS, AGE, DYNAMICS_SCALE)}


def find_measurements(names: str) -> list[Measurement]:
    """Find measurements by name, separated by commas; ``all`` for all.

    Raises:
        ValueError: if a name is unknown.

    Example:
        >>> [each.unit for each in find_measurements("pitch,age")]
        ['semitones', 'years']
    """
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    if wanted == ["all"]:
        return list(MEASUREMENTS.values())
    if unknown := [name for name in wanted if name not in MEASUREMENTS] or ([""] if not wanted else []):
        raise ValueError(f"expected a measurement out of all, {', '.join(MEASUREMENTS)}, got {unknown[0]!r}")
    return [MEASUREMENTS[name] for name in dict.fromkeys(wanted)]
