"""wav2vec 2.0 (Baevski et al. 2020, arXiv 2006.11477): the output of the last layer, a vector every 20 ms.

The default is HEAR's baseline, ``facebook/wav2vec2-large-100k-voxpopuli`` (1024 dimensions); any other wav2vec2 can be
used by name or folder, such as ``facebook/wav2vec2-base-960h`` (768). Each clip is scaled to mean 0 and variance 1,
whereas HEAR's wrapper scaled the whole batch. Clips below 400 samples are padded with zeros. Timestamps are the centres
of the first layers' windows, 12.5 + 20 k ms, ``(n_samples - 400) // 320 + 1`` in number; a clip embedding is the mean.
Longer clips are processed in pieces of a minute, since attention is quadratic in time.

Meta; the licence depends on the model (base-960h: Apache-2.0; VoxPopuli: CC BY-NC 4.0). Needs the package transformers.
"""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmark.baselines.contract import Baseline, get_scene_embeddings, get_timestamp_embeddings, padded
from benchmark.baselines.pretrained import from_folder_or_hub, need_transformers, settings_of

__all__ = ["get_scene_embeddings", "get_timestamp_embeddings", "load_model"]

#: The model of HEAR's baseline.
DEFAULT = "facebook/wav2vec2-large-100k-voxpopuli"
#: Frames in a piece: a minute.
PIECE = 3000


class Wav2Vec2(Baseline):
    """A wav2vec2 network.

    Args:
        network: a ``transformers.Wav2Vec2Model``.
        identity: see :class:`~benchmark.baselines.contract.Baseline`.
        note: see :class:`~benchmark.baselines.contract.Baseline`.
    """

    embedding_version = 1

    def __init__(self, network: nn.Module, identity: str = "", note: str = "") -> None:
        super().__init__(identity, note)
        self.network = network
        config: Any = network.config
        self.scene_embedding_size = self.timestamp_embedding_size = int(config.hidden_size)
        strides = list(config.conv_stride)
        self.hop = prod(strides)
        #: Samples that a frame of the first layers covers.
        self.field = 1 + sum((kernel - 1) * prod(strides[:number]) for number, kernel in enumerate(config.conv_kernel))
        self.centre = self.field / 2

    def frames(self, clip: Tensor) -> Tensor:
        variance, mean = torch.var_mean(clip, correction=0)
        clip = padded((clip - mean) / (variance + 1e-7).sqrt(), self.field)
        n_frames = (len(clip) - self.field) // self.hop + 1
        parts = []
        for first in range(0, n_frames, PIECE):
            last = min(first + PIECE, n_frames)
            # The last piece includes the samples after the last frame: the first layer normalises over time.
            stop = None if last == n_frames else (last - 1) * self.hop + self.field
            piece = clip[first * self.hop : stop]
            parts.append(self.network(piece[None]).last_hidden_state[0])
        return torch.cat(parts)


def load_model(model_file_path: str = "") -> Wav2Vec2:
    """Load a wav2vec2 network.

    Args:
        model_file_path: name on the Hub, or a folder that transformers has saved a wav2vec2 to. If empty, ``DEFAULT``.

    Raises:
        FileNotFoundError: if the folder does not exist.
        ValueError: if it contains another model, or some weights are missing.
        Unavailable: if transformers is missing, or the model can't be downloaded from the Hub.
    """
    version = need_transformers()
    name = model_file_path or DEFAULT
    network = from_folder_or_hub(name, _network)
    shown = Path(name).name if Path(name).is_dir() else name  # tables are shared, and the folder is this machine's
    note = f"wav2vec 2.0 ({shown}), self-supervised on speech; every 20 ms, their mean"
    return Wav2Vec2(network, f"transformers-{version}-{settings_of(network.config)}", note).eval()


def _network(name: str) -> Any:
    from transformers import AutoConfig, Wav2Vec2Model

    config = AutoConfig.from_pretrained(name)
    if config.model_type != "wav2vec2":
        raise ValueError(f"it is a {config.model_type}, not a wav2vec2")
    kind: Any = Wav2Vec2Model
    network, loaded = kind.from_pretrained(name, dtype=torch.float32, output_loading_info=True)
    # The mask is for training only, and some releases leave it out.
    missing = sorted(set(loaded["missing_keys"]) - {"masked_spec_embed"})
    if missing or loaded["mismatched_keys"]:
        raise ValueError(f"it lacks weights, {missing[0] if missing else 'of the right shape'} for one")
    return network
