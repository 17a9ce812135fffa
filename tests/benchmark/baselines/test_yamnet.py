"""YAMNet's windows."""

from __future__ import annotations

import pytest
import torch

from benchmark.baselines import yamnet
from tests.benchmark.baselines.available import available, noise


@pytest.mark.parametrize(("n_samples", "n_windows"), [(1, 1), (15600, 1), (15601, 2), (23280, 2), (23281, 3)])
def test_yamnets_windows(n_samples: int, n_windows: int) -> None:
    model = available("yamnet")
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
