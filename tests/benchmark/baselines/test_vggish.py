"""VGGish: the port's shape, its front end, and where its weights come from."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmark.baselines import vggish
from benchmark.baselines.vggish import Vggish, load_model, mel_weights, released_weights
from benchmark.baselines.weights import Unavailable


@pytest.fixture(scope="module")
def shapes() -> dict[str, Tensor]:
    """Names and shapes of the weights, without their memory."""
    with torch.device("meta"):
        return Vggish().state_dict()


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No weights in any folder, and nowhere to fetch them from."""
    monkeypatch.setenv("BYOLA_BENCHMARK_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("BYOLA_BENCHMARK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(vggish, "URL", (tmp_path / "released").as_uri())
    return tmp_path


def constant_weights(path: Path, shapes: dict[str, Tensor]) -> Path:
    """A file of VGGish's weights, small because each matrix is one zero; the last bias counts from -64 up."""
    weights = {name: torch.zeros(1).expand(meta.shape) for name, meta in shapes.items()}
    weights["embeddings.4.bias"] = torch.arange(128.0) - 64
    torch.save(weights, path)
    return path


def test_the_shape_is_the_released_ones(shapes: dict[str, Tensor]) -> None:
    assert sum(meta.numel() for meta in shapes.values()) == 72_141_184
    layers = [f"features.{number}" for number in (0, 3, 6, 8, 11, 13)] + [
        f"embeddings.{number}" for number in (0, 2, 4)
    ]
    assert set(shapes) == {f"{layer}.{kind}" for layer in layers for kind in ("weight", "bias")}
    assert shapes["features.0.weight"].shape == (64, 1, 3, 3)
    assert shapes["features.13.bias"].shape == (512,)
    assert shapes["embeddings.0.weight"].shape == (4096, 12288)
    assert shapes["embeddings.4.weight"].shape == (128, 4096)


def test_log_mel_is_what_the_paper_says() -> None:
    samples = np.random.default_rng(0).standard_normal(2000) * 0.1
    n_frames = (2000 - 400) // 160 + 1
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    magnitudes = np.abs(np.fft.rfft([samples[160 * k : 160 * k + 400] * window for k in range(n_frames)], 512))
    mel = [1127 * math.log(1 + 8000 * bin / 256 / 700) for bin in range(257)]
    low, high = (1127 * math.log(1 + hz / 700) for hz in (125, 7500))
    edges = np.linspace(low, high, 66)
    expected = np.zeros((n_frames, 64))
    for band in range(64):
        left, centre, right = edges[band : band + 3]
        for bin in range(1, 257):
            weight = min((mel[bin] - left) / (centre - left), (right - mel[bin]) / (right - centre))
            expected[:, band] += magnitudes[:, bin] * max(weight, 0)
    with torch.device("meta"):
        model = Vggish()
    model.window = torch.hann_window(400)
    model.filters = mel_weights()
    computed = model.log_mel(torch.from_numpy(samples).float())
    np.testing.assert_allclose(computed, np.log(expected + 0.01), atol=1e-4)
    assert model.log_mel(torch.zeros(400)).unique().tolist() == pytest.approx([math.log(0.01)])


@pytest.mark.parametrize(("n_samples", "n_patches"), [(1, 1), (15599, 1), (15600, 1), (30959, 1), (30960, 2)])
def test_patches(n_samples: int, n_patches: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with torch.device("meta"):
        model = Vggish()
    model.window, model.filters = torch.hann_window(400), mel_weights()
    monkeypatch.setattr(Vggish, "forward", lambda self, patches: patches.flatten(1)[:, :128])
    assert model.frames(torch.zeros(n_samples)).shape == (n_patches, 128)
    audio = torch.randn(1, n_samples, generator=torch.Generator().manual_seed(0)) * 0.1
    if n_patches == 2:
        assert torch.equal(model.frames(audio[0])[0], model.frames(audio[0, :15600])[0])


def test_channels_go_last_into_the_matrix(shapes: dict[str, Tensor], tmp_path: Path) -> None:
    """An output of the convolutions at a known place reaches the weight that is its own in the original's order."""
    weights = {name: torch.zeros(1).expand(meta.shape) for name, meta in shapes.items()}
    weights["features.13.bias"] = torch.zeros(512).index_fill(0, torch.tensor([7]), 1.0)
    first = torch.zeros(4096, 12288)
    # Row 2 of 6, column 3 of 4, channel 7 of 512.
    first[0, (2 * 4 + 3) * 512 + 7] = 5.0
    weights["embeddings.0.weight"] = first
    weights["embeddings.2.weight"] = torch.zeros(4096, 4096).index_fill(1, torch.tensor([0]), 1.0)
    weights["embeddings.4.weight"] = torch.zeros(128, 4096).index_fill(1, torch.tensor([0]), 1.0)
    model = Vggish().eval()
    model.load_state_dict(weights)
    with torch.no_grad():
        assert model(torch.zeros(1, 96, 64)).unique().tolist() == [5.0]


def test_a_local_file(shapes: dict[str, Tensor], tmp_path: Path) -> None:
    path = constant_weights(tmp_path / "mine.pth", shapes)
    model = load_model(str(path))
    audio = torch.zeros(1, 20000)
    assert vggish.get_scene_embeddings(audio, model)[0].tolist() == [float(value) for value in range(-64, 64)]
    rectified = load_model(str(path), final_relu=True)
    assert vggish.get_scene_embeddings(audio, rectified).min() == 0
    assert model.fingerprint() != rectified.fingerprint()


def test_a_name_with_a_hash_is_held_to_it(shapes: dict[str, Tensor], tmp_path: Path) -> None:
    path = constant_weights(tmp_path / "mine.pth", shapes)
    wrong = path.rename(tmp_path / "vggish-10086976.pth")
    with pytest.raises(ValueError, match="expected a SHA-256 that begins with 10086976, found"):
        load_model(str(wrong))
    sha256 = hashlib.sha256(wrong.read_bytes()).hexdigest()
    right = wrong.rename(tmp_path / f"mine-{sha256[:8]}.pth")
    assert load_model(str(right)).note.startswith("VGGish")


def test_without_the_released_weights_it_says_how_to_get_them(elsewhere: Path) -> None:
    with pytest.raises(Unavailable, match=r"can't be downloaded here: download file://.*BYOLA_BENCHMARK_MODELS"):
        load_model()


def test_released_weights_are_fetched_once_and_verified(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"weights"
    (elsewhere / "released").write_bytes(b"something else")
    monkeypatch.setattr(vggish, "RELEASED", f"vggish-{hashlib.sha256(content).hexdigest()[:8]}.pth")
    with pytest.raises(Unavailable, match="the download is another file"):
        released_weights()
    assert not list((elsewhere / "cache" / "models").iterdir())
    (elsewhere / "released").write_bytes(content)
    assert released_weights().read_bytes() == content
    (elsewhere / "released").unlink()
    assert released_weights().parent == elsewhere / "cache" / "models"
    (elsewhere / "models").mkdir()
    (elsewhere / "models" / vggish.RELEASED).write_bytes(content)
    assert released_weights().parent == elsewhere / "models"
