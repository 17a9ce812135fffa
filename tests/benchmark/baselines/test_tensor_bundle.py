"""TensorFlow's checkpoints are read without TensorFlow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmark.baselines.tensor_bundle import read_bundle
from tests.benchmark.baselines.made_bundle import write_bundle

TENSORS = {
    "conv2d/kernel": np.arange(24, dtype=np.float32).reshape(2, 3, 1, 4),
    "conv2d/bias": np.array([0.5, -1.5], np.float32),
    "conv2d_1/bias": np.full(300, 2.0, np.float32),
    "step": np.array(7.0, np.float32),
}


def test_tensors_have_their_names_shapes_and_values(tmp_path: Path) -> None:
    write_bundle(f"{tmp_path}/", TENSORS)
    read = read_bundle(f"{tmp_path}/")
    assert read.keys() == TENSORS.keys()
    for name, values in TENSORS.items():
        np.testing.assert_array_equal(read[name].numpy(), values)


def test_what_is_not_a_checkpoint_is_refused(tmp_path: Path) -> None:
    prefix = f"{tmp_path}/model"
    with pytest.raises(FileNotFoundError, match=r"model\.index"):
        read_bundle(prefix)
    write_bundle(prefix, TENSORS, compression=1)
    with pytest.raises(ValueError, match="without compression"):
        read_bundle(prefix)
    write_bundle(prefix, TENSORS)
    data = Path(f"{prefix}.data-00000-of-00001")
    data.write_bytes(data.read_bytes()[:-4])
    with pytest.raises(ValueError, match="do not fit"):
        read_bundle(prefix)
    whole = Path(f"{prefix}.index").read_bytes()
    for damaged in (b"", b"no table" * 10, whole[:-1], whole[40:]):
        Path(f"{prefix}.index").write_bytes(damaged)
        with pytest.raises(ValueError, match="expected a checkpoint of TensorFlow") as caught:
            read_bundle(prefix)
        assert "\n" not in str(caught.value)
