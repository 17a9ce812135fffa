"""Small random networks of the forms that transformers saves, for tests without a hub."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch


def wav2vec2_folder(folder: Path, stable: bool = False) -> Path:
    """A wav2vec2 of two layers: group norm in the first of its convolutions, or layer norms throughout."""
    transformers = pytest.importorskip("transformers")
    config = transformers.Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        conv_dim=[8] * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=4,
        feat_extract_norm="layer" if stable else "group",
        do_stable_layer_norm=stable,
        conv_bias=stable,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        transformers.Wav2Vec2Model(config).save_pretrained(folder)
    return folder


def whisper_folder(folder: Path, prefix: str = "encoder.") -> Path:
    """A Whisper encoder of one layer, with positions for a second of audio; weights' names begin with ``prefix``."""
    transformers = pytest.importorskip("transformers")
    from safetensors.torch import save_file
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    config = transformers.WhisperConfig(
        d_model=16, encoder_layers=1, encoder_attention_heads=2, encoder_ffn_dim=32, max_source_positions=50
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder = WhisperEncoder(config)
    config.save_pretrained(folder)
    save_file({prefix + key: value for key, value in encoder.state_dict().items()}, folder / "model.safetensors")
    return folder
