"""Configurations written as plain dictionaries, and read back with one clear error for anything unexpected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any


def checked_keys(kind: type, data: object, what: str, optional: Sequence[str] = ()) -> dict[str, Any]:
    """Check that a dictionary has the fields of a dataclass as its keys.

    Args:
        kind: the dataclass.
        data: the dictionary.
        what: its name in messages, ``"encoder"`` for instance.
        optional: fields that may be absent.

    Returns:
        A copy of the dictionary.

    Raises:
        ValueError: if ``data`` is not a dictionary, or a key is unknown or missing.
    """
    if not isinstance(data, dict):
        raise ValueError(f"expected {what} as a dictionary, got {type(data).__name__}")
    known = [item.name for item in fields(kind)]
    unknown = sorted(str(key) for key in data if key not in known)
    missing = [name for name in known if name not in data and name not in optional]
    if unknown or missing:
        listed = f"unknown: {', '.join(unknown) or 'none'}; missing: {', '.join(missing) or 'none'}"
        raise ValueError(f"expected {what} with the keys {', '.join(known)}; {listed}")
    return dict(data)
