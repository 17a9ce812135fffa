"""A model that was loaded before a process is forked can be used in it."""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Iterator

import pytest
import torch

from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def small_model() -> ByolaModel:
    encoder = EncoderConfig(n_mels=16, channels=4, hidden_size=10)
    return ByolaModel(ModelConfig("small", "1", FrontendConfig(n_mels=16), encoder, -7.0, 4.0)).eval()


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_process_embeds(two_threads: None) -> None:
    model = small_model()
    noise = torch.randn(1, 16000 * 5)
    expected = model.scene_embeddings(noise)  # starts torch's threads in this process
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    process = context.Process(target=lambda: results.put(model.scene_embeddings(noise).tolist()), daemon=True)
    process.start()
    process.join(60)
    if process.exitcode is None:
        process.kill()
    assert process.exitcode == 0
    torch.testing.assert_close(torch.tensor(results.get()), expected, atol=1e-5, rtol=1e-5)


def test_a_model_from_a_pickle_prepares_for_forks(monkeypatch: pytest.MonkeyPatch) -> None:
    pickled = pickle.dumps(small_model())
    prepared: list[bool] = []
    monkeypatch.setattr("byola_hear.models.model.survive_fork", lambda: prepared.append(True))
    pickle.loads(pickled)
    assert prepared
