"""YAMNet, the successor of VGGish: a MobileNet trained on AudioSet's labels. 1024 dimensions every 0.48 s.

Embeddings are the layer ``global_average_pooling2d/Mean``, before the classes, of the TFLite model, which takes 15600
samples (0.975 s). Windows start every 7680 samples; the last one is padded with zeros. **A hop of 480 ms is far over
HEAR's 50 ms**: too coarse for events. Timestamps are the windows' centres, 487.5 + 480 k ms.

Google, Apache-2.0: github.com/tensorflow/models/tree/master/research/audioset/yamnet. Ported weights:
kaggle.com/models/google/yamnet, the TFLite variation, saved as ``yamnet.tflite``.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark.baselines.contract import Baseline, get_scene_embeddings, get_timestamp_embeddings, padded
from benchmark.baselines.weights import MODELS_VARIABLE, Unavailable, need_package, weights_in_folder
from byola_hear.utils.files import file_hash

__all__ = ["get_scene_embeddings", "get_timestamp_embeddings", "load_model"]

#: Samples in a window, and from one to the next.
WINDOW, HOP = 15600, 7680
#: The layer whose output is the embedding.
LAYER = "global_average_pooling2d/Mean"


class Yamnet(Baseline):
    """YAMNet as TFLite runs it, on one thread.

    Args:
        path: the TFLite file.
        identity: see :class:`~benchmark.baselines.contract.Baseline`.
        note: see :class:`~benchmark.baselines.contract.Baseline`.

    Raises:
        ValueError: if the file is not YAMNet.
    """

    embedding_version = 1
    scene_embedding_size = 1024
    timestamp_embedding_size = 1024
    hop = HOP
    centre = WINDOW / 2

    def __init__(self, path: Path, identity: str, note: str) -> None:
        super().__init__(identity, note)
        self.interpreter = _interpreter(path)
        self.taken = self.interpreter.get_input_details()[0]
        layers = [each for each in self.interpreter.get_tensor_details() if each["name"].endswith(LAYER)]
        if int(np.prod(self.taken["shape"])) != WINDOW or len(layers) != 1 or layers[0]["shape"][-1] != 1024:
            raise ValueError(f"{path}: expected YAMNet, {WINDOW} samples in and one layer {LAYER} of 1024 dimensions")
        self.layer = layers[0]["index"]

    def frames(self, clip: Tensor) -> Tensor:
        n_windows = 1 + max(0, -(-(len(clip) - WINDOW) // HOP))
        windows = padded(clip, WINDOW + (n_windows - 1) * HOP).unfold(0, WINDOW, HOP)
        return torch.from_numpy(np.concatenate([self._embedded(window.numpy()) for window in windows]))

    def _embedded(self, window: np.ndarray) -> np.ndarray:
        self.interpreter.set_tensor(self.taken["index"], np.ascontiguousarray(window).reshape(self.taken["shape"]))
        self.interpreter.invoke()
        embedding: np.ndarray = self.interpreter.get_tensor(self.layer)
        return embedding


def _interpreter(path: Path) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    with warnings.catch_warnings():
        # It warns that outputs of intermediate layers are for debugging; they are the embeddings here.
        warnings.filterwarnings("ignore", message=".*experimental_preserve_all_tensors.*")
        try:
            interpreter = Interpreter(str(path), num_threads=1, experimental_preserve_all_tensors=True)
            interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ValueError(f"{path}: expected a TFLite model, could not read it: {error}") from error
    return interpreter


def load_model(model_file_path: str = "") -> Yamnet:
    """Load YAMNet.

    Args:
        model_file_path: the TFLite file. If empty, ``yamnet.tflite`` in the folder that the environment variable
            ``BYOLA_BENCHMARK_MODELS`` names.

    Raises:
        FileNotFoundError: if the file does not exist.
        ValueError: if it is not YAMNet.
        Unavailable: if the package ai-edge-litert is missing, or no file is named and the default one is missing.
    """
    if model_file_path and not Path(model_file_path).is_file():
        raise FileNotFoundError(f"expected YAMNet's TFLite file at {model_file_path}, found no file")
    version = need_package("ai_edge_litert", "pip install ai-edge-litert")
    path = Path(model_file_path) if model_file_path else weights_in_folder("yamnet.tflite")
    if path is None:
        raise Unavailable(
            "needs yamnet.tflite: download the TFLite variation of kaggle.com/models/google/yamnet to the folder that "
            f"{MODELS_VARIABLE} names"
        )
    note = "YAMNet (Google, Apache-2.0), supervised on AudioSet; 1024 dimensions every 0.48 s, their mean"
    return Yamnet(path, f"ai-edge-litert-{version}-{file_hash(path)}", note).eval()
