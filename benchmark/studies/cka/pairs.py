"""CKA of two networks, layer by layer."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from benchmark.studies.cka.alignment import cka, cka_interval

#: Raise it when a change to how layers are compared changes a number: cached results are then out of date.
MEASUREMENT_VERSION = 1


def layers_compared(
    first: list[dict[str, np.ndarray]],
    second: list[dict[str, np.ndarray]],
    seeds: list[tuple[int, int]],
    part: tuple[np.ndarray, ...],
    seed: int,
) -> list[dict[str, Any]]:
    """Compare every layer of one network with every layer of another, averaged over pairs of seeds.

    Args:
        first: Gram matrices ``(n, n)`` by layer, one for each seed.
        second: likewise.
        seeds: pairs of positions in ``first`` and ``second``.
        part: index of the clips to compare over, from ``numpy.ix_``.
        seed: seed of the jackknife.

    Returns:
        ``first_layer``, ``second_layer``, ``value``, ``low`` and ``high``; the ends are nan for different layers.
    """
    rows = []
    for one, other in product(first[0], second[0]):
        values = []
        for number, another in seeds:
            matrices = first[number][one][part], second[another][other][part]
            values.append(cka_interval(*matrices, seed=seed) if one == other else (cka(*matrices), np.nan, np.nan))
        value, low, high = np.mean(values, axis=0).tolist()
        rows.append({"first_layer": one, "second_layer": other, "value": value, "low": low, "high": high})
    return rows
