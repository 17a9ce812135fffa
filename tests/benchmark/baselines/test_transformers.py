"""wav2vec2 and Whisper's encoder, offline, on small random networks of their forms."""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmark.baselines import wav2vec2, whisper_base, whisper_tiny
from benchmark.baselines.ctranslate2_weights import read_ctranslate2
from benchmark.baselines.pretrained import import_torchaudio_without_extension
from benchmark.baselines.weights import Unavailable
from tests.benchmark.baselines.small_transformers import wav2vec2_folder, whisper_folder

import_torchaudio_without_extension()
transformers = pytest.importorskip("transformers")


def noise(n_clips: int, n_samples: int) -> Tensor:
    return 0.1 * torch.randn(n_clips, n_samples, generator=torch.Generator().manual_seed(n_samples))


@pytest.fixture(scope="module", params=["group", "stable"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wav2vec2 saved by transformers: group norm in the first layer, or layer norms throughout."""
    return wav2vec2_folder(tmp_path_factory.mktemp("wav2vec2") / request.param, request.param == "stable")


def test_other_settings_are_another_model(folder: Path, whisper: Path, tmp_path: Path) -> None:
    for module, whole, setting in ((wav2vec2, folder, "hidden_act"), (whisper_tiny, whisper, "activation_function")):
        same, changed = (tmp_path / f"{module.__name__}{number}" for number in (0, 1))
        shutil.copytree(whole, same)
        shutil.copytree(whole, changed)
        config = json.loads((whole / "config.json").read_text())
        (changed / "config.json").write_text(json.dumps({**config, setting: "relu"}))
        prints = [module.load_model(str(each)).fingerprint() for each in (whole, same, changed)]
        assert prints[0] == prints[1] != prints[2]
        model = module.load_model(str(whole))
        module.get_scene_embeddings(noise(1, 8000), model)
        assert model.fingerprint() == prints[0]  # after use, too


@torch.no_grad()
def test_wav2vec2_is_the_last_layers_mean(folder: Path) -> None:
    model = wav2vec2.load_model(str(folder))
    assert (model.scene_embedding_size, model.timestamp_embedding_size) == (16, 16)
    assert model.note.startswith(f"wav2vec 2.0 ({folder.name}), ")
    plain = transformers.Wav2Vec2Model.from_pretrained(folder, local_files_only=True).eval()
    clips = noise(2, 8000) * torch.tensor([[1.0], [0.05]]) + 0.02
    for clip, embedding in zip(clips, wav2vec2.get_scene_embeddings(clips, model)):
        scaled = (clip - clip.mean()) / (clip.var(correction=0) + 1e-7).sqrt()
        hidden = plain(scaled[None]).last_hidden_state[0]
        torch.testing.assert_close(embedding, hidden.mean(0), rtol=1e-4, atol=1e-5)
    # Loudness alone changes nothing.
    torch.testing.assert_close(
        wav2vec2.get_scene_embeddings(clips[:1] * 3, model),
        wav2vec2.get_scene_embeddings(clips[:1], model),
        atol=1e-3,
        rtol=0,
    )


@pytest.mark.parametrize("n_samples", [1, 399, 400, 719, 720, 16000])
def test_wav2vec2_has_a_timestamp_every_20_ms(folder: Path, n_samples: int) -> None:
    embeddings, times = wav2vec2.get_timestamp_embeddings(noise(1, n_samples), wav2vec2.load_model(str(folder)))
    n_frames = (max(n_samples, 400) - 400) // 320 + 1
    assert embeddings.shape == (1, n_frames, 16)
    first = 12.5 if n_samples >= 200 else n_samples / 32
    assert times[0].tolist() == [first, *(12.5 + 20 * number for number in range(1, n_frames))]


@torch.no_grad()
def test_wav2vec2_goes_through_long_clips_in_pieces(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = wav2vec2.load_model(str(folder))
    clip = noise(1, 400 + 320 * 24)[0]
    clip = (clip - clip.mean()) / clip.std(correction=0)
    monkeypatch.setattr(wav2vec2, "PIECE", 10)
    frames = model.frames(clip)
    assert len(frames) == 25
    part = model.network(clip[None, 320 * 10 : 320 * 19 + 400]).last_hidden_state[0]
    torch.testing.assert_close(frames[10:20], part, rtol=1e-4, atol=1e-4)


def test_wav2vec2_without_some_weights_is_refused(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    lost = next(name for name in weights if name.endswith("q_proj.weight"))
    save_file({name: value for name, value in weights.items() if name != lost}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text((folder / "config.json").read_text())
    with pytest.raises(ValueError, match=f"it lacks weights, {lost}"):
        wav2vec2.load_model(str(tmp_path))


def test_another_model_is_refused(folder: Path, whisper: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="it is a whisper, not a wav2vec2"):
        wav2vec2.load_model(str(whisper))
    with pytest.raises(ValueError, match="expected the folder of a suitable transformers model"):
        whisper_tiny.load_model(str(folder))
    for module in (wav2vec2, whisper_tiny):
        with pytest.raises(ValueError, match="expected the folder of a suitable transformers model") as caught:
            module.load_model(str(tmp_path))
        assert "\n" not in str(caught.value)
        with pytest.raises(FileNotFoundError, match="nothing/here/at/all"):
            module.load_model("nothing/here/at/all")


@pytest.mark.parametrize(
    ("module", "name"), [(wav2vec2, "facebook/wav2vec2-large-100k-voxpopuli"), (whisper_tiny, "openai/whisper-tiny.en")]
)
def test_an_unreachable_hub_says_how_to_get_the_weights(
    module: Any, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def out_of_reach(*arguments: object, **options: object) -> None:
        raise OSError("We couldn't connect to the hub\nand so on")

    monkeypatch.setenv("BYOLA_BENCHMARK_MODELS", str(tmp_path))
    monkeypatch.setattr(transformers.AutoConfig, "from_pretrained", out_of_reach)
    monkeypatch.setattr(transformers.WhisperConfig, "from_pretrained", out_of_reach)
    with pytest.raises(Unavailable, match=f"needs the weights {name}, .* name its folder"):
        module.load_model()


@pytest.mark.parametrize("module", [wav2vec2, whisper_tiny])
def test_another_model_of_the_hub_is_not_taken_for_one_out_of_reach(
    module: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other = transformers.HubertConfig()
    monkeypatch.setattr(transformers.AutoConfig, "from_pretrained", lambda name: other)
    monkeypatch.setattr(transformers.WhisperConfig, "from_pretrained", lambda name: other)
    with pytest.raises(ValueError, match="org/model: expected a suitable transformers model: it is a hubert"):
        module.load_model("org/model")


def test_damaged_weights_are_refused_in_one_line(folder: Path, whisper: Path, tmp_path: Path) -> None:
    for module, whole in ((wav2vec2, folder), (whisper_tiny, whisper)):
        damaged = tmp_path / module.__name__
        damaged.mkdir()
        (damaged / "config.json").write_bytes((whole / "config.json").read_bytes())
        (damaged / "model.safetensors").write_bytes((whole / "model.safetensors").read_bytes()[:100])
        with pytest.raises(ValueError, match="expected the folder of a suitable transformers model"):
            module.load_model(str(damaged))


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Whisper encoder of one layer, with positions for a second."""
    return whisper_folder(tmp_path_factory.mktemp("whisper"))


def test_whispers_log_mel_is_transformers_own(whisper: Path) -> None:
    clip = noise(1, 32000)[0]
    extracted = transformers.WhisperFeatureExtractor(chunk_length=2)(clip.numpy(), sampling_rate=16000)
    ours = whisper_tiny.load_model(str(whisper)).log_mel(clip[None])[0]
    np.testing.assert_allclose(ours.numpy(), extracted.input_features[0], atol=1e-4)


@torch.no_grad()
def test_whisper_is_its_encoder_on_what_there_is(whisper: Path) -> None:
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    model = whisper_tiny.load_model(str(whisper))
    short = model.frames(noise(1, 6400)[0])
    assert short.shape == (20, 16)
    # The same weights, made for 50 positions as they are, on a clip of a second.
    plain = WhisperEncoder(transformers.WhisperConfig.from_pretrained(whisper)).eval()
    plain.load_state_dict(model.encoder.state_dict() | {"embed_positions.weight": model.positions})
    clip = noise(1, 16000)[0]
    expected = plain(model.log_mel(clip[None])).last_hidden_state[0]
    torch.testing.assert_close(model.frames(clip), expected, rtol=1e-4, atol=1e-5)
    # Then the rest of a longer one, by itself.
    longer = torch.cat([clip, noise(1, 6400)[0]])
    torch.testing.assert_close(model.frames(longer), torch.cat([expected, short]), rtol=1e-4, atol=1e-5)


def test_whisper_has_a_timestamp_every_20_ms(whisper: Path) -> None:
    model = whisper_tiny.load_model(str(whisper))
    for n_samples, last in ((1, 0), (320, 20), (16000, 980), (16001, 1000)):
        _, times = whisper_tiny.get_timestamp_embeddings(torch.zeros(1, n_samples), model)
        assert times[0].tolist() == [float(time) for time in range(0, last + 1, 20)]


def test_all_of_whisper_does_as_well_as_its_encoder(whisper: Path, tmp_path: Path) -> None:
    whole = whisper_tiny.load_model(str(whisper_folder(tmp_path, "model.encoder.")))
    alone = whisper_tiny.load_model(str(whisper))
    audio = noise(1, 8000)
    assert torch.equal(whisper_tiny.get_scene_embeddings(audio, whole), whisper_tiny.get_scene_embeddings(audio, alone))


def _in_ctranslate2(weights: dict[str, Tensor]) -> bytes:
    """A model in CTranslate2's version 6, half precision."""

    def text(name: str) -> bytes:
        return struct.pack("<H", len(name) + 1) + name.encode() + b"\0"

    out = struct.pack("<I", 6) + text("WhisperSpec") + struct.pack("<II", 3, len(weights))
    for name, values in weights.items():
        content = values.half().numpy().tobytes()
        out += text(name) + struct.pack(f"<B{values.ndim}I", values.ndim, *values.shape)
        out += struct.pack("<BI", 4, len(content)) + content
    return out + struct.pack("<I", 0)


def test_whisper_in_ctranslate2_is_the_same_encoder(tmp_path: Path) -> None:
    config = transformers.WhisperConfig(
        d_model=64, encoder_layers=2, encoder_attention_heads=1, encoder_ffn_dim=256, max_source_positions=50
    )
    torch.manual_seed(0)
    plain = transformers.models.whisper.modeling_whisper.WhisperEncoder(config).half().float().eval()
    kept = plain.state_dict()
    theirs: dict[str, Tensor] = {"encoder/position_encodings/encodings": kept["embed_positions.weight"]}
    for name in ("conv1", "conv2", "layer_norm"):
        endings = ("gamma", "beta") if name == "layer_norm" else ("weight", "bias")
        for ending, ours in zip(endings, ("weight", "bias")):
            theirs[f"encoder/{name}/{ending}"] = kept[f"{name}.{ours}"]
    for number in range(2):
        ours, their = f"layers.{number}", f"encoder/layer_{number}"
        for one, other in (
            ("self_attn_layer_norm", "self_attention/layer_norm"),
            ("final_layer_norm", "ffn/layer_norm"),
        ):
            theirs[f"{their}/{other}/gamma"] = kept[f"{ours}.{one}.weight"]
            theirs[f"{their}/{other}/beta"] = kept[f"{ours}.{one}.bias"]
        for one, other in (
            ("self_attn.out_proj", "self_attention/linear_1"),
            ("fc1", "ffn/linear_0"),
            ("fc2", "ffn/linear_1"),
        ):
            for ending in ("weight", "bias"):
                theirs[f"{their}/{other}/{ending}"] = kept[f"{ours}.{one}.{ending}"]
        for ending in ("weight", "bias"):
            each = [kept.get(f"{ours}.self_attn.{which}_proj.{ending}", torch.zeros(64)) for which in "qkv"]
            theirs[f"{their}/self_attention/linear_0/{ending}"] = torch.cat(each)
    content = _in_ctranslate2(theirs)
    parts = [tmp_path / "one", tmp_path / "two"]
    parts[0].write_bytes(content[:1000])
    parts[1].write_bytes(content[1000:])
    read = whisper_base.encoder_of(read_ctranslate2(parts), "here").eval()
    features = noise(80, 100)[None]
    with torch.no_grad():
        torch.testing.assert_close(read(features).last_hidden_state, plain(features).last_hidden_state)
    with pytest.raises(ValueError, match="here: expected a Whisper"):
        whisper_base.encoder_of({"decoder/x": torch.zeros(1)}, "here")
    for damaged in (content[:-100], b"", b"\x05" + content[1:], b"text, not weights" * 9):
        parts[0].write_bytes(damaged)
        with pytest.raises(ValueError, match="one: expected a model of CTranslate2"):
            read_ctranslate2(parts[:1])
