"""Reference vectors: what every network and baseline makes of two real clips, to notice when embeddings move.

Results are kept under the identity of what they were measured with (:func:`benchmark.models.extractors.identity_of`).
It holds a version of the embeddings instead of the code. ``tests/benchmark/models/references/NAME.npz`` holds the
embeddings of that version. After a version was raised, or weights were trained anew, write the references again::

    python -m tests.benchmark.models.reference_embeddings          # all that can be loaded here
    python -m tests.benchmark.models.reference_embeddings logmel   # or by name
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch

import byola_hear
from benchmark.baselines import BASELINES, baseline
from benchmark.baselines.weights import Unavailable
from benchmark.models.extractors import identity_of
from benchmark.models.loading import load_baseline

NETWORKS = ("both", "speech", "nonspeech")
NAMES = (*NETWORKS, *BASELINES)

REFERENCES = Path(__file__).with_name("references")
DATA = Path(__file__).parents[2] / "data"

#: Two lossless clips, used at the rate that they have, so that no decoder or resampler has a say.
CLIPS = ("speech_french_16k.wav", "drum_stereo_44k.flac")
SECONDS = 2


def clips() -> list[torch.Tensor]:
    """Differences of neighbouring samples of each clip's first channel, a quarter as loud, taken for audio at 16 kHz.

    Differences, since a drum's low end drowns its high bands: what an FFT's rounding leaves there is most of what is
    there, and two processors' FFTs then differ by 1e-4. Integers, so that the input is the same everywhere.
    """
    found = []
    for name in CLIPS:
        samples, _ = soundfile.read(DATA / name, frames=SECONDS * 16000, dtype="int16", always_2d=True)
        found.append(torch.from_numpy(np.diff(samples[:, 0].astype(np.int32)) / 131072).float())
    return found


def load(name: str) -> tuple[Any, Any]:
    """The module that speaks HEAR's API, and its model.

    Raises:
        Unavailable: if a baseline can't be loaded here.
    """
    if name in NETWORKS:
        return byola_hear, byola_hear.load_model(name)
    return baseline(name), load_baseline(name)


def embeddings_of(module: Any, model: Any) -> dict[str, np.ndarray]:
    """What a reference file holds: each clip's embedding, and that of a timestamp in its middle, with all times."""
    audio = clips()
    scenes = module.get_scene_embeddings(audio, model)
    embeddings, times = module.get_timestamp_embeddings(audio, model)
    return {
        "scene": scenes.numpy(),
        "timestamp": torch.stack([each[len(each) // 2] for each in embeddings]).numpy(),
        "times": torch.cat(times).numpy(),
    }


def reference(name: str) -> tuple[str, dict[str, np.ndarray]]:
    """The identity that a reference was written with, and its arrays.

    Raises:
        FileNotFoundError: if there is none.
    """
    with np.load(REFERENCES / f"{name}.npz", allow_pickle=False) as file:
        arrays = {key: file[key] for key in file.files}
    return str(arrays.pop("identity")), arrays


def write(names: list[str]) -> None:
    """Write the references of those that can be loaded here."""
    REFERENCES.mkdir(exist_ok=True)
    for name in names or NAMES:
        try:
            module, model = load(name)
        except Unavailable as error:
            print(f"{name}: left as it is: {error}")
            continue
        identity = identity_of(model, name)
        arrays: dict[str, Any] = embeddings_of(module, model)
        np.savez_compressed(REFERENCES / f"{name}.npz", identity=identity, **arrays)
        print(f"{name}: {identity}")


if __name__ == "__main__":
    write(sys.argv[1:])
