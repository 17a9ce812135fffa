"""Checkpoints: one safetensors file with a model's weights and, in its header, everything else about the model.

The header's metadata has one entry, ``byola_hear``: JSON with the format's version and the whole
:class:`~byola_hear.models.config.ModelConfig`. The tensors of convolutional encoders have the names of published
checkpoints of the family (``features.*``, ``fc.*``). Matrices and kernels are float16. Vectors (biases, batch norm) are
float32: they are a thousandth of the file, and a variance may exceed the range of float16. Reading runs no code from
the file.

Versions of the format:

- 1 (byola_hear up to 0.5): every encoder is convolutional and the pooling is maximum plus mean, so the header names
  neither.
- 2: the header names the encoder's ``kind`` and the ``pooling``. Readers of version 1 refuse such a file by its
  version.

Both are read; version 2 is written.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.protocol import EncoderShape, FrameEncoder
from byola_hear.models.encoders.registry import build_encoder
from byola_hear.utils.files import write_file

#: Name of the metadata entry that marks a checkpoint of this package.
FORMAT = "byola_hear"
#: Version that is written; raised whenever older readers cannot use the file.
FORMAT_VERSION = 2
#: Versions that are read.
READABLE_VERSIONS = (1, 2)
#: Longest header that is read, bytes. A checkpoint's header has a few kilobytes.
MAX_HEADER_BYTES = 16 * 1024 * 1024
#: Buffers of this name count batches in training. Inference does not use them, so files leave them out.
COUNTER = "num_batches_tracked"


class CheckpointError(ValueError):
    """A checkpoint cannot be used. The message names the file and the reason."""


class Saved(Protocol):
    """What a checkpoint stores: a :class:`~byola_hear.models.model.ByolaModel`, for instance."""

    @property
    def config(self) -> ModelConfig:
        """Everything except the weights."""

    @property
    def encoder(self) -> nn.Module:
        """The network."""


def save_checkpoint(path: str | os.PathLike[str], model: Saved, dtype: torch.dtype = torch.float16) -> str:
    """Write a model to a file. If anything fails, nothing is written and an existing file stays as it was.

    Args:
        path: the file; an existing one is replaced.
        model: the model; its ``config`` goes into the header.
        dtype: dtype of the matrices and kernels in the file.

    Returns:
        The file's SHA-256 in hexadecimal. The same weights and configuration give the same bytes.

    Raises:
        ValueError: if a weight is not finite, or not finite in ``dtype``, or (:class:`CheckpointError`) the weights are
            not those of the configured network, as with adapters in place of layers.
        FileNotFoundError: if the folder does not exist.
    """
    path = Path(path)
    tensors = {}
    for name, tensor in weights_of(model.encoder).items():
        kept = tensor.detach().to("cpu", dtype if tensor.ndim > 1 else torch.float32).contiguous()
        if not torch.isfinite(kept).all():
            raise ValueError(f"{path} not written: {name} holds values that are not finite as {kept.dtype}")
        tensors[name] = kept
    check_shapes(
        f"{path} not written", model.config.encoder, {name: tuple(kept.shape) for name, kept in tensors.items()}
    )
    header = {"format_version": FORMAT_VERSION, "config": model.config.to_dict()}
    content = safetensors.torch.save(tensors, {FORMAT: json.dumps(header, sort_keys=True, allow_nan=False)})
    write_file(path, content)
    return hashlib.sha256(content).hexdigest()


def weights_of(encoder: nn.Module) -> dict[str, Tensor]:
    """The weights that a checkpoint stores, by name; the same names if torch.compile has wrapped the network."""
    state = encoder.state_dict()
    return {name.replace("_orig_mod.", ""): values for name, values in state.items() if not name.endswith(COUNTER)}


def read_checkpoint(
    path: str | os.PathLike[str], expected_sha256: str | None = None
) -> tuple[ModelConfig, dict[str, Tensor]]:
    """Read and verify a checkpoint.

    Args:
        path: a file written by :func:`save_checkpoint`.
        expected_sha256: hexadecimal; a file with another hash is refused.

    Returns:
        The configuration, and the weights by name as stored in the file.

    Raises:
        CheckpointError: if the file is not a checkpoint of this package, is damaged, or has another hash.
        FileNotFoundError: if there is no such file.
    """
    path = existing_file(path)
    content = verified_content(path, expected_sha256)
    header = parsed_header(path, content[: 8 + MAX_HEADER_BYTES], len(content))
    config = _config_of(path, header)
    shapes = {name: tuple(entry["shape"]) for name, entry in header.items() if name != "__metadata__"}
    check_shapes(path, config.encoder, shapes)
    try:
        return config, safetensors.torch.load(content)
    except (safetensors.SafetensorError, KeyError) as error:  # KeyError: a dtype that the library does not support
        raise CheckpointError(f"{path}: damaged safetensors file ({error})") from error


def verified_content(path: str | os.PathLike[str], expected_sha256: str | None) -> bytes:
    """Read a file and compare its hash.

    Args:
        path: the file.
        expected_sha256: hexadecimal; any if None.

    Raises:
        CheckpointError: if the hash is another one, or the path is a folder.
        FileNotFoundError: if there is no such file.
    """
    content = existing_file(path).read_bytes()
    if expected_sha256 is not None:
        actual = hashlib.sha256(content).hexdigest()
        if actual != expected_sha256.lower():
            raise CheckpointError(f"{path}: expected SHA-256 {expected_sha256}, got {actual}")
    return content


def read_header(path: str | os.PathLike[str]) -> tuple[ModelConfig, dict[str, tuple[int, ...]]]:
    """Read a checkpoint's header without its weights.

    Args:
        path: a file written by :func:`save_checkpoint`.

    Returns:
        The configuration, and the shape of each tensor by name.

    Raises:
        CheckpointError: if the file is not a checkpoint of this package or is truncated.
        FileNotFoundError: if there is no such file.
    """
    path = existing_file(path)
    with path.open("rb") as stream:
        start = stream.read(8)
        start += stream.read(min(int.from_bytes(start, "little"), MAX_HEADER_BYTES))
    header = parsed_header(path, start, path.stat().st_size)
    config = _config_of(path, header)
    return config, {name: tuple(entry["shape"]) for name, entry in header.items() if name != "__metadata__"}


def existing_file(path: str | os.PathLike[str]) -> Path:
    """Check that a checkpoint's file exists.

    Raises:
        CheckpointError: if it is a folder.
        FileNotFoundError: if there is no such file.
    """
    path = Path(path)
    if path.is_dir():
        raise CheckpointError(f"{path}: expected a checkpoint file, got a folder")
    if not path.is_file():
        raise FileNotFoundError(f"no such checkpoint: {path}")
    return path


def parsed_header(path: Path, start: bytes, size: int) -> dict[str, Any]:
    """Read the JSON header of a safetensors file and check everything that does not need the tensors.

    Args:
        path: the file, for messages.
        start: the file's first bytes, header included.
        size: size of the whole file, bytes.

    Raises:
        CheckpointError: if it is not such a file, or is damaged.
    """
    length = int.from_bytes(start[:8], "little")
    if size < 10 or length > MAX_HEADER_BYTES or start[8:9] != b"{":
        is_pth = start[:2] == b"PK" or path.suffix == ".pth"
        hint = f"; `byola-hear convert {path.name} -o {path.stem}.safetensors` makes one of a .pth" if is_pth else ""
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
        if version in READABLE_VERSIONS:
            return ModelConfig.from_dict(content["config"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise CheckpointError(f"{path}: unusable configuration in the header ({error})") from error
    known = " or ".join(map(str, READABLE_VERSIONS))
    hint = "; a newer byola_hear may read it" if isinstance(version, int) and version > FORMAT_VERSION else ""
    raise CheckpointError(f"{path}: expected checkpoint format version {known}, got {version!r}{hint}")


def _empty_encoder(path: Path | str, config: EncoderShape) -> FrameEncoder:
    """Make a network without weights, which takes neither memory nor random numbers."""
    try:
        with torch.device("meta"):
            return build_encoder(config)
    except (RuntimeError, TypeError, OverflowError) as error:
        raise CheckpointError(f"{path}: no network of this shape can be built: {config}") from error


def check_shapes(path: Path | str, config: EncoderShape, shapes: dict[str, tuple[int, ...]]) -> None:
    """Compare the names and shapes of tensors with those of the configured network, before memory is allocated.

    Args:
        path: the checkpoint, for messages.
        config: the network's configuration.
        shapes: the shape of each tensor by name.

    Raises:
        CheckpointError: if a tensor is missing, unknown or has another shape.
    """
    state = _empty_encoder(path, config).state_dict()
    expected = {name: tuple(tensor.shape) for name, tensor in state.items() if not name.endswith(COUNTER)}
    if missing := sorted(expected.keys() - shapes.keys()):
        raise CheckpointError(f"{path}: missing tensors: {listed(missing)}")
    if unknown := sorted(shapes.keys() - expected.keys()):
        raise CheckpointError(f"{path}: unknown tensors: {listed(unknown)}")
    for name, shape in expected.items():
        if shapes[name] != shape:
            raise CheckpointError(f"{path}: expected {name} of shape {shape}, got {shapes[name]}")


def filled_encoder(path: Path, config: EncoderShape, tensors: dict[str, Tensor]) -> FrameEncoder:
    """Make a network of a checkpoint's tensors.

    Args:
        path: the checkpoint, for messages.
        config: the network's configuration.
        tensors: the weights by name, of the right shapes.

    Returns:
        The network: float32, on the CPU.

    Raises:
        CheckpointError: if a weight is not a finite floating point number.
    """
    state = {}
    for name, tensor in tensors.items():
        if not tensor.dtype.is_floating_point:
            raise CheckpointError(f"{path}: expected floating point numbers in {name}, got {tensor.dtype}")
        # A copy: otherwise float32 tensors would share the file's buffer.
        state[name] = tensor.to(torch.float32, copy=True).contiguous()
        if not torch.isfinite(state[name]).all():
            raise CheckpointError(f"{path}: {name} holds NaN or infinite values")
    encoder = _empty_encoder(path, config)
    for name in encoder.state_dict():
        if name.endswith(COUNTER):
            state[name] = torch.zeros((), dtype=torch.long, device="cpu")
    encoder.load_state_dict(state, assign=True)
    return encoder


def listed(names: Iterable[object]) -> str:
    """Join names for a message, at most four of them.

    Example:
        >>> listed("abcdef")
        'a, b, c, d and 2 more'
    """
    all_names = [str(name) for name in names]
    shown = ", ".join(all_names[:4]) or "none"
    return shown if len(all_names) <= 4 else f"{shown} and {len(all_names) - 4} more"
