"""openSMILE's hand-crafted features, computed by its Python package, for two baselines."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from benchmark.baselines.contract import Baseline, padded
from benchmark.baselines.weights import need_package

#: Samples in the longest window, that of the pitch, and from one row of features to the next: 60 ms and 10 ms.
WINDOW, HOP = 960, 160
HOW = "pip install opensmile (its licence allows research only)"


class OpenSmile(Baseline):
    """A feature set: functionals of each clip, and low-level descriptors every 10 ms.

    Args:
        feature_set: its name in ``opensmile.FeatureSet``.
        identity: see :class:`~benchmark.baselines.contract.Baseline`.
        note: see :class:`~benchmark.baselines.contract.Baseline`.
    """

    embedding_version = 1
    hop = HOP
    centre = WINDOW / 2

    def __init__(self, feature_set: str, identity: str = "", note: str = "") -> None:
        import opensmile

        super().__init__(identity, note)
        chosen, levels = opensmile.FeatureSet[feature_set], opensmile.FeatureLevel
        self.functionals = opensmile.Smile(chosen, levels.Functionals)
        self.descriptors = opensmile.Smile(chosen, levels.LowLevelDescriptors)
        self.scene_embedding_size = int(self.functionals.num_features)
        self.timestamp_embedding_size = int(self.descriptors.num_features)

    def frames(self, clip: Tensor) -> Tensor:
        return self._table(self.descriptors, clip)

    def scene(self, clip: Tensor) -> Tensor:
        return self._table(self.functionals, clip)[0]

    def _table(self, smile: object, clip: Tensor) -> Tensor:
        rows = smile.process_signal(padded(clip, WINDOW).numpy(), self.sample_rate)  # type: ignore[attr-defined]
        return torch.from_numpy(rows.to_numpy(np.float32, copy=True))


def load_feature_set(feature_set: str, model_file_path: str = "") -> OpenSmile:
    """Load a feature set of openSMILE.

    Args:
        feature_set: its name in ``opensmile.FeatureSet``.
        model_file_path: must be empty.

    Raises:
        ValueError: if ``model_file_path`` is not empty.
        Unavailable: if the package is missing.
    """
    if model_file_path:
        raise ValueError(f"openSMILE's feature sets have no weights, got {model_file_path!r}")
    version = need_package("opensmile", HOW)
    note = f"openSMILE {version} {feature_set} functionals, hand-made; licence for research only"
    return OpenSmile(feature_set, f"{feature_set}-{version}", note).eval()
