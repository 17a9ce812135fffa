"""Methods that turn a folder of audio files into a vector for each file, each run in a process of its own.

``python -m benchmark.speed.collection_methods NAME`` reads its settings, JSON, from standard input and prints one line
of JSON. :mod:`benchmark.speed.collection` runs it; it is not meant to be run by hand. Each method is set up, processes
its first file to warm up, and is timed on all of them.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmark.speed.children import child_result
from benchmark.speed.race import NotAvailable

#: Processes files.
Work = Callable[[list[str]], object]

#: What each method is, and the number of files that it processes at most: fewer where it may be slow.
TITLES: dict[str, tuple[str, int | None]] = {
    "package": ("byola-hear embed, files to table", None),
    "package_bfloat16": ("the same with `--precision bfloat16`", 300),
    "package_int8": ("the same with `--precision int8`", None),
    "network": ("the network alone, audio in memory", 200),
    "plain": ("plain loop: librosa.load, mel spectrogram, plain network", 200),
    "opensmile": ("openSMILE eGeMAPS functionals", 100),
    "yamnet": ("YAMNet TFLite, windows every 0.48 s", 200),
    "wav2vec2": ("wav2vec2-base's shape, random weights", 5),
}


@dataclass(frozen=True)
class MethodSettings:
    """The settings of a method's process.

    Attributes:
        files: files to process.
        model: name or path of the network, for methods that use this package's networks.
        threads: CPU threads.
        output: table to write, for methods that write one.
        yamnet: YAMNet's TFLite file; empty if there is none.
    """

    files: list[str]
    model: str
    threads: int
    output: str
    yamnet: str


def package(settings: MethodSettings, *options: str) -> Work:
    """``byola-hear embed FILES -o TABLE``: decoding, network, journal and table."""
    from byola_hear.cli.main import main

    def work(files: list[str]) -> None:
        # No warm-up (which is one file): a user waits for the first file, too.
        if len(files) > 1:
            try:
                # Not their folder, which may hold more files than are counted.
                main(["embed", *files, "-o", settings.output, "--model", settings.model, "--quiet", *options])
            except SystemExit as stopped:
                if stopped.code:
                    raise RuntimeError(f"byola-hear embed ended with exit code {stopped.code}") from stopped

    return work


def package_bfloat16(settings: MethodSettings) -> Work:
    """``byola-hear embed`` with ``--precision bfloat16``."""
    return package(settings, "--precision", "bfloat16")


def package_int8(settings: MethodSettings) -> Work:
    """``byola-hear embed`` with ``--precision int8``."""
    return package(settings, "--precision", "int8")


def network(settings: MethodSettings) -> Work:
    """This package's network alone, on audio in memory."""
    import torch

    import byola_hear
    from byola_hear.audio.reading import read_audio

    torch.set_num_threads(settings.threads)
    model = byola_hear.load_model(settings.model)
    decoded = [torch.from_numpy(read_audio(file, model.sample_rate)) for file in settings.files]
    return lambda files: byola_hear.get_scene_embeddings(decoded[: len(files)], model)


def plain(settings: MethodSettings) -> Work:
    """A plain loop: librosa.load, a mel spectrogram, the same network without fused layers."""
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


def opensmile(settings: MethodSettings) -> Work:
    """openSMILE's eGeMAPS functionals, computed by its Python package."""
    _require("opensmile", "opensmile")
    import opensmile as package

    smile = package.Smile(package.FeatureSet.eGeMAPSv02, package.FeatureLevel.Functionals, num_workers=settings.threads)
    process: Work = smile.process_files
    return process


def yamnet(settings: MethodSettings) -> Work:
    """YAMNet in TFLite: windows of 0.975 s every 0.48 s, outputs averaged over each file."""
    _require("ai_edge_litert", "ai-edge-litert")
    if not settings.yamnet or not Path(settings.yamnet).is_file():
        raise NotAvailable("its model file is missing: --yamnet FILE")
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


def wav2vec2(settings: MethodSettings) -> Work:
    """A network of wav2vec2-base's shape with random weights, which make no difference to the speed."""
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


METHODS: dict[str, Callable[[MethodSettings], Work]] = {
    "package": package,
    "package_bfloat16": package_bfloat16,
    "package_int8": package_int8,
    "network": network,
    "plain": plain,
    "opensmile": opensmile,
    "yamnet": yamnet,
    "wav2vec2": wav2vec2,
}


def _require(module: str, distribution: str) -> None:
    if find_spec(module) is None:
        raise NotAvailable(f"not installed: pip install {distribution}")


def run(name: str, settings: MethodSettings) -> dict[str, Any]:
    """Set a method up, warm it up and time it.

    Returns:
        ``seconds`` by the clock and ``cpu_seconds`` of all its threads; or ``missing``, what it lacks.
    """
    try:
        work = METHODS[name](settings)
    except NotAvailable as error:
        return {"missing": str(error)}
    work(settings.files[:1])
    wall, cpu = time.perf_counter(), time.process_time()
    work(settings.files)
    return {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}


def in_a_process(name: str, settings: MethodSettings) -> dict[str, float]:
    """Run :func:`run` in a new process.

    Returns:
        Seconds: ``wall`` and ``cpu`` of the work, and ``start``, the process's other time: mostly imports and loading.

    Raises:
        NotAvailable: if the method lacks something.
        benchmark.speed.children.ChildFailed: if the process fails.
    """
    threads = str(settings.threads)
    began = time.perf_counter()
    result: dict[str, Any] = child_result(
        "benchmark.speed.collection_methods",
        name,
        stdin=json.dumps(asdict(settings)),
        environment={"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads},
    )
    took = time.perf_counter() - began
    if "missing" in result:
        raise NotAvailable(result["missing"])
    return {"wall": result["seconds"], "cpu": result["cpu_seconds"], "start": took - result["seconds"]}


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1], MethodSettings(**json.load(sys.stdin)))))
