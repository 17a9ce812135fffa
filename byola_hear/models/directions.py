"""Principal directions: short vectors in place of whole embeddings, whose numbers are ordered by importance.

The directions of a network are those in which its standardised embeddings of pre-training audio vary most. A short
vector has one number for each of the first of them, divided by the square root of the standard deviation along the
direction: halfway to whitening. ``python -m byola_hear.pretraining directions`` computes them.

A file of directions is a safetensors file next to the network's checkpoint. It has the tensors ``mean`` and ``scale``
(float32) and ``axes`` (float16). Its metadata has one entry, ``byola_hear_directions``: JSON with the format's version,
the fingerprint of the network, and the origin of the directions. Reading runs no code from the file.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from byola_hear.models.checkpoint import CheckpointError, parsed_header, verified_content
from byola_hear.utils.files import write_file
from byola_hear.utils.text import one_line

#: Name of the metadata entry that marks a file of directions.
FORMAT = "byola_hear_directions"
#: Version that is written; raised whenever older readers cannot use the file.
FORMAT_VERSION = 1
#: Ending of the file's name, after that of the checkpoint without its own: ``byola-both.directions.safetensors``.
ENDING = ".directions.safetensors"
#: Most directions that a file has.
MOST = 1024
_TENSORS = ("axes", "mean", "scale")


def most_directions(size: int) -> int:
    """The largest number of directions of embeddings with ``size`` dimensions: more than half would not be short.

    Example:
        >>> most_directions(3072), most_directions(1152)
        (1024, 576)
    """
    return min(MOST, max(1, size // 2))


class Directions(nn.Module):
    """Turns embeddings of one network into short vectors: ``((embedding - mean) @ axes) * scale``.

    Args:
        mean: ``(size,)``, subtracted from an embedding.
        axes: ``(size, n)`` of any floating point type, the directions, the most important one first.
        scale: ``(n,)``, by which the numbers along the directions are multiplied.
        network: fingerprint of the network.
        origin: how the directions were computed: any JSON values.

    Raises:
        ValueError: if these do not fit together, or are not finite.

    Example:
        >>> directions = Directions(torch.ones(3), torch.eye(3)[:, :2], torch.tensor([1.0, 2.0]), "")
        >>> directions(torch.tensor([[2.0, 3.0, 4.0]])), directions.first(1)(torch.tensor([[2.0, 3.0, 4.0]]))
        (tensor([[1., 4.]]), tensor([[1.]]))
    """

    mean: Tensor
    axes: Tensor
    scale: Tensor

    def __init__(
        self, mean: Tensor, axes: Tensor, scale: Tensor, network: str, origin: dict[str, Any] | None = None
    ) -> None:
        super().__init__()
        if axes.ndim != 2 or mean.shape != axes.shape[:1] or scale.shape != axes.shape[1:] or not axes.shape[1]:
            shapes = ", ".join(str(tuple(each.shape)) for each in (mean, axes, scale))
            raise ValueError(f"expected mean (size,), axes (size, n) and scale (n,), got {shapes}")
        for name, given in (("mean", mean), ("axes", axes), ("scale", scale)):
            values = given.detach().to(torch.float32, copy=True).contiguous()
            if not torch.isfinite(values).all():
                raise ValueError(f"{name} holds NaN or infinite values")
            self.register_buffer(name, values, persistent=False)
        self.network = network
        self.origin = origin or {}

    @property
    def count(self) -> int:
        """Number of directions."""
        return self.axes.shape[1]

    def first(self, count: int) -> Directions:
        """The most important directions alone.

        Args:
            count: number of directions, from 1 to :attr:`count`.

        Raises:
            ValueError: if ``count`` is not such a number.
        """
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= self.count:
            raise ValueError(f"expected 1 to {self.count} dimensions, got {count!r}")
        return Directions(self.mean, self.axes[:, :count], self.scale[:count], self.network, self.origin)

    def of_network(self, network: str) -> Directions:
        """The same directions, for the network with another fingerprint."""
        return Directions(self.mean, self.axes, self.scale, network, self.origin)

    def forward(self, embeddings: Tensor) -> Tensor:
        """Turn embeddings ``(..., size)`` into short vectors ``(..., n)``, both float32.

        The arithmetic is float32 also in a network of another type, and within the user's autocast.
        """
        with torch.autocast(embeddings.device.type, enabled=False):
            return ((embeddings - self.mean.float()) @ self.axes.float()) * self.scale.float()

    def fingerprint(self) -> str:
        """SHA-256 of the network's fingerprint and of the directions, 64 hexadecimal digits."""
        digest = hashlib.sha256(self.network.encode())
        for name in _TENSORS:
            digest.update(getattr(self, name).detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()


def save_directions(path: str | os.PathLike[str], directions: Directions) -> str:
    """Write directions. If anything fails, nothing is written and an existing file stays as it was.

    Args:
        path: the file; an existing one is replaced.
        directions: the directions.

    Returns:
        The file's SHA-256 in hexadecimal.

    Raises:
        FileNotFoundError: if the folder does not exist.
    """
    tensors = {name: getattr(directions, name).detach().cpu().contiguous() for name in _TENSORS}
    tensors["axes"] = tensors["axes"].half()
    header = {"format_version": FORMAT_VERSION, "network": directions.network, "origin": directions.origin}
    content = safetensors.torch.save(tensors, {FORMAT: json.dumps(header, sort_keys=True, allow_nan=False)})
    write_file(Path(path), content)
    return hashlib.sha256(content).hexdigest()


def read_directions(path: str | os.PathLike[str], expected_sha256: str | None = None) -> Directions:
    """Read and verify directions.

    Args:
        path: a file written by :func:`save_directions`.
        expected_sha256: hexadecimal; a file with another hash is refused.

    Returns:
        The directions.

    Raises:
        CheckpointError: if the file does not hold directions, is damaged or has another hash.
        FileNotFoundError: if there is no such file.
    """
    path = Path(path)
    content = verified_content(path, expected_sha256)
    metadata = parsed_header(path, content, len(content)).get("__metadata__")
    text = metadata.get(FORMAT) if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise CheckpointError(f"{path}: a safetensors file, but its header has no {FORMAT!r}")
    try:
        header = json.loads(text)
        if header["format_version"] != FORMAT_VERSION:
            raise ValueError(f"expected format version {FORMAT_VERSION}, got {header['format_version']!r}")
        tensors = safetensors.torch.load(content)
        if set(tensors) != set(_TENSORS) or not all(each.dtype.is_floating_point for each in tensors.values()):
            raise ValueError(f"expected floating point tensors {', '.join(_TENSORS)}, got {', '.join(tensors)}")
        return Directions(**tensors, network=str(header["network"]), origin=dict(header["origin"]))
    except (
        *(safetensors.SafetensorError, ValueError, KeyError, TypeError, AttributeError),
        *(RecursionError, OverflowError),
    ) as error:
        raise CheckpointError(f"{path}: unusable directions ({one_line(error)[:200]})") from error
