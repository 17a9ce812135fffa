"""Precisions that a network can compute in, and which of them is fastest on this machine.

A processor's name does not say which precision is fast: bfloat16 is twice as fast as float32 with AMX, and eight times
slower without AVX512-BF16. So a trial of half a second measures each of them, and its result is kept, for the process
and in ``byola_hear/precision.json`` in the user's cache folder.
"""

from __future__ import annotations

import contextlib
import copy
import json
import os
import platform
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from torch import Tensor

from byola_hear.models.encoders.protocol import FrameEncoder
from byola_hear.models.encoders.registry import has_int8
from byola_hear.models.frame_features import FrameFeatures
from byola_hear.models.frontend import FrontendConfig
from byola_hear.utils.files import write_file

#: Precisions that the network can compute in.
PRECISIONS = ("float32", "bfloat16", "int8")
#: ``auto`` takes another precision if it is so many times as fast as float32. One that is so many times slower is
#: reported. Less may be chance.
CLEARLY = 1.1
#: ``auto`` takes no precision that moves the embedding of the trial's audio by more than this share of its norm. Of
#: ``both``, bfloat16 moves the whole embedding by 0.02 and 256 dimensions by 0.06; int8 by 0.002 and 0.004.
MOST_MOVED = 0.05
#: Length of the trial's audio, and of the trial, s; and how often each precision is tried at least.
TRIAL_SECONDS, TRIAL_TIME, LEAST_ROUNDS = 6.0, 0.5, 3
#: Version of the trial: results of another version are measured anew.
_TRIAL_VERSION = 3

#: × real time of each precision, by what it was measured for.
_measured: dict[str, dict[str, float]] = {}


class SlowPrecisionWarning(UserWarning):
    """The chosen precision is slower than float32 on this machine."""


def speeds(
    encoder: FrameEncoder,
    features: Callable[[FrameEncoder, str], FrameFeatures],
    embedding: Callable[[Iterable[Tensor]], Tensor],
    fingerprint: str,
) -> dict[str, float]:
    """Measure how fast this machine computes frame features in each precision that it supports, or remember it.

    Args:
        encoder: the network, in float32, on the device that is to compute.
        features: makes the fast form of a network in a precision.
        embedding: makes one embedding of the frame features ``(n_i, feature_size)`` of a clip.
        fingerprint: tells this network, with these weights and these embeddings, from all others.

    Returns:
        Seconds of audio per second of processor time, or on other devices than CPUs per second, for each usable
        precision: one that this device has, and that moves the trial's embedding by at most :data:`MOST_MOVED`.
        ``"float32"`` is always there.
    """
    device = next(encoder.parameters()).device
    threads = torch.get_num_threads()
    # How far a precision moves embeddings depends on the weights, not on the shape alone.
    key = json.dumps([_TRIAL_VERSION, _machine(device), torch.__version__, threads, fingerprint])
    if key not in _measured:
        _measured.update(_read())
    if key not in _measured:
        _measured[key] = _trial(encoder, features, embedding)
        _write()
    return _measured[key]


def fastest(measured: dict[str, float]) -> str:
    """The precision that ``auto`` takes.

    Args:
        measured: from :func:`speeds`.

    Example:
        >>> fastest({"float32": 100.0, "bfloat16": 13.0, "int8": 160.0})
        'int8'
        >>> fastest({"float32": 100.0, "bfloat16": 104.0})
        'float32'
    """
    best = max(measured, key=lambda precision: measured[precision])
    return best if measured[best] >= CLEARLY * measured["float32"] else "float32"


def is_slow(measured: dict[str, float], precision: str) -> bool:
    """Whether a precision is clearly slower than float32.

    Example:
        >>> is_slow({"float32": 100.0, "bfloat16": 13.0}, "bfloat16")
        True
    """
    return precision in measured and CLEARLY * measured[precision] < measured["float32"]


def trial_audio(config: FrontendConfig) -> Tensor:
    """Noise at a front end's rate, ``(n_samples,)`` float32: the same in every trial."""
    n_samples = round(TRIAL_SECONDS * config.sample_rate)
    generator = torch.Generator().manual_seed(0)
    return 0.1 * torch.randn(n_samples, generator=generator, dtype=torch.float32, device="cpu")


def _trial(
    encoder: FrameEncoder,
    features: Callable[[FrameEncoder, str], FrameFeatures],
    embedding: Callable[[Iterable[Tensor]], Tensor],
) -> dict[str, float]:
    audio = trial_audio(features(encoder, "float32").frontend)
    device = next(encoder.parameters()).device
    forms, passes, expected = {}, {}, None
    for precision in PRECISIONS:
        if precision == "int8" and not (device.type == "cpu" and has_int8(encoder.config)):
            continue
        network = copy.deepcopy(encoder).to(torch.bfloat16) if precision == "bfloat16" else encoder
        try:
            form = features(network, precision)
            found = embedding(frames for _, frames in form.of_clips([audio]))  # sets up memory and kernels, too
        except (RuntimeError, ValueError):
            # This device or this PyTorch lacks the precision. Float32 must work, and its error is the user's to see.
            if precision == "float32":
                raise
            continue
        if expected is None:  # float32, which is always there
            expected = found
        elif not (found - expected).norm() <= MOST_MOVED * expected.norm():  # true for NaN as well
            continue
        forms[precision], passes[precision] = form, [float("inf")]
    # In turns, so that other work on the machine disturbs all alike; and the best of each, which it disturbs least.
    began = time.perf_counter()
    while len(passes["float32"]) <= LEAST_ROUNDS or time.perf_counter() - began < TRIAL_TIME:
        for precision, form in forms.items():
            passes[precision].append(_seconds(form, audio))
    return {precision: TRIAL_SECONDS / min(times) for precision, times in passes.items()}


def _seconds(form: FrameFeatures, audio: Tensor) -> float:
    # Processor time does not depend on what else the machine does.
    clock = time.process_time if form.network.device.type == "cpu" else time.perf_counter
    began = clock()
    for _, frames in form.of_clips([audio]):
        frames[-1, -1].item()  # waits for the device
    return max(clock() - began, 1e-9)


def _machine(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type != "cpu":
        return str(device)
    name = platform.processor()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), name)
    return f"{name} {torch.backends.cpu.get_cpu_capability()}"


def _file() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "byola_hear" / "precision.json"


def _read() -> dict[str, dict[str, float]]:
    """What earlier processes measured; nothing if the file is missing or is not ours, or there is no home."""
    with contextlib.suppress(OSError, ValueError, RuntimeError, AttributeError, TypeError):
        content = json.loads(_file().read_bytes())
        found = {
            str(key): {name: float(values[name]) for name in PRECISIONS if name in values}
            for key, values in content.items()
        }
        return {key: values for key, values in found.items() if values.get("float32", 0) > 0}
    return {}


def _write() -> None:
    """Keep the measurements for other processes, if there is a place for them."""
    with contextlib.suppress(OSError, RuntimeError):
        file = _file()
        file.parent.mkdir(parents=True, exist_ok=True)
        content = {**_read(), **_measured}
        write_file(file, json.dumps(content, indent=1))
