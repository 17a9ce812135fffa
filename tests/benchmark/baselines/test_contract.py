"""What every baseline promises, on the real model where it is at hand, else on random weights of its shape."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from benchmark.baselines import BASELINES, baseline, contract, weights
from benchmark.baselines.contract import Baseline, padded
from benchmark.baselines.moments import moments, windowed_moments
from benchmark.baselines.weights import Unavailable
from tests.benchmark.baselines.small_transformers import wav2vec2_folder, whisper_folder


@pytest.fixture(scope="module", autouse=True)
def _torchaudio() -> None:
    """transformers imports what there is of torchaudio."""
    from benchmark.baselines.pretrained import import_torchaudio_without_extension

    import_torchaudio_without_extension()


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[ModuleType, Any]]:
    """A baseline's module and model, made once."""
    models: dict[str, nn.Module | str] = {}

    def make(name: str, folder: Path) -> nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            if name == "vggish":
                return baseline(name).Vggish().eval()
            if name == "crepe_tiny":
                return baseline("crepe").Crepe("tiny").eval()
            if name == "resemblyzer":
                return baseline(name).Resemblyzer().eval()
            if name == "musicnn":
                return baseline(name).Musicnn().eval()
        if name.startswith("wav2vec2"):
            return baseline("wav2vec2").load_model(str(wav2vec2_folder(folder, name.endswith("stable"))))
        return baseline(name).load_model(str(whisper_folder(folder)) if name.startswith("whisper") else "")

    def load(name: str) -> tuple[ModuleType, nn.Module]:
        if name not in models:
            try:
                models[name] = make(name, tmp_path_factory.mktemp(name))
            except Unavailable as error:
                models[name] = str(error)
        model = models[name]
        if isinstance(model, str):
            pytest.skip(model)
        return baseline(name.partition(" ")[0]), model

    return load


# CREPE of full size is the same code as the tiny one, and slow.
every = pytest.mark.parametrize("name", [*(each for each in BASELINES if each != "crepe"), "wav2vec2 stable"])
Loaded = Callable[[str], tuple[ModuleType, Any]]


def noise(n_clips: int, n_samples: int) -> Tensor:
    return 0.1 * torch.randn(n_clips, n_samples, generator=torch.Generator().manual_seed(n_samples))


def some_frames(model: nn.Module) -> int:
    """Samples of a clip that has two timestamps at least."""
    return int(2 * model.centre + model.hop) + 37 if isinstance(model, Baseline) else 5000


def close(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4 * max(1.0, float(theirs.abs().max())))


@every
def test_shapes_and_times(loaded: Loaded, name: str) -> None:
    module, model = loaded(name)
    assert isinstance(model, nn.Module) and not model.training
    sizes: tuple[Any, ...] = (model.sample_rate, model.scene_embedding_size, model.timestamp_embedding_size)
    assert all(type(size) is int for size in sizes) and model.sample_rate in (16000, 22050, 32000, 44100, 48000)
    audio = noise(2, some_frames(model))
    scene = module.get_scene_embeddings(audio, model)
    assert scene.shape == (2, model.scene_embedding_size) and scene.dtype == torch.float32
    embeddings, times = module.get_timestamp_embeddings(audio, model)
    assert embeddings.shape == (*times.shape, model.timestamp_embedding_size) and times.shape[1] >= 2
    assert embeddings.dtype == times.dtype == torch.float32
    assert embeddings.isfinite().all() and scene.isfinite().all()
    steps = times[0].diff()
    assert (steps > 0).all() and (steps - steps[0]).abs().max() < 1
    assert 0 <= times.min() and times.max() <= 1000 * audio.shape[1] / model.sample_rate
    assert torch.equal(times[0], times[1])
    assert not torch.equal(scene[0], scene[1])


@every
def test_clips_are_embedded_by_themselves(loaded: Loaded, name: str) -> None:
    module, model = loaded(name)
    n_samples = some_frames(model)
    audio = noise(3, n_samples) * torch.tensor([[1.0], [0.01], [3.0]])
    together = module.get_scene_embeddings(audio, model)
    frames, _ = module.get_timestamp_embeddings(audio, model)
    for row in range(3):
        close(module.get_scene_embeddings(audio[row : row + 1], model)[0], together[row])
        close(module.get_timestamp_embeddings(audio[row : row + 1], model)[0][0], frames[row])
    unequal = [audio[0], noise(1, n_samples // 3)[0]]
    close(module.get_scene_embeddings(unequal, model)[0], together[0])
    lists, times = module.get_timestamp_embeddings(unequal, model)
    assert [len(each) for each in lists] == [len(each) for each in times]
    close(lists[0], frames[0])


@every
@pytest.mark.parametrize("n_samples", [1, 399, 16000])
def test_silence_and_short_clips_are_finite(loaded: Loaded, name: str, n_samples: int) -> None:
    module, model = loaded(name)
    for audio in (torch.zeros(1, n_samples), torch.full((1, n_samples), 0.5), noise(1, n_samples)):
        assert module.get_scene_embeddings(audio, model).isfinite().all()
        embeddings, times = module.get_timestamp_embeddings(audio, model)
        assert embeddings.isfinite().all() and times.shape[1] >= 1
        assert 0 <= times.min() and times.max() <= 1000 * n_samples / model.sample_rate


@every
def test_functions_are_those_of_the_contract(loaded: Loaded, name: str) -> None:
    module, model = loaded(name)
    if isinstance(model, Baseline):
        assert module.get_scene_embeddings is contract.get_scene_embeddings
        assert module.get_timestamp_embeddings is contract.get_timestamp_embeddings


@pytest.mark.parametrize("name", ["logmel", "untrained", "untrained_transformer"])
@pytest.mark.parametrize(
    ("audio", "error", "message"),
    [
        (np.zeros((1, 100), np.float32), TypeError, "got ndarray"),
        (torch.zeros(100), ValueError, r"audio\[None\]"),
        (torch.zeros(1, 0), ValueError, "at least one sample"),
        (torch.zeros(0, 100), ValueError, "at least one clip"),
        (torch.zeros(1, 100, dtype=torch.float64), ValueError, "float64"),
        (torch.full((1, 100), float("nan")), ValueError, "finite"),
        (torch.full((1, 100), 1000.0), ValueError, r"scaled to \[-1, 1\]"),
    ],
)
def test_bad_audio_is_one_clear_error(
    loaded: Loaded, name: str, audio: object, error: type[Exception], message: str
) -> None:
    module, model = loaded(name)
    for function in (module.get_scene_embeddings, module.get_timestamp_embeddings):
        with pytest.raises(error, match=message):
            function(audio, model)


@pytest.mark.parametrize("name", ["logmel", "untrained", "untrained_transformer"])
def test_a_model_of_another_kind_is_refused(loaded: Loaded, name: str) -> None:
    module, _ = loaded(name)
    with pytest.raises(TypeError, match="load_model returned, got Linear"):
        module.get_scene_embeddings(torch.zeros(1, 100), nn.Linear(1, 1))


@every
def test_a_coarse_hop_is_stated(loaded: Loaded, name: str) -> None:
    module, model = loaded(name)
    if isinstance(model, Baseline) and model.hop / model.sample_rate > 0.05:
        said = " ".join((module.__doc__ or "").split())
        assert f"hop of {1000 * model.hop // model.sample_rate} ms is far over HEAR's 50 ms" in said


@pytest.mark.parametrize("name", ["logmel", "mfcc", "untrained", "opensmile_egemaps", "opensmile_compare"])
def test_what_has_no_weights_takes_none(loaded: Loaded, name: str) -> None:
    module, _ = loaded(name)
    with pytest.raises(ValueError, match=r"got 'weights\.pth'"):
        module.load_model("weights.pth")


@pytest.mark.parametrize(
    "name",
    ["yamnet", "vggish", "wav2vec2", "whisper_tiny", "whisper_base", "crepe", "crepe_tiny", "resemblyzer", "musicnn"],
)
def test_weights_that_are_not_there_are_named(name: str, tmp_path: Path) -> None:
    if name in ("wav2vec2", "whisper_tiny", "whisper_base"):
        pytest.importorskip("transformers")
    with pytest.raises(FileNotFoundError, match="nothing_here"):
        baseline(name).load_model(str(tmp_path / "nothing_here"))


@pytest.mark.parametrize("name", ["vggish", "crepe_tiny", "resemblyzer"])
def test_other_files_are_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "text.pth").write_text("no weights")
    torch.save({"model_state": {"weight": torch.zeros(1)}}, tmp_path / "other.pth")
    torch.save([torch.zeros(1)], tmp_path / "list.pth")
    torch.save(nn.Linear(1, 1), tmp_path / "pickled.pth")
    for file in ("text", "other", "list", "pickled"):
        with pytest.raises(ValueError, match=f"{file}.pth: expected") as caught:
            baseline(name).load_model(str(tmp_path / f"{file}.pth"))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("mfcc", "librosa"),
        ("yamnet", "ai-edge-litert"),
        ("wav2vec2", "transformers"),
        ("whisper_tiny", "transformers"),
        ("whisper_base", "transformers"),
        ("crepe", "torchcrepe"),
        ("crepe_tiny", "torchcrepe"),
        ("resemblyzer", "resemblyzer"),
        ("musicnn", "musicnn"),
        ("opensmile_egemaps", "opensmile"),
        ("opensmile_compare", "opensmile"),
    ],
)
def test_a_missing_package_is_named(name: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "find_spec", lambda name: None)
    with pytest.raises(Unavailable, match=f"needs the package {package}: pip install .*{package}"):
        baseline(name).load_model()


def test_modules_import_nothing_that_they_may_not_need(repository: Path) -> None:
    optional = ["transformers", "ai_edge_litert", "opensmile", "librosa", "torchcrepe", "resemblyzer", "musicnn"]
    optional += ["torchaudio"]
    code = (
        "import sys; from benchmark.baselines import BASELINES, baseline\n"
        "for name in BASELINES: baseline(name)\n"
        f"print([name for name in {optional} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr


def test_fingerprints_distinguish_weights_and_options() -> None:
    crepe, logmel = baseline("crepe"), baseline("logmel")
    model = crepe.Crepe("tiny")
    before = model.fingerprint()
    assert before == model.fingerprint() != crepe.Crepe("tiny").fingerprint()
    with torch.no_grad():
        model.conv3.bias[0] += 1e-3
    assert model.fingerprint() != before
    assert logmel.load_model().fingerprint() == logmel.load_model().fingerprint() != before


def test_a_longer_clip_is_not_padded() -> None:
    assert padded(torch.ones(5), 3).tolist() == [1.0] * 5


def test_no_other_baseline() -> None:
    with pytest.raises(ValueError, match="expected a baseline out of logmel, .*, got 'nope'"):
        baseline("nope")


def test_windowed_moments_are_moments_of_windows() -> None:
    series = noise(3, 50).double() + 100
    windows = windowed_moments(series, hop=4, half=18)
    assert windows.shape == (13, 6)
    for number, window in enumerate(windows):
        first, last = max(4 * number - 18, 0), 4 * number + 19
        torch.testing.assert_close(window, moments(series[:, first:last]))


def test_statistics_of_a_steady_tone() -> None:
    tone = torch.sin(torch.arange(32000) * 2 * torch.pi * 1000 / 16000)[None]
    scene = baseline("logmel").get_scene_embeddings(tone, baseline("logmel").load_model())[0]
    # 1 000 Hz lies at 15 Slaney mel, in the band around there between 0.9 mel (60 Hz) and 43.9 (7 800 Hz).
    assert int(scene[:64].argmax()) == round((15 - 0.9) / ((44.8 - 0.9) / 65)) - 1
