"""Features with a planted pitch."""

from __future__ import annotations

import numpy as np

PITCHES = np.tile(np.arange(48, 84), 4)


def planted(n_noise: int = 20, noise: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Embeddings that contain a pitch among numbers without meaning, the pitches, and groups of four."""
    rng = np.random.default_rng(0)
    features = rng.standard_normal((len(PITCHES), n_noise + 1)) * noise
    features[:, 7] = 0.01 * PITCHES + 3
    return features.astype(np.float32), PITCHES.astype(float), np.char.add("note", PITCHES.astype(str))
