"""musicnn, a tagger of music (Pons and Serra 2019, arXiv 1909.06654): 753 dimensions every 48 ms.

Convolutions over the timbre (7 frames by 38 or 67 mel bands) and over time (32, 64 and 128 frames) of a log-mel
spectrogram, and three dense layers of 7 frames with residual connections; it was trained on the tags of MagnaTagATune.
The embedding is the output of all four parts, averaged over time: what the package calls ``mean_pool``. As there, clips
are processed in pieces of 3 s; the last piece is not padded. Timestamps are the centres of three frames, 16 + 48 k ms.
A frame sees up to one second before and after its centre, within its piece.

Only the weights of the package musicnn (ISC) are used, not its code, so its requirements are not needed:
``pip install --no-deps musicnn``.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from benchmark.baselines.contract import Baseline, get_scene_embeddings, get_timestamp_embeddings, padded
from benchmark.baselines.tensor_bundle import read_bundle
from benchmark.baselines.weights import fill, need_package, package_file
from byola_hear.models.frontend import FrontendConfig, mel_filters

__all__ = ["get_scene_embeddings", "get_timestamp_embeddings", "load_model"]

FRONTEND = FrontendConfig(n_fft=512, window_length=512, hop_length=256, n_mels=96, f_min=0.0, f_max=8000.0)
#: Frames in a piece, 3 s, and in a timestamp.
PIECE, STEP = 187, 3
#: Frames by bands of the front end's convolutions, and their number of filters.
KERNELS = (((7, 38), 204), ((7, 67), 204), ((128, 1), 51), ((64, 1), 51), ((32, 1), 51))
#: Filters of a dense layer.
DENSE = 64
HOW = "pip install --no-deps musicnn"


class Normed(nn.Module):
    """A convolution without padding over bands and with padding over time, a rectifier and batch normalisation.

    Args:
        kernel: frames and bands.
        n_filters: number of filters.
    """

    def __init__(self, kernel: tuple[int, int], n_filters: int) -> None:
        super().__init__()
        # TensorFlow pads an even kernel by one frame more at the end.
        self.around = (0, 0, (kernel[0] - 1) // 2, kernel[0] // 2)
        self.conv = nn.Conv2d(1, n_filters, kernel)
        self.norm = nn.BatchNorm2d(n_filters, eps=1e-3)

    def forward(self, features: Tensor) -> Tensor:
        """Map ``(n_frames, n_bands)`` to ``(n_frames, n_filters)``, the maximum over the bands."""
        convolved = self.conv(nn.functional.pad(features, self.around)[None, None]).relu()
        normed: Tensor = self.norm(convolved)
        return normed.amax(3)[0].T


class Musicnn(Baseline):
    """musicnn up to the pooling over time.

    Args:
        identity: see :class:`~benchmark.baselines.contract.Baseline`.
        note: see :class:`~benchmark.baselines.contract.Baseline`.
    """

    embedding_version = 1
    scene_embedding_size = timestamp_embedding_size = sum(number for _, number in KERNELS) + 3 * DENSE
    hop = STEP * FRONTEND.hop_length
    centre = (STEP - 1) / 2 * FRONTEND.hop_length
    window: Tensor
    filters: Tensor

    def __init__(self, identity: str = "", note: str = "") -> None:
        super().__init__(identity, note)
        self.norm = nn.BatchNorm2d(1, eps=1e-3)
        self.front = nn.ModuleList(Normed(kernel, number) for kernel, number in KERNELS)
        n_front = sum(number for _, number in KERNELS)
        self.dense = nn.ModuleList(Normed((7, size), DENSE) for size in (n_front, DENSE, DENSE))
        self.register_buffer("window", torch.hann_window(FRONTEND.n_fft), persistent=False)
        self.register_buffer("filters", mel_filters(FRONTEND), persistent=False)

    def log_mel(self, clip: Tensor) -> Tensor:
        """Compressed mel spectrogram, ``(n_samples,)`` to ``(1 + n_samples // 256, 96)``: log10(1 + 10000 power).

        Frames are centred. Beyond its ends, a clip is reflected, as librosa did when the weights were trained. The
        package computes in half precision, which overflows at a power of 6.5; this does not.
        """
        clip = padded(clip, FRONTEND.n_fft // 2 + 1)
        spectrum = torch.stft(clip, FRONTEND.n_fft, FRONTEND.hop_length, window=self.window, return_complex=True)
        return (10000 * (spectrum.abs().square().T @ self.filters) + 1).log10()

    def layers(self, clip: Tensor) -> Tensor:
        """The outputs of all parts, ``(n_samples,)`` to ``(n_frames, 753)``, one frame every 256 samples."""
        n_frames = 1 + len(clip) // FRONTEND.hop_length
        return torch.cat([self._piece(piece) for piece in self.log_mel(clip)[:n_frames].split(PIECE)])

    def _piece(self, spectrum: Tensor) -> Tensor:
        spectrum = self.norm(spectrum[None, None])[0, 0]
        parts = [torch.cat([part(spectrum) for part in self.front], 1)]
        for number, part in enumerate(self.dense):
            parts.append(part(parts[-1]) + (parts[-1] if number else 0))
        return torch.cat(parts, 1)

    def frames(self, clip: Tensor) -> Tensor:
        return torch.stack([several.mean(0) for several in self.layers(clip).split(STEP)])

    def scene(self, clip: Tensor) -> Tensor:
        return self.layers(clip).mean(0)


def load_model(model_file_path: str = "") -> Musicnn:
    """Load musicnn.

    Args:
        model_file_path: folder of TensorFlow's checkpoint, such as the package's ``MSD_musicnn``. If empty, the
            package's ``MTT_musicnn``.

    Raises:
        FileNotFoundError: if there is no checkpoint.
        ValueError: if it is another network's.
        Unavailable: if the package is missing.
    """
    folder = (
        Path(model_file_path) if model_file_path else package_file("musicnn", "MTT_musicnn", ".index", how=HOW).parent
    )
    version = "" if model_file_path else f" {need_package('musicnn', HOW)}"
    note = f"musicnn{version} (ISC), supervised on the tags of music (MagnaTagATune); every 48 ms, their mean"
    model = Musicnn("weights", note)
    fill(model, _renamed(read_bundle(f"{folder}/")), folder)
    return model.eval()


def _renamed(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights under this module's names. TensorFlow numbers the layers of a kind in order."""
    parts = [*(f"front.{number}" for number in range(len(KERNELS))), *(f"dense.{number}" for number in range(3))]
    ours = {"batch_normalization": "norm"}
    ours |= {f"batch_normalization_{number}": f"{part}.norm" for number, part in enumerate(parts, 1)}
    ours |= {f"conv2d_{number}" if number else "conv2d": f"{part}.conv" for number, part in enumerate(parts)}
    names = {
        **{"kernel": "weight", "bias": "bias", "gamma": "weight", "beta": "bias"},
        **{"moving_mean": "running_mean", "moving_variance": "running_var"},
    }
    found = {}
    for name, values in weights.items():
        layer, _, which = name.rpartition("/")
        if layer in ours and which in names:
            # A kernel is (frames, bands, 1, filters) there.
            found[f"{ours[layer]}.{names[which]}"] = values.permute(3, 2, 0, 1) if which == "kernel" else values
            if which == "moving_mean":
                found[f"{ours[layer]}.num_batches_tracked"] = torch.tensor(0)
    return found
