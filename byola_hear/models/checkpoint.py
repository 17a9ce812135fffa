"""Checkpoints: one safetensors file with the weights and, in its header, everything else about the model.

The header's metadata has one entry, ``byola_hear``: JSON of the format's version and of the whole
:class:`~byola_hear.models.config.ModelConfig`. Tensors carry the names of published checkpoints of the family
(``features.*``, ``fc.*``); matrices and kernels are float16, vectors (biases, batch norm) float32, since they
are a thousandth of the file and a variance may exceed float16. Reading runs no code from the file.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Protocol

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import Encoder, EncoderConfig
from byola_hear.utils.files import replacing

#: Name of the metadata entry, by which a file is recognised.
FORMAT = "byola_hear"
#: Raised whenever an older reader could no longer make sense of the file.
FORMAT_VERSION = 1
#: Longest header that is looked at, bytes. A checkpoint's is some kilobytes.
MAX_HEADER_BYTES = 16 * 1024 * 1024
#: Counts batches while training and has no part in inference: left out of the file.
COUNTER = "num_batches_tracked"


class CheckpointError(ValueError):
    """A checkpoint that can't be used; the message names the file and says why."""


class Saved(Protocol):
    """What goes into a checkpoint: a model's configuration and its network."""

    @property
    def config(self) -> ModelConfig:
        """Everything but the weights."""

    @property
    def encoder(self) -> Encoder:
        """The network."""


def save_checkpoint(path: str | os.PathLike[str], model: Saved, dtype: torch.dtype = torch.float16) -> str:
    """Write a model to a file: all of it or, if anything fails, nothing.

    Args:
        path: where to; an existing file is replaced.
        model: the model; its ``config`` goes into the header.
        dtype: of the matrices and kernels.

    Returns:
        The file's SHA-256 in hexadecimal. Same weights and configuration, same bytes.

    Raises:
        ValueError: if a weight is not finite, or no longer is as ``dtype``.
        FileNotFoundError: if the folder does not exist.
    """
    path = Path(path)
    tensors = {}
    for name, tensor in model.encoder.state_dict().items():
        if name.endswith(COUNTER):
            continue
        kept = tensor.detach().to("cpu", dtype if tensor.ndim > 1 else torch.float32).contiguous()
        if not torch.isfinite(kept).all():
            raise ValueError(f"{path} not written: {name} holds values that are not finite as {kept.dtype}")
        tensors[name] = kept
    header = {"format_version": FORMAT_VERSION, "config": model.config.to_dict()}
    content = safetensors.torch.save(tensors, {FORMAT: json.dumps(header, sort_keys=True, allow_nan=False)})
    with replacing(path) as stream:
        stream.write(content)
    return hashlib.sha256(content).hexdigest()


def read_checkpoint(
    path: str | os.PathLike[str], expected_sha256: str | None = None
) -> tuple[ModelConfig, dict[str, Tensor]]:
    """Read and verify a checkpoint.

    Args:
        path: a file written by :func:`save_checkpoint`.
        expected_sha256: hexadecimal; the file is refused if its hash is another.

    Returns:
        The configuration, and the weights by name as they are in the file.

    Raises:
        CheckpointError: if the file is not such a checkpoint, is damaged, or has another hash.
        FileNotFoundError: if there is no such file.
    """
    path = existing_file(path)
    content = path.read_bytes()
    if expected_sha256 is not None:
        actual = hashlib.sha256(content).hexdigest()
        if actual != expected_sha256.lower():
            raise CheckpointError(f"{path}: expected SHA-256 {expected_sha256}, the file's is {actual}")
    header = _parse_header(path, content[: 8 + MAX_HEADER_BYTES], len(content))
    config = _config_of(path, header)
    shapes = {name: tuple(entry["shape"]) for name, entry in header.items() if name != "__metadata__"}
    check_shapes(path, config.encoder, shapes)
    try:
        return config, safetensors.torch.load(content)
    except (safetensors.SafetensorError, KeyError) as error:  # KeyError: a type that it has no tensors of
        raise CheckpointError(f"{path}: damaged safetensors file ({error})") from error


def read_header(path: str | os.PathLike[str]) -> tuple[ModelConfig, dict[str, tuple[int, ...]]]:
    """Read what a checkpoint says about itself, without its weights.

    Args:
        path: a file written by :func:`save_checkpoint`.

    Returns:
        The configuration, and each tensor's shape by name.

    Raises:
        CheckpointError: if the file is not such a checkpoint or is truncated.
        FileNotFoundError: if there is no such file.
    """
    path = existing_file(path)
    with path.open("rb") as stream:
        start = stream.read(8)
        start += stream.read(min(int.from_bytes(start, "little"), MAX_HEADER_BYTES))
    header = _parse_header(path, start, path.stat().st_size)
    config = _config_of(path, header)
    return config, {name: tuple(entry["shape"]) for name, entry in header.items() if name != "__metadata__"}


def existing_file(path: str | os.PathLike[str]) -> Path:
    path = Path(path)
    if path.is_dir():
        raise CheckpointError(f"{path}: expected a checkpoint file, got a folder")
    if not path.is_file():
        raise FileNotFoundError(f"no such checkpoint: {path}")
    return path


def _parse_header(path: Path, start: bytes, size: int) -> dict[str, Any]:
    """The JSON header of a safetensors file, checked as far as it can be without the tensors.

    Args:
        path: for messages.
        start: the file's first bytes, header included.
        size: of the whole file, bytes.
    """
    length = int.from_bytes(start[:8], "little")
    if size < 10 or length > MAX_HEADER_BYTES or start[8:9] != b"{":
        hint = "; a legacy .pth needs load_legacy" if start[:2] == b"PK" or path.suffix == ".pth" else ""
        raise CheckpointError(f"{path}: not a safetensors file{hint}")
    if size < 8 + length:
        raise CheckpointError(f"{path}: truncated: the header is {length} bytes, the file is {size}")
    try:
        header = json.loads(start[8 : 8 + length])
        entries = [entry for name, entry in header.items() if name != "__metadata__"]
        end = max((int(entry["data_offsets"][1]) for entry in entries), default=0)
        if not all(isinstance(entry["shape"], list) for entry in entries):
            raise ValueError("a shape is not a list")
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError) as error:
        raise CheckpointError(f"{path}: damaged safetensors header ({error})") from error
    expected = 8 + length + end
    if size < expected:
        raise CheckpointError(f"{path}: truncated: expected {expected} bytes, got {size}")
    return header


def _config_of(path: Path, header: dict[str, Any]) -> ModelConfig:
    metadata = header.get("__metadata__")
    text = metadata.get(FORMAT) if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise CheckpointError(f"{path}: a safetensors file, but its header has no {FORMAT!r} configuration")
    try:
        content = json.loads(text)
        version = content["format_version"]
        if version == FORMAT_VERSION:
            return ModelConfig.from_dict(content["config"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise CheckpointError(f"{path}: unusable configuration in the header ({error})") from error
    raise CheckpointError(f"{path}: expected checkpoint format version {FORMAT_VERSION}, got {version!r}")


def _empty_encoder(path: Path, config: EncoderConfig) -> Encoder:
    """An encoder without memory or random numbers spent on weights that are about to be replaced."""
    try:
        with torch.device("meta"):
            return Encoder(config)
    except (RuntimeError, TypeError, OverflowError) as error:
        raise CheckpointError(f"{path}: no network of this shape can be built: {config}") from error


def check_shapes(path: Path, config: EncoderConfig, shapes: dict[str, tuple[int, ...]]) -> None:
    """Compare tensors' names and shapes with the configured network's, before anything is allocated."""
    state = _empty_encoder(path, config).state_dict()
    expected = {name: tuple(tensor.shape) for name, tensor in state.items() if not name.endswith(COUNTER)}
    if missing := sorted(expected.keys() - shapes.keys()):
        raise CheckpointError(f"{path}: missing tensors: {listed(missing)}")
    if unknown := sorted(shapes.keys() - expected.keys()):
        raise CheckpointError(f"{path}: unknown tensors: {listed(unknown)}")
    for name, shape in expected.items():
        if shapes[name] != shape:
            raise CheckpointError(f"{path}: expected {name} of shape {shape}, got {shapes[name]}")


def filled_encoder(path: Path, config: EncoderConfig, tensors: dict[str, Tensor]) -> Encoder:
    """The network that a checkpoint's tensors make.

    Args:
        path: the checkpoint, for messages.
        config: the network's shape.
        tensors: its weights by name, of the right shapes.

    Returns:
        The network: float32, on the CPU.

    Raises:
        CheckpointError: if a weight is not a finite floating point number.
    """
    state = {}
    for name, tensor in tensors.items():
        if not tensor.dtype.is_floating_point:
            raise CheckpointError(f"{path}: expected floating point numbers in {name}, got {tensor.dtype}")
        # A copy: float32 tensors would otherwise share the file's buffer.
        state[name] = tensor.to(torch.float32, copy=True).contiguous()
        if not torch.isfinite(state[name]).all():
            raise CheckpointError(f"{path}: {name} holds NaN or infinite values")
    encoder = _empty_encoder(path, config)
    for name in encoder.state_dict():
        if name.endswith(COUNTER):
            state[name] = torch.zeros((), dtype=torch.long)
    encoder.load_state_dict(state, assign=True)
    return encoder


def listed(names: Any) -> str:
    names = [str(name) for name in names]
    shown = ", ".join(names[:4]) or "none"
    return shown if len(names) <= 4 else f"{shown} and {len(names) - 4} more"
