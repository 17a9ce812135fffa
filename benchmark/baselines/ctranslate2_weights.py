"""Read models of CTranslate2, ``model.bin``, without CTranslate2: names, shapes and numbers; no code is run.

Source:
    ctranslate2/specs/model_spec.py, the function that writes version 6 of the format.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

#: The version of the format that is read.
VERSION = 6
#: numpy's types by the format's numbers, in one byte's order.
_TYPES = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}


def read_ctranslate2(parts: Sequence[Path]) -> dict[str, Tensor]:
    """Read a model's weights.

    Args:
        parts: the file, or its parts in order.

    Returns:
        All floating-point weights by name, float32.

    Raises:
        FileNotFoundError: if a part does not exist.
        ValueError: if they are not a model of version 6, or are truncated.
    """
    for part in parts:
        if not part.is_file():
            raise FileNotFoundError(f"expected a model of CTranslate2 at {part}, found no file")
    content = b"".join(part.read_bytes() for part in parts)
    try:
        return _weights(_Reader(content))
    except (struct.error, KeyError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise ValueError(f"{parts[0]}: expected a model of CTranslate2, could not read it: {reason}") from error


class _Reader:
    """Reads a file's content from its start."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.at = 0

    def number(self, form: str) -> int:
        """One number of a form of :mod:`struct`."""
        (value,) = struct.unpack_from(f"<{form}", self.content, self.at)
        self.at += struct.calcsize(form)
        return int(value)

    def taken(self, n_bytes: int) -> bytes:
        """The next bytes."""
        if self.at + n_bytes > len(self.content):
            raise ValueError(f"it ends at byte {len(self.content)}, before byte {self.at + n_bytes}")
        self.at += n_bytes
        return self.content[self.at - n_bytes : self.at]

    def text(self) -> str:
        """A text, which ends in a zero."""
        return self.taken(self.number("H")).rstrip(b"\0").decode()


def _weights(reader: _Reader) -> dict[str, Tensor]:
    version = reader.number("I")
    if version != VERSION:
        raise ValueError(f"expected version {VERSION} of the format, found {version}")
    reader.text(), reader.number("I")  # the kind of model and its revision
    weights = {}
    for _ in range(reader.number("I")):
        name = reader.text()
        shape = [reader.number("I") for _ in range(reader.number("B"))]
        kind = _TYPES[reader.number("B")]
        values = np.frombuffer(reader.taken(reader.number("I")), kind)
        if values.size != math.prod(shape):
            raise ValueError(f"{name} has {values.size} numbers for shape {shape}")
        if "f" in kind:
            weights[name] = torch.from_numpy(values.astype(np.float32).reshape(shape))
    return weights
