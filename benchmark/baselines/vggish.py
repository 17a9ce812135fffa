"""VGGish (Hershey et al. 2017, arXiv 1609.09430): supervised on labels of videos, 128 dimensions every 0.96 s.

It has its own front end: 64 log-mels of magnitudes at 125-7500 Hz, triangles that are straight on the HTK mel scale,
window 400, hop 160, transform 512, logarithm of the value plus 0.01, and consecutive patches of 96 frames. As in the
original, samples after the last whole patch are not used; clips below 15600 samples are padded with zeros. **A hop of
960 ms is far over HEAR's 50 ms**: too coarse for events. Timestamps are the patches' centres, 487.5 + 960 k ms; a clip
embedding is their mean. There is no PCA and no quantisation. The ReLU after the last layer is optional and off, as in
the TensorFlow original.

Google, Apache-2.0; the weights were converted by github.com/harritaylor/torchvggish.
"""

from __future__ import annotations

import hashlib
import math
import re
import urllib.request
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmark.baselines.contract import Baseline, get_scene_embeddings, get_timestamp_embeddings, padded
from benchmark.baselines.weights import MODELS_VARIABLE, Unavailable, fill, read_weights, weights_in_folder
from benchmark.datasets.labelled_set import cache_folder
from byola_hear.models.frontend import hz_to_mel
from byola_hear.utils.files import file_hash, replacing

__all__ = ["get_scene_embeddings", "get_timestamp_embeddings", "load_model"]

#: The released weights. The digits are the beginning of the file's SHA-256.
RELEASED = "vggish-10086976.pth"
URL = f"https://github.com/harritaylor/torchvggish/releases/download/v0.1/{RELEASED}"
WINDOW, HOP, TRANSFORM, BANDS = 400, 160, 512, 64
#: Frames in a patch, and samples that they cover.
PATCH = 96
PATCH_SAMPLES = (PATCH - 1) * HOP + WINDOW
#: Patches in a batch; limits the memory.
BATCH = 16
#: Output channels of the convolutions; None halves both axes.
LAYERS = (64, None, 128, None, 256, 256, None, 512, 512, None)


def mel_weights() -> Tensor:
    """The mel filters, ``(257, 64)`` float32: triangles with sides that are straight in mel, unlike those of other
    front ends, which are straight in Hz. Frequency 0 has no weight.
    """
    bins = torch.linspace(0, 8000, TRANSFORM // 2 + 1, dtype=torch.float64)
    low, high = (2595 * math.log10(1 + frequency / 700) for frequency in (125, 7500))
    points = torch.linspace(low, high, BANDS + 2, dtype=torch.float64)
    mels = hz_to_mel(bins, "htk")[:, None]
    width = (high - low) / (BANDS + 1)
    weights = torch.minimum((mels - points[:-2]) / width, (points[2:] - mels) / width).clamp(min=0)
    weights[0] = 0
    return weights.float()


class Vggish(Baseline):
    """VGGish with 72 141 184 parameters; the names of the weights are those of torchvggish.

    Args:
        final_relu: whether a ReLU follows the last layer.
        identity: see :class:`~benchmark.baselines.contract.Baseline`.
        note: see :class:`~benchmark.baselines.contract.Baseline`.
    """

    embedding_version = 1
    scene_embedding_size = 128
    timestamp_embedding_size = 128
    hop = PATCH * HOP
    window: Tensor
    filters: Tensor
    centre = PATCH_SAMPLES / 2

    def __init__(self, final_relu: bool = False, identity: str = "", note: str = "") -> None:
        super().__init__(identity, note)
        self.final_relu = final_relu
        layers: list[nn.Module] = []
        entering = 1
        for leaving in LAYERS:
            if leaving is None:
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(entering, leaving, 3, padding=1), nn.ReLU()]
                entering = leaving
        self.features = nn.Sequential(*layers)
        self.embeddings = nn.Sequential(
            nn.Linear(512 * 4 * 6, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 128)
        )
        self.register_buffer("window", torch.hann_window(WINDOW, dtype=torch.float64).float(), persistent=False)
        self.register_buffer("filters", mel_weights(), persistent=False)

    def log_mel(self, clip: Tensor) -> Tensor:
        """Log-mel spectrogram, ``(n_samples,)``, at least 400, to ``(n_frames, 64)``; the first frame starts the
        clip.
        """
        spectrum = torch.fft.rfft(clip.unfold(0, WINDOW, HOP) * self.window, TRANSFORM)
        return (spectrum.abs() @ self.filters + 0.01).log()

    def forward(self, patches: Tensor) -> Tensor:
        """``(n_patches, 96, 64)`` log-mel to ``(n_patches, 128)``."""
        # The original has its channels last.
        features = self.features(patches[:, None]).permute(0, 2, 3, 1)
        embedded: Tensor = self.embeddings(features.flatten(1))
        return functional.relu(embedded) if self.final_relu else embedded

    def frames(self, clip: Tensor) -> Tensor:
        patches = self.log_mel(padded(clip, PATCH_SAMPLES)).unfold(0, PATCH, PATCH).transpose(1, 2)
        return torch.cat([self(batch) for batch in patches.split(BATCH)])


def promised_hash(name: str) -> str:
    """The beginning of the SHA-256 in a file's name; empty if the name has no hash.

    Example:
        >>> promised_hash("vggish-10086976.pth"), promised_hash("mine.pth")
        ('10086976', '')
    """
    found = re.search(r"-([0-9a-f]{8,64})\.", name)
    return found[1] if found else ""


def verified(path: Path) -> str:
    """SHA-256 of a file, hexadecimal.

    Raises:
        ValueError: if the hash in the file's name is another one.
    """
    sha256, promised = file_hash(path), promised_hash(path.name)
    if not sha256.startswith(promised):
        raise ValueError(f"{path}: expected a SHA-256 that begins with {promised}, found {sha256[:16]}…")
    return sha256


def released_weights() -> Path:
    """The released weights: from the folder of models, from torch.hub's cache or from the benchmark's cache. If they
    are in none of these, they are downloaded into the last.

    Raises:
        Unavailable: if they are nowhere and can't be downloaded.
    """
    kept = cache_folder() / "models" / RELEASED
    for path in (weights_in_folder(RELEASED), Path(torch.hub.get_dir()) / "checkpoints" / RELEASED, kept):
        if path is not None and path.is_file():
            return path
    kept.parent.mkdir(parents=True, exist_ok=True)
    get = f"download {URL} (289 MB) to the folder that {MODELS_VARIABLE} names"
    try:
        with urllib.request.urlopen(URL, timeout=30) as answer, replacing(kept) as file:
            digest = hashlib.sha256()
            while block := answer.read(1 << 20):
                digest.update(block)
                file.write(block)
            if not digest.hexdigest().startswith(promised_hash(RELEASED)):
                raise Unavailable(f"needs its released weights, but the download is another file: {get}")
    except OSError as error:
        raise Unavailable(f"needs its released weights, which can't be downloaded here: {get}") from error
    return kept


def load_model(model_file_path: str = "", final_relu: bool = False) -> Vggish:
    """Load VGGish.

    Args:
        model_file_path: a file of weights. If empty, :func:`released_weights`. If the name contains a hash, as theirs
            does, the file must have it.
        final_relu: whether a ReLU follows the last layer, as in HEAR's baseline.

    Raises:
        FileNotFoundError: if the file does not exist.
        ValueError: if it contains other weights, or its hash is not that in its name.
        Unavailable: if no file is named and the released weights are not available.
    """
    path = Path(model_file_path) if model_file_path else released_weights()
    weights = read_weights(path)
    sha256 = verified(path)
    note = "VGGish (Google, Apache-2.0; torchvggish's weights), supervised; 128 dimensions every 0.96 s, their mean"
    model = Vggish(final_relu, f"{sha256}-{final_relu}", note)
    fill(model, weights, path)
    return model.eval()
