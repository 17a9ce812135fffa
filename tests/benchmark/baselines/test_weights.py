"""CREPE, Resemblyzer, YAMNet and openSMILE against what they come from, as far as that is at hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmark.baselines import baseline, crepe, resemblyzer, yamnet
from benchmark.baselines.contract import Baseline, Unavailable
from benchmark.baselines.pretrained import import_torchaudio_without_extension


def noise(n_samples: int) -> Tensor:
    return 0.1 * torch.randn(n_samples, generator=torch.Generator().manual_seed(n_samples))


def at_hand(name: str) -> Baseline:
    try:
        model: Baseline = baseline(name).load_model()
    except Unavailable as error:
        pytest.skip(str(error))
    return model


@torch.no_grad()
@pytest.mark.parametrize("size", ["tiny", "full"])
def test_crepe_is_torchcrepes_embedding(size: str) -> None:
    import_torchaudio_without_extension()
    torchcrepe = pytest.importorskip("torchcrepe")
    model = at_hand("crepe" if size == "full" else "crepe_tiny")
    clip = noise(2000)
    expected = torchcrepe.embed(clip[None], 16000, 800, size)[0].flatten(1)
    torch.testing.assert_close(model.frames(clip), expected, rtol=1e-4, atol=1e-4)


def test_crepe_sizes() -> None:
    assert crepe.Crepe("tiny").scene_embedding_size == 256
    with torch.device("meta"):
        full = crepe.Crepe("full")
    assert full.timestamp_embedding_size == 2048
    # The 22.2 million that the paper speaks of.
    assert sum(each.numel() for each in full.parameters()) == 22_239_976


@pytest.mark.parametrize(("n_samples", "n_frames"), [(1, 1), (799, 1), (800, 2), (16000, 21)])
def test_crepes_windows_are_standardised_around_every_50_ms(n_samples: int, n_frames: int) -> None:
    windows = crepe.Crepe("tiny").windows(noise(n_samples) + 0.5)
    assert windows.shape == (n_frames, 1024)
    torch.testing.assert_close(windows.mean(1), torch.zeros(n_frames), atol=1e-4, rtol=0)
    torch.testing.assert_close(windows.std(1), torch.ones(n_frames), atol=1e-4, rtol=0)


def test_resemblyzers_mel_is_librosas() -> None:
    librosa = pytest.importorskip("librosa")
    clip = noise(8000)
    expected = librosa.feature.melspectrogram(y=clip.numpy(), sr=16000, n_fft=400, hop_length=160, n_mels=40)
    np.testing.assert_allclose(resemblyzer.Resemblyzer().mel(clip).numpy(), expected.T, rtol=1e-3, atol=1e-6)


@torch.no_grad()
@pytest.mark.parametrize(("n_samples", "n_windows"), [(1, 1), (25600, 1), (25601, 2), (38400, 2), (38401, 3)])
def test_resemblyzers_windows(n_samples: int, n_windows: int) -> None:
    model = resemblyzer.Resemblyzer().eval()
    frames = model.frames(noise(n_samples))
    assert frames.shape == (n_windows, 256)
    lengths = torch.linalg.vector_norm(torch.cat([frames, model.scene(noise(n_samples))[None]]), dim=1)
    torch.testing.assert_close(lengths, torch.ones(n_windows + 1))


def test_soft_clips_are_amplified_and_loud_ones_are_not() -> None:
    soft = resemblyzer.amplified(noise(1000) * 1e-3)
    assert 20 * np.log10(soft.square().mean().sqrt().item()) == pytest.approx(-30, abs=1e-3)
    assert torch.equal(resemblyzer.amplified(noise(1000)), noise(1000))
    assert torch.equal(resemblyzer.amplified(torch.zeros(10)), torch.zeros(10))


def test_resemblyzer_hears_the_same_voice_again(clips_folder: object) -> None:
    from byola_hear.audio.reading import read_audio

    model = at_hand("resemblyzer")
    french, english = (
        torch.from_numpy(read_audio(f"{clips_folder}/speech_{name}.wav", 16000))
        for name in ("french_16k", "english_8k")
    )
    halves = [*french.chunk(2), *english.chunk(2)]
    embeddings = resemblyzer.get_scene_embeddings(halves, model)
    likeness = embeddings @ embeddings.T
    assert min(likeness[0, 1], likeness[2, 3]) > likeness[:2, 2:].max()


@pytest.mark.parametrize(("n_samples", "n_windows"), [(1, 1), (15600, 1), (15601, 2), (23280, 2), (23281, 3)])
def test_yamnets_windows(n_samples: int, n_windows: int) -> None:
    model = at_hand("yamnet")
    audio = noise(n_samples)[None]
    embeddings, times = yamnet.get_timestamp_embeddings(audio, model)
    assert embeddings.shape == (1, n_windows, 1024)
    # What comes out of a rectifier and an average.
    assert embeddings.min() >= 0 < embeddings.max()
    assert times[0].tolist() == [min(487.5, n_samples / 32), *(487.5 + 480 * number for number in range(1, n_windows))]
    last = audio[:, 7680 * (n_windows - 1) :]
    assert torch.equal(yamnet.get_timestamp_embeddings(last, model)[0][0, 0], embeddings[0, -1])


def test_a_file_that_is_no_yamnet_is_refused(tmp_path: object) -> None:
    pytest.importorskip("ai_edge_litert")
    with open(f"{tmp_path}/other.tflite", "wb") as file:
        file.write(b"no model")
    with pytest.raises(ValueError, match="other.tflite: expected a TFLite model"):
        yamnet.load_model(f"{tmp_path}/other.tflite")


@pytest.mark.parametrize(
    ("name", "feature_set", "sizes"),
    [("opensmile_egemaps", "eGeMAPSv02", (88, 25)), ("opensmile_compare", "ComParE_2016", (6373, 65))],
)
def test_opensmile_is_its_packages(name: str, feature_set: str, sizes: tuple[int, int]) -> None:
    opensmile = pytest.importorskip("opensmile")
    model = at_hand(name)
    assert (model.scene_embedding_size, model.timestamp_embedding_size) == sizes
    clip = noise(8000)
    smile = opensmile.Smile(opensmile.FeatureSet[feature_set], opensmile.FeatureLevel.Functionals)
    np.testing.assert_array_equal(model.scene(clip), smile.process_signal(clip.numpy(), 16000).to_numpy()[0])
