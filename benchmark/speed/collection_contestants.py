"""Ways from a folder of audio files to a vector a file, each run in a process of its own.

``python -m benchmark.speed.collection_contestants NAME`` reads its settings, JSON, from standard input and prints one
line of JSON. Not meant to be run by hand: :mod:`benchmark.speed.collection` does. Each way is set up, goes once
through its first file to warm up, and is timed on all of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

#: Goes through files.
Work = Callable[[list[str]], object]


class NotAtHand(Exception):
    """A way that can't be gone here; says what is missing."""


class ContestantFailed(RuntimeError):
    """A contestant's process that ended in an error; says which, and the last line that it said."""


@dataclass(frozen=True)
class Settings:
    """What a contestant is told.

    Attributes:
        files: to go through.
        model: a name or path for those that use this package's networks.
        threads: that it may compute with.
        output: a table to write, where it writes one.
        yamnet: YAMNet's TFLite file; empty if there is none.
    """

    files: list[str]
    model: str
    threads: int
    output: str
    yamnet: str


def package(settings: Settings, *options: str) -> Work:
    """``byola-hear embed FOLDER -o TABLE``: decoding, network, journal and table."""
    from byola_hear.cli.main import main

    folder = str(Path(settings.files[0]).parent)

    def work(files: list[str]) -> None:
        # One file is the warm-up, which this does without: what it does first, its user waits for.
        if len(files) > 1:
            try:
                main(["embed", folder, "-o", settings.output, "--model", settings.model, "--quiet", *options])
            except SystemExit as stopped:
                if stopped.code:
                    raise RuntimeError(f"byola-hear embed ended with exit code {stopped.code}") from stopped

    return work


def package_bfloat16(settings: Settings) -> Work:
    """The same with ``--precision bfloat16``."""
    return package(settings, "--precision", "bfloat16")


def network(settings: Settings) -> Work:
    """This package's network alone, on audio that is in memory already."""
    import torch

    import byola_hear
    from byola_hear.audio.reading import read_audio

    torch.set_num_threads(settings.threads)
    model = byola_hear.load_model(settings.model)
    decoded = [torch.from_numpy(read_audio(file, model.sample_rate)) for file in settings.files]
    return lambda files: byola_hear.get_scene_embeddings(decoded[: len(files)], model)


def plain(settings: Settings) -> Work:
    """A plain loop: librosa.load, a mel spectrogram, the same network with nothing fused."""
    import librosa
    import numpy as np
    import torch

    import byola_hear
    from benchmark.speed.reference import PlainModel

    torch.set_num_threads(settings.threads)
    model = byola_hear.load_model(settings.model)
    network = PlainModel(model)

    def embedded(file: str) -> Any:
        waveform, _ = librosa.load(file, sr=model.sample_rate)
        return network.scene_embeddings(torch.from_numpy(waveform)[None])[0].numpy()

    return lambda files: np.stack([embedded(file) for file in files])


def opensmile(settings: Settings) -> Work:
    """openSMILE's eGeMAPS functionals of each file, as its Python package computes them."""
    _require("opensmile", "opensmile")
    import opensmile as package

    smile = package.Smile(package.FeatureSet.eGeMAPSv02, package.FeatureLevel.Functionals, num_workers=settings.threads)
    process: Work = smile.process_files
    return process


def yamnet(settings: Settings) -> Work:
    """YAMNet as TFLite: windows of 0.975 s every 0.48 s, its outputs averaged over each file."""
    _require("ai_edge_litert", "ai-edge-litert")
    if not settings.yamnet or not Path(settings.yamnet).is_file():
        raise NotAtHand("its model file is not at hand: --yamnet FILE")
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    from byola_hear.audio.reading import read_audio

    interpreter = Interpreter(settings.yamnet, num_threads=settings.threads)
    interpreter.allocate_tensors()
    taken, given = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    size, hop = int(np.prod(taken["shape"])), 7680

    def output(window: Any) -> Any:
        interpreter.set_tensor(taken["index"], window.reshape(taken["shape"]))
        interpreter.invoke()
        return interpreter.get_tensor(given["index"])[0]

    def scored(file: str) -> Any:
        waveform = read_audio(file, 16000)
        waveform = np.pad(waveform, (0, max(size - len(waveform), 0)))
        windows = np.lib.stride_tricks.sliding_window_view(waveform, size)[::hop]
        return np.mean([output(window) for window in windows], axis=0)

    return lambda files: np.stack([scored(file) for file in files])


def wav2vec2(settings: Settings) -> Work:
    """A network of wav2vec2-base's shape, weights random: for speed alone, which they don't change."""
    _require("transformers", "transformers")
    import torch

    from benchmark.baselines.pretrained import import_torchaudio_without_extension
    from benchmark.baselines.wav2vec2 import Wav2Vec2
    from byola_hear.audio.reading import read_audio

    import_torchaudio_without_extension()
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    torch.set_num_threads(settings.threads)
    model = Wav2Vec2(Wav2Vec2Model(Wav2Vec2Config())).eval()

    @torch.no_grad()
    def work(files: list[str]) -> torch.Tensor:
        return torch.stack([model.scene(torch.from_numpy(read_audio(file, 16000))) for file in files])

    return work


CONTESTANTS: dict[str, Callable[[Settings], Work]] = {
    "package": package,
    "package_bfloat16": package_bfloat16,
    "network": network,
    "plain": plain,
    "opensmile": opensmile,
    "yamnet": yamnet,
    "wav2vec2": wav2vec2,
}


def _require(module: str, distribution: str) -> None:
    if find_spec(module) is None:
        raise NotAtHand(f"not installed: pip install {distribution}")


def run(name: str, settings: Settings) -> dict[str, Any]:
    """Set a contestant up, warm it up, time it.

    Returns:
        ``seconds`` by the clock and ``cpu_seconds`` of all its threads; or ``missing``, what it lacks.
    """
    try:
        work = CONTESTANTS[name](settings)
    except NotAtHand as error:
        return {"missing": str(error)}
    work(settings.files[:1])
    wall, cpu = time.perf_counter(), time.process_time()
    work(settings.files)
    return {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}


def in_a_process(name: str, settings: Settings) -> dict[str, Any]:
    """:func:`run` in a new process.

    Returns:
        As :func:`run`, and ``start_seconds``: what the process took beyond the work, imports and loading above all.

    Raises:
        ContestantFailed: if the process fails.
    """
    threads = str(settings.threads)
    environment = {**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
    command = [sys.executable, "-m", "benchmark.speed.collection_contestants", name]
    began = time.perf_counter()
    done = subprocess.run(
        command,
        input=json.dumps(asdict(settings)),
        cwd=Path(__file__).resolve().parents[2],
        env=environment,
        capture_output=True,
        text=True,
    )
    took = time.perf_counter() - began
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise ContestantFailed(f"{name} failed: {lines[-1]}")
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result if "missing" in result else {**result, "start_seconds": took - result["seconds"]}


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], Settings(**json.load(sys.stdin)))))
