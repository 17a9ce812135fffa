"""Environments: odd names, locales and homes, no network, threads, processes, and torch's own tools."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import byola_hear
from byola_hear.models.directions import Directions
from byola_hear.models.frontend import _kept_constants
from byola_hear.models.model import ByolaModel
from byola_hear.models.precision import trial_audio
from byola_hear.sklearn import ByolaTransformer
from byola_hear.tables import read_table

SOUND = Path(__file__).parent / "data" / "speech_french_16k.wav"
#: Comes before the program: opening a connection is an error.
NO_NETWORK = """
import socket

def refused(*_, **__):
    raise AssertionError("a connection was opened")

socket.socket.connect = socket.create_connection = socket.getaddrinfo = refused
"""

#: The command line on bad input, which is to be refused, and then on what was given.
REFUSED_FIRST = """
import sys
from byola_hear.cli.main import main

try:
    main(["embed", sys.argv[2], "--window", "-1"])
except SystemExit as end:
    if end.code != 2:
        raise
print("refused", file=sys.stderr)
main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def network() -> ByolaModel:
    return byola_hear.load_model()


@pytest.fixture
def nothing_kept() -> None:
    """The front end as in a process that has computed nothing yet."""
    _kept_constants.cache_clear()


@pytest.fixture
def float64_by_default(nothing_kept: None) -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def noise(seed: int, n_samples: int = 16000) -> Tensor:
    return 0.1 * torch.randn(n_samples, generator=torch.Generator().manual_seed(seed), dtype=torch.float32)


def run(arguments: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run Python in a folder, without a network and with other variables."""
    (folder / "sitecustomize.py").write_text(NO_NETWORK)
    path = os.pathsep.join([str(folder), str(Path(byola_hear.__file__).parents[1])])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", **variables}
    return subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, timeout=300)


def content_of(folder: Path) -> set[str]:
    return {str(path) for path in folder.rglob("*") if "__pycache__" not in path.parts}


@pytest.mark.parametrize(
    ("options", "variables"),
    [
        (["-O"], {"LANG": "C", "LC_ALL": "C", "HOME": "/proc/nowhere", "XDG_CACHE_HOME": "/proc/nowhere"}),
        pytest.param(["-OO"], {"PYTHONIOENCODING": "ascii"}, marks=pytest.mark.slow),
    ],
    ids=["C locale, no home, -O", "ASCII, -OO"],
)
def test_any_name_in_any_environment(
    options: list[str], variables: dict[str, str], tmp_path: Path, network: ByolaModel
) -> None:
    folder = tmp_path / "with spaces, ю"
    folder.mkdir()
    names = ["a b.wav", "naïve ю.wav", *([] if sys.platform == "win32" else ["two\nlines.wav"])]
    for name in names:
        (folder / name).write_bytes(SOUND.read_bytes())
    package = Path(byola_hear.__file__).parent
    before = content_of(package)
    arguments = ["embed", *names, "-o", "t.npz", "--precision", "auto"]
    done = run([*options, "-c", REFUSED_FIRST, *arguments], folder, **variables)
    errors = done.stderr.decode(errors="replace")
    assert done.returncode == 0, errors
    # Bad input is refused without assertions.
    refusal = errors.partition("refused\n")[0]
    assert refusal.startswith("error: ") and len(refusal.splitlines()) == 1
    table = read_table(folder / "t.npz")
    assert table.index.get_level_values("file").tolist() == names
    expected = byola_hear.embed(SOUND, network).to_numpy()
    assert (np.linalg.norm(table.to_numpy() - expected, axis=1) < 0.03 * np.linalg.norm(expected)).all()
    assert content_of(package) == before  # nothing is written into the package


def test_a_default_of_float64_changes_nothing(network: ByolaModel, float64_by_default: None) -> None:
    clip = noise(0)
    loaded = byola_hear.load_model()
    assert next(loaded.parameters()).dtype == torch.float32
    for one, other in (
        (loaded.scene_embeddings([clip]), network.scene_embeddings([clip])),
        (loaded.timestamp_embeddings([clip])[0][0], network.timestamp_embeddings([clip])[0][0]),
    ):
        assert one.dtype == torch.float32
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5 * other.abs().max().item())


@pytest.mark.filterwarnings("ignore::byola_hear.models.precision.SlowPrecisionWarning")
def test_a_default_device_changes_nothing(network: ByolaModel, nothing_kept: None) -> None:
    clip = noise(0)
    with torch.device("meta"):  # whose tensors have no values
        loaded = byola_hear.load_model()
        found = loaded.scene_embeddings([clip])
        (frames,), (times,) = loaded.timestamp_embeddings([clip])
        streamed = torch.cat([each for _, each in loaded.stream_timestamps(clip.split(5000))])
        rounded = loaded.in_precision("int8").scene_embeddings([clip])
        trial = trial_audio(loaded.config.frontend)
    assert torch.equal(found, network.scene_embeddings([clip]))
    assert torch.equal(frames, network.timestamp_embeddings([clip])[0][0])
    assert torch.equal(times, streamed) and torch.equal(times, network.timestamp_embeddings([clip])[1][0])
    assert torch.equal(rounded, network.in_precision("int8").scene_embeddings([clip]))
    assert trial.device.type == "cpu"
    assert {each.device.type for each in (*loaded.parameters(), *loaded.buffers())} == {"cpu"}


@pytest.mark.filterwarnings("ignore::byola_hear.models.precision.SlowPrecisionWarning")
def test_inference_mode_changes_nothing(network: ByolaModel, nothing_kept: None) -> None:
    clips = noise(0)[None]
    with torch.inference_mode():
        found = network.scene_embeddings(clips)
        integers = network.in_precision("int8")
        rounded = integers.scene_embeddings(clips)
    assert torch.equal(found, network.scene_embeddings(clips))
    assert torch.equal(rounded, integers.scene_embeddings(clips)) and not torch.equal(rounded, found)
    network(clips.requires_grad_()).sum().backward()  # the front end and the network can still be trained
    assert clips.grad is not None
    network.zero_grad(set_to_none=True)


def test_autocast_changes_nothing(network: ByolaModel) -> None:
    clips = [noise(0), noise(1, 5000)]
    size = network.scene_embedding_size
    axes = torch.randn(size, 4, generator=torch.Generator().manual_seed(0))
    directions = Directions(torch.zeros(size), axes, torch.ones(4), network.fingerprint())
    for model in (network, network.with_directions(directions)):
        expected, frames = model.scene_embeddings(clips), model.timestamp_embeddings(clips)[0][1]
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(model.scene_embeddings(clips), expected)
            assert torch.equal(model.timestamp_embeddings(clips)[0][1], frames)
            assert torch.equal(model.stream_scene(clips[1].split(5000)), model.scene_embeddings(clips[1:])[0])


def test_many_threads_at_once(network: ByolaModel) -> None:
    clips = [noise(seed, 8000 + 100 * seed) for seed in range(12)]
    expected = [network.scene_embeddings([clip]) for clip in clips]
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(lambda clip: network.scene_embeddings([clip]), clips))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5 * other.abs().max().item())


def test_copies_give_the_same(network: ByolaModel) -> None:
    clip = noise(1)
    expected = network.scene_embeddings([clip])
    for copied in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert copied.fingerprint() == network.fingerprint()
        assert torch.equal(copied.scene_embeddings([clip]), expected)
    transformer = ByolaTransformer(network)
    for same in (copy.deepcopy(transformer), pickle.loads(pickle.dumps(transformer))):
        np.testing.assert_array_equal(same.transform([clip.numpy()]), transformer.transform([clip.numpy()]))


def embedded(model: ByolaModel, clip: Tensor) -> Tensor:
    return model.scene_embeddings([clip])


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_other_processes(method: str, network: ByolaModel) -> None:
    if sys.platform == "win32" and method != "spawn":
        pytest.skip("Windows only spawns")
    clip = noise(2)
    with ProcessPoolExecutor(1, mp_context=get_context(method)) as pool:
        found = pool.submit(embedded, network, clip).result(timeout=300)
    torch.testing.assert_close(found, network.scene_embeddings([clip]))


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
def test_compiled_models_compute_the_same(backend: str) -> None:
    model = byola_hear.load_model().eval()
    clips = torch.stack([noise(3), noise(4)])
    compiled = torch.compile(model, backend=backend)
    with torch.no_grad():
        expected, found = model(clips), compiled(clips)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4 * expected.abs().max().item())


def test_exported_models_compute_the_same(nothing_kept: None) -> None:
    model = byola_hear.load_model().eval()
    clips = torch.stack([noise(5), noise(6)])
    program = torch.export.export(model, (clips,))
    expected = model(clips)
    torch.testing.assert_close(program.module()(clips), expected, rtol=1e-4, atol=1e-4 * expected.abs().max().item())
