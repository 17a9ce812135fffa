"""musicnn against librosa and its published network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmark.baselines import musicnn
from tests.benchmark.baselines.available import available, noise
from tests.benchmark.baselines.made_bundle import write_bundle


def test_musicnns_front_end_is_the_packages() -> None:
    """The package takes librosa's mel power and log10(10000 power + 1), in half precision."""
    librosa = pytest.importorskip("librosa")
    clip = noise(8000)
    power = librosa.feature.melspectrogram(
        y=clip.numpy(), sr=16000, hop_length=256, n_fft=512, n_mels=96, pad_mode="reflect"
    ).T
    ours = musicnn.Musicnn().log_mel(clip).numpy()
    np.testing.assert_allclose(ours, np.log10(10000 * power + 1), rtol=1e-4, atol=1e-4)
    halved = np.log10(10000 * power.astype(np.float16) + 1).astype(np.float32)
    np.testing.assert_allclose(ours, halved, atol=3e-3)


@torch.no_grad()
def test_musicnn_is_the_published_networks_mean_pool() -> None:
    """The network in ONNX, made from TensorFlow's own graph, takes pieces of 187 frames."""
    path = Path(os.environ.get("BYOLA_BENCHMARK_MODELS", ""), "musicnn", "MTT_musicnn.onnx")
    if not path.is_file():
        pytest.skip("there is no MTT_musicnn.onnx in the folder that BYOLA_BENCHMARK_MODELS names")
    session = pytest.importorskip("onnxruntime").InferenceSession(str(path))
    model: Any = available("musicnn")
    clip = noise(musicnn.PIECE * 256 - 1)
    (expected,) = session.run(["model/mean_pool:0"], {"model/mel:0": model.log_mel(clip).numpy()[None]})
    np.testing.assert_allclose(model.scene(clip).numpy(), expected[0], atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize(("n_samples", "n_frames"), [(1, 1), (767, 1), (768, 2), (47872, 63), (48000, 63)])
def test_musicnn_has_a_timestamp_every_three_frames(n_samples: int, n_frames: int) -> None:
    model = musicnn.Musicnn().eval()
    frames = model.frames(noise(n_samples))
    assert frames.shape == (n_frames, 753)
    if n_samples == 47872:  # 188 frames, a piece and one more, whose two last timestamps are of three and two frames
        mean = (frames[:-1].sum(0) * 3 + frames[-1] * 2) / 188
        torch.testing.assert_close(mean, model.scene(noise(n_samples)))


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    write_bundle(f"{tmp_path}/", {"conv2d/bias": np.zeros(4, np.float32)})
    with pytest.raises(ValueError, match="expected the weights of Musicnn"):
        musicnn.load_model(str(tmp_path))


def test_a_tagger_of_music_hears_what_notes_have_in_common(clips_folder: Path) -> None:
    from byola_hear.audio.reading import read_audio

    model = available("musicnn")
    names = ("speech_french_16k.wav", "speech_english_8k.wav", "drum_stereo_44k.flac")
    clips = [torch.from_numpy(read_audio(str(clips_folder / name), 16000)) for name in names]
    embeddings = torch.nn.functional.normalize(musicnn.get_scene_embeddings(clips, model))
    likeness = embeddings @ embeddings.T
    assert likeness[0, 1] > likeness[:2, 2].max()
